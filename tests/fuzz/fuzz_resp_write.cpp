// command_bytes and reply_writer: what they write is what the reference parser, the scanner and the view read.
#include "fuzz_report.hpp"
#include "resp_check.hpp"
#include "resp_trees.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace seawall;
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  fuzz::report(fuzz::check_command(input), input);
  fuzz::choices from{input};
  fuzz::report(fuzz::check_reply_writer(fuzz::make_tree(from, 4, true, true)), input);
  return 0;
}
