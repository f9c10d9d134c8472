// Scripts and functions.
//
//     static const cmd::script take{"return redis.call('DECRBY', KEYS[1], ARGV[1])"};
//     auto left = cmd::run(redis, cmd::eval<std::int64_t>(take, "stock:42", 3));
//
// A script is sent by its digest (EVALSHA). A server that does not know it gets the source (EVAL), once, without the
// caller noticing; in a transaction the source is sent at once.
// Thread safety: pure functions; a script may be used by any threads.
#pragma once

#include "seawall/cmd/builder.hpp"
#include "seawall/resp/value.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::cmd {

/// The source of a Lua script and its digest, computed once. Copies share both.
class script {
 public:
  explicit script(std::string source);

  const std::string& source() const noexcept { return *source_; }
  const std::shared_ptr<const std::string>& shared_source() const noexcept { return source_; }
  /// SHA-1 in hexadecimal, 40 digits.
  std::string_view digest() const noexcept { return {digest_.data(), digest_.size()}; }

 private:
  std::shared_ptr<const std::string> source_;
  std::array<char, 40> digest_;
};

/// EVALSHA: `keys` is a key, a range of keys or names("a", "b"), perhaps empty: names(). Arguments are values and
/// ranges of values.
template <class T = resp::value, key_argument K, value_argument... A>
command<T> eval(const script& what, const K& keys, const A&... arguments) {
  return builder{"EVALSHA"}.text(what.digest()).source(what.shared_source()).keys_and_values(keys, arguments...);
}
/// EVALSHA_RO: a script that writes nothing; it may run on a replica and be repeated. Redis 7.0.
template <class T = resp::value, key_argument K, value_argument... A>
command<T> eval_ro(const script& what, const K& keys, const A&... arguments) {
  return builder{"EVALSHA_RO"}.text(what.digest()).source(what.shared_source()).keys_and_values(keys, arguments...);
}

/// SCRIPT LOAD: the digest.
command<std::string> script_load(const script& what);
/// SCRIPT EXISTS: for each digest, whether the server knows the script.
template <key_argument... K>
command<std::vector<bool>> script_exists(const K&... digests) {
  return builder{"SCRIPT EXISTS"}.keys(digests...);
}
/// SCRIPT FLUSH: the server forgets all scripts.
command<ok> script_flush();

/// FCALL: a function of a library that the server has; keys and arguments as in `eval`. Redis 7.0.
template <class T = resp::value, key_argument K, value_argument... A>
command<T> fcall(std::string_view function, const K& keys, const A&... arguments) {
  return builder{"FCALL"}.text(function).keys_and_values(keys, arguments...);
}
/// FCALL_RO: a function that writes nothing.
template <class T = resp::value, key_argument K, value_argument... A>
command<T> fcall_ro(std::string_view function, const K& keys, const A&... arguments) {
  return builder{"FCALL_RO"}.text(function).keys_and_values(keys, arguments...);
}

/// FUNCTION LOAD: the library's name. `replace`: also over one of that name.
command<std::string> function_load(std::string_view library, bool replace = false);
command<ok> function_delete(std::string_view library_name);
command<ok> function_flush();
/// FUNCTION DUMP and RESTORE: all libraries in the server's own format.
command<std::string> function_dump();
command<ok> function_restore(std::string_view dumped);

struct function_info {
  std::string name;
  std::optional<std::string> description;
  std::vector<std::string> flags;

  friend bool operator==(const function_info&, const function_info&) = default;
};

struct function_library {
  std::string name;
  std::string engine;
  std::vector<function_info> functions;
  std::optional<std::string> code;       ///< If it was asked for.

  friend bool operator==(const function_library&, const function_library&) = default;
};

/// FUNCTION LIST: the libraries whose names match `pattern`.
command<std::vector<function_library>> function_list(std::string_view pattern = "*", bool with_code = false);

template <>
struct reply_reader<function_info> {
  static result<function_info> read(resp::view reply);
};
template <>
struct reply_reader<function_library> {
  static result<function_library> read(resp::view reply);
};

}  // namespace seawall::cmd
