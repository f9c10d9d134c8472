// The rules that scanner, view, normalized and the writers must obey, whatever the bytes: for the property tests and
// the fuzzers. Each answers with a sentence that says what is wrong, or with nothing.
#pragma once

#include "resp_reference.hpp"

#include <seawall/resp/kind.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace seawall::fuzz {

/// Scans the frames at the front of `stream`, whole and cut into random pieces that lie in memory of their own, and
/// reads those that are found, beside the reference.
std::string check_stream(std::string_view stream, const resp::limits& most, std::uint64_t seed);

/// reply_writer (protocol 3 and 2) writes `value` as it should be. Requires: no streamed forms.
std::string check_reply_writer(const tree& value);

/// command_bytes built from arguments that `input` chooses, in every way there is.
std::string check_command(std::string_view input);

}  // namespace seawall::fuzz
