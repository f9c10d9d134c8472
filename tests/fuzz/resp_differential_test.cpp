// The module `resp` beside the reference parser, on values of every shape, on damaged ones, cut at random and at every
// byte. RapidCheck shrinks the bytes that a value is made of.
#include "resp_check.hpp"
#include "resp_trees.hpp"

#include <seawall/resp/scanner.hpp>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace seawall::fuzz {
namespace {

std::string bytes_of(const std::vector<std::uint8_t>& input) { return {input.begin(), input.end()}; }

/// More bytes than RapidCheck's sizes give.
auto many_bytes() {
  return rc::gen::scale(8, rc::gen::arbitrary<std::vector<std::uint8_t>>());
}

/// So small that each is met.
resp::limits narrow(choices& from) {
  resp::limits most;
  most.depth = from.pick(4);
  most.elements = from.pick(8);
  most.bulk = from.pick(24);
  most.frame = 8 + from.pick(120);
  most.line = from.pick(24);
  return most;
}

RC_GTEST_PROP(RespDifferential, ValuesAreFoundAndReadHoweverTheyAreCut, (std::uint64_t seed)) {
  const std::string input = bytes_of(*many_bytes());
  choices from{input};
  std::string stream;
  do {
    const tree value = make_tree(from, 5);
    const std::size_t begin = stream.size();
    write(value, stream);
    const reading read = reference(std::string_view{stream}.substr(begin));
    RC_ASSERT(read.what == verdict::complete);
    RC_ASSERT(read.length == stream.size() - begin);
    RC_ASSERT(read.value == value);
  } while (!from.used_up());
  RC_ASSERT(check_stream(stream, {}, seed) == "");
}

RC_GTEST_PROP(RespDifferential, DamagedValuesAreRefusedByBothOrReadAlike, (std::uint64_t seed)) {
  const std::string input = bytes_of(*many_bytes());
  choices from{input};
  do {
    std::string stream;
    write(make_tree(from, 4), stream);
    spoil(stream, from);
    RC_ASSERT(check_stream(stream, {}, ++seed) == "");
  } while (!from.used_up());
}

RC_GTEST_PROP(RespDifferential, LimitsAreMetAtTheSamePlace, (std::uint64_t seed)) {
  const std::string input = bytes_of(*many_bytes());
  choices from{input};
  do {
    const resp::limits most = narrow(from);
    std::string stream;
    write(make_tree(from, 5), stream);
    RC_ASSERT(check_stream(stream, most, ++seed) == "");
  } while (!from.used_up());
}

RC_GTEST_PROP(RespDifferential, NoProperBeginningOfAValueIsRefusedOrTakenForAll, ()) {
  const std::string input = bytes_of(*many_bytes());
  choices from{input};
  resp::scanner scan;
  do {
    std::string frame;
    write(make_tree(from, 4), frame);
    for (std::size_t there = 0; there != frame.size(); ++there) {
      const auto found = scan.scan({frame.data(), there});
      RC_ASSERT(found.has_value());
      RC_ASSERT(*found == 0U);
    }
    RC_ASSERT(scan.scan(frame).value() == frame.size());
  } while (!from.used_up());
}

RC_GTEST_PROP(RespDifferential, WritersWriteWhatTheReferenceReads, ()) {
  const std::string input = bytes_of(*many_bytes());
  RC_ASSERT(check_command(input) == "");
  choices from{input};
  do {
    RC_ASSERT(check_reply_writer(make_tree(from, 4, true, true)) == "");
  } while (!from.used_up());
}

}  // namespace
}  // namespace seawall::fuzz
