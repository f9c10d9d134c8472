// Scanner, view and normalized beside the reference parser. The first byte of an input chooses: a stream as it is, with
// usual or with narrow limits, or a value tree that the rest describes, perhaps damaged.
#include "fuzz_report.hpp"
#include "resp_check.hpp"
#include "resp_trees.hpp"

#include <functional>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace seawall;
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  fuzz::choices from{input};
  const std::size_t mode = from.pick(4);
  resp::limits most;
  std::string stream;
  if (mode == 1) most = {.depth = 3, .elements = 9, .bulk = 20, .frame = 90, .line = 12};
  if (mode < 2) {
    stream = from.rest();
  } else {
    fuzz::write(fuzz::make_tree(from, 5), stream);
    if (mode == 3) fuzz::spoil(stream, from);
  }
  fuzz::report(fuzz::check_stream(stream, most, std::hash<std::string_view>{}(input)), stream);
  return 0;
}
