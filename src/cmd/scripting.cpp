#include "seawall/cmd/scripting.hpp"

#include "field_reader.hpp"

#include <openssl/evp.h>

#include <utility>

namespace seawall::cmd {

script::script(std::string source) : source_(std::make_shared<const std::string>(std::move(source))) {
  static constexpr char digits[] = "0123456789abcdef";
  unsigned char sha1[EVP_MAX_MD_SIZE]{};
  unsigned size = 0;
  EVP_Digest(source_->data(), source_->size(), sha1, &size, EVP_sha1(), nullptr);
  for (std::size_t i = 0; i < digest_.size() / 2; ++i) {
    digest_[2 * i] = digits[sha1[i] >> 4];
    digest_[2 * i + 1] = digits[sha1[i] & 15];
  }
}

command<std::string> script_load(const script& what) { return builder{"SCRIPT LOAD"}.text(what.source()); }
command<ok> script_flush() { return builder{"SCRIPT FLUSH"}; }

command<std::string> function_load(std::string_view library, bool replace) {
  builder made{"FUNCTION LOAD"};
  return made.flag(replace, "REPLACE").text(library).effect_if(replace, effect::write_last);
}
command<ok> function_delete(std::string_view library_name) { return builder{"FUNCTION DELETE"}.text(library_name); }
command<ok> function_flush() { return builder{"FUNCTION FLUSH"}; }
command<std::string> function_dump() { return builder{"FUNCTION DUMP"}; }
command<ok> function_restore(std::string_view dumped) { return builder{"FUNCTION RESTORE"}.text(dumped); }

command<std::vector<function_library>> function_list(std::string_view pattern, bool with_code) {
  builder made{"FUNCTION LIST"};
  if (pattern != "*") made.text("LIBRARYNAME").text(pattern);
  return made.flag(with_code, "WITHCODE");
}

result<function_info> reply_reader<function_info>::read(resp::view reply) {
  function_info made;
  field_reader fields{reply};
  fields.get("name", made.name).get("description", made.description).get("flags", made.flags);
  return fields.done(std::move(made));
}

result<function_library> reply_reader<function_library>::read(resp::view reply) {
  function_library made;
  field_reader fields{reply};
  fields.get("library_name", made.name).get("engine", made.engine).get("functions", made.functions);
  fields.get("library_code", made.code);
  return fields.done(std::move(made));
}

}  // namespace seawall::cmd
