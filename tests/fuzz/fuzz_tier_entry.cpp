// decode_header and decode_entry: whatever the bytes are, an error or an entry; and an entry is what it is encoded as
// again. The first byte of an input chooses: the rest as it is, the rest behind a good beginning, or as the payload of
// an entry that is encoded, cut and damaged.
#include "entry_format.hpp"
#include "fuzz_report.hpp"

#include <memory>

namespace seawall::fuzz {
namespace {

constexpr std::int64_t now_ms = 1'700'000'000'000;
constexpr std::size_t most = std::size_t{1} << 20;

std::string check(std::string_view bytes) {
  // Of their very size, so that a sanitizer sees one step too far.
  const std::unique_ptr<char[]> exact{new char[bytes.size()]};
  bytes.copy(exact.get(), bytes.size());
  const std::string_view input{exact.get(), bytes.size()};
  const auto header = tier::decode_header(input);
  const auto entry = tier::decode_entry(input, now_ms, most);
  if (!entry) return entry.error() == errc::undecodable ? "" : "an error of another kind";
  if (!header) return "an entry without a header";
  if (entry->payload.size() > most) return "a payload beyond the limit";
  if (entry->absent != (header->kind == tier::stored_kind::absence)) return "an absence is a value, or the reverse";
  if (entry->tags.size() != header->tags) return "another number of tags";
  const auto again = tier::decode_entry(
      tier::encode_entry(*entry, header->nonce, header->reign, now_ms, {.above = 64}), now_ms, most);
  if (!again) return "encoded again, it is an error: " + again.error().message();
  if (again->payload != entry->payload || again->tags != entry->tags || again->version != entry->version ||
      again->schema != entry->schema || again->load_time != entry->load_time || again->absent != entry->absent ||
      again->fresh_for != entry->fresh_for || again->age != entry->age) {
    return "encoded again, it is another entry";
  }
  return "";
}

/// An entry of the input, as few bytes of it say, cut or with a byte changed.
std::string spoiled(std::string_view input) {
  if (input.size() < 6) return {};
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(input[i]); };
  tier_entry entry{.absent = at(0) == 0, .version = at(1), .fresh_for = std::chrono::seconds{at(2)}};
  entry.tags.resize(at(3) % 4, {.tag = at(4), .generation = at(5)});
  entry.payload = input.substr(6);
  std::string bytes = tier::encode_entry(entry, {}, at(1), now_ms, {.above = at(2)});
  const std::size_t place = (at(4) * 256u + at(5)) % bytes.size();
  if (at(3) % 16 < 8) bytes[place] = static_cast<char>(bytes[place] ^ at(3));
  else bytes.resize(place);
  return bytes;
}

}  // namespace
}  // namespace seawall::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace seawall;
  std::string_view input{reinterpret_cast<const char*>(data), size};
  if (input.empty()) return 0;
  const int mode = data[0] % 3;
  input.remove_prefix(1);
  std::string bytes{input};
  if (mode == 1) bytes.insert(0, "\xC5\x01V");
  if (mode == 2) bytes = fuzz::spoiled(input);
  fuzz::report(fuzz::check(bytes), bytes);
  return 0;
}
