#include "entry_format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>
#include <zstd.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace seawall::tier {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::HasSubstr;
using testing::StartsWith;

constexpr tier_nonce some_nonce{.high = 0x0102030405060708, .low = 0x090a0b0c};
constexpr std::int64_t now_ms = 1'700'000'000'000;
constexpr std::size_t check_size = 4;
constexpr std::size_t any_size = std::size_t{1} << 30;

std::string encode(const tier_entry& entry, const compression& how = {}) {
  return encode_entry(entry, some_nonce, 7, now_ms, how);
}

/// The same without its check, as other programs may write it.
std::string unchecked(std::string bytes) {
  bytes[flags_at] = static_cast<char>(bytes[flags_at] & ~2);
  return bytes.substr(0, bytes.size() - check_size);
}

/// What is wrong with the bytes, or nothing.
std::string wrong(std::string_view bytes, std::size_t max_payload = any_size) {
  // Of their very size, so that a sanitizer sees one step too far.
  const std::vector<char> exact{bytes.begin(), bytes.end()};
  const auto entry = decode_entry({exact.data(), exact.size()}, now_ms, max_payload);
  if (entry) return {};
  EXPECT_TRUE(entry.error() == errc::undecodable);
  EXPECT_THAT(entry.error().message(), StartsWith("entry: "));
  return entry.error().message();
}

void expect_equal(const tier_entry& got, const tier_entry& wanted) {
  EXPECT_EQ(got.absent, wanted.absent);
  EXPECT_EQ(got.version, wanted.version);
  EXPECT_EQ(got.schema, wanted.schema);
  EXPECT_EQ(got.fresh_for, wanted.fresh_for);
  EXPECT_EQ(got.load_time, wanted.load_time);
  EXPECT_EQ(got.age, wanted.age);
  EXPECT_EQ(got.tags, wanted.tags);
  EXPECT_EQ(got.payload, wanted.payload);
}

tier_entry with_payload(std::string payload) { return {.fresh_for = 1s, .payload = std::move(payload)}; }

TEST(entry_format, a_value_is_these_bytes) {
  const tier_entry entry{.version = 0x1112131415161718,
                         .schema = 0x21222324,
                         .fresh_for = 0x1000ms,
                         .load_time = 0x31us,
                         .age = 0x2000ms,
                         .tags = {{.tag = 0x41, .generation = 0x42}, {.tag = 0x43, .generation = 0x4445464748494a4b}},
                         .payload = "payload"};
  EXPECT_EQ(encode_entry(entry, some_nonce, 0x51, 0x18000000000, {}),
            "\xC5\x01V\x06"
            "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"
            "\x00\x00\x00\x00\x00\x00\x00\x51"
            "\x11\x12\x13\x14\x15\x16\x17\x18"
            "\x00\x00\x00\x31"
            "\x21\x22\x23\x24"
            "\x00\x02"
            "\x01\x80\x00\x00\x10\x00"
            "\x01\x7F\xFF\xFF\xE0\x00"
            "\x00\x00\x00\x00\x00\x00\x00\x41\x00\x00\x00\x00\x00\x00\x00\x42"
            "\x00\x00\x00\x00\x00\x00\x00\x43\x44\x45\x46\x47\x48\x49\x4a\x4b"
            "payload"
            "\xC7\xF6\xB4\x50"s);
}

TEST(entry_format, a_lease_is_a_header_and_nothing_else) {
  const std::string lease = encode_lease(some_nonce, 7, 9);
  EXPECT_EQ(lease,
            "\xC5\x01L\x00"
            "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"
            "\x00\x00\x00\x00\x00\x00\x00\x07"
            "\x00\x00\x00\x00\x00\x00\x00\x09"s +
                std::string(16, '\0'));
  EXPECT_EQ(lease.size(), header_size);
  EXPECT_EQ(lease, encode_lease(some_nonce, 7, 9));
  EXPECT_EQ(decode_header(lease),
            (stored_header{.kind = stored_kind::lease, .nonce = some_nonce, .reign = 7, .version = 9}));
  EXPECT_THAT(wrong(lease), HasSubstr("lease"));
}

TEST(entry_format, scripts_find_the_fields_where_they_look) {
  const std::string bytes = encode_header({.kind = stored_kind::tombstone,
                                           .nonce = some_nonce,
                                           .reign = 0x3030303030303030,
                                           .version = 0x3131313131313131});
  EXPECT_EQ(bytes[kind_at], 'T');
  EXPECT_EQ(bytes.substr(nonce_at, nonce_size), "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c");
  EXPECT_EQ(bytes.substr(reign_at, 8), "00000000");
  EXPECT_EQ(bytes.substr(version_at, 8), "11111111");
  EXPECT_THAT(wrong(bytes), HasSubstr("tombstone"));
}

TEST(entry_format, an_entry_of_before_does_not_say_when_it_was_stored) {
  const std::string bytes = encode_header({.nonce = some_nonce, .fresh_until_ms = now_ms + 1000}) + "payload";
  const auto entry = decode_entry(bytes, now_ms, any_size);
  ASSERT_TRUE(entry);
  expect_equal(*entry, {.fresh_for = 1s, .payload = "payload"});
}

TEST(entry_format, payloads_are_compressed_if_that_makes_them_shorter) {
  const std::string even(1000, 'x');
  random_source random{1};
  std::string noise;
  while (noise.size() < 1000) noise += static_cast<char>(random.next());
  const struct {
    const char* what;
    std::string payload;
    compression how;
    bool compressed;
  } cases[] = {
      {"too short", even, {.above = 1000}, false},
      {"long enough", even, {.above = 999}, true},
      {"without need", noise, {.above = 0}, false},
      {"never", even, {.above = std::numeric_limits<std::size_t>::max()}, false},
      {"fast", even, {.above = 0, .level = -5}, true},
      {"level too high", even, {.above = 0, .level = 1000}, true},
      {"nothing", "", {.above = 0}, false},
      {"one byte", "x", {.above = 0}, false},
  };
  for (const auto& [what, payload, how, compressed] : cases) {
    const std::string bytes = encode(with_payload(payload), how);
    EXPECT_EQ(decode_header(bytes)->compressed, compressed) << what;
    const std::size_t uncompressed = header_size + moment_size + payload.size() + check_size;
    if (compressed) EXPECT_LT(bytes.size(), uncompressed) << what;
    else EXPECT_EQ(bytes.size(), uncompressed) << what;
    const auto entry = decode_entry(bytes, now_ms, payload.size());
    ASSERT_TRUE(entry) << what << ": " << entry.error().message();
    EXPECT_EQ(entry->payload, payload) << what;
  }
}

TEST(entry_format, the_lowest_level_need_not_compress_but_loses_nothing) {
  const std::string even(1000, 'x');
  const std::string bytes = encode(with_payload(even), {.above = 0, .level = std::numeric_limits<int>::min()});
  EXPECT_LE(bytes.size(), header_size + moment_size + even.size() + check_size);
  EXPECT_EQ(decode_entry(bytes, now_ms, even.size())->payload, even);
}

TEST(entry_format, a_payload_is_not_larger_than_the_limit) {
  const std::string even(100'000, 'x');
  const std::string plain = encode(with_payload(even), {.above = any_size});
  const std::string compressed = encode(with_payload(even));
  for (const std::string& bytes : {plain, compressed}) {
    EXPECT_EQ(wrong(bytes, 100'000), "");
    EXPECT_THAT(wrong(bytes, 99'999), HasSubstr("at most 99999"));
  }
}

/// A value with this as its compressed payload.
std::string with_frame(std::string_view frame) {
  return encode_header({.compressed = true, .nonce = some_nonce}).append(frame);
}

std::string zstd(std::string_view text) {
  std::string frame(ZSTD_compressBound(text.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), text.data(), text.size(), 1));
  return frame;
}

TEST(entry_format, frames_that_lie_are_errors) {
  const std::string frame = zstd(std::string(1000, 'x'));
  std::string unsized(200, '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  unsized.resize(ZSTD_compress2(context, unsized.data(), unsized.size(), "text", 4));
  ZSTD_freeCCtx(context);
  // Magic number, then: 8 bytes of size, one segment; the size; nothing more.
  const std::string bomb = "\x28\xB5\x2F\xFD\xE0"s + std::string(7, '\xFF') + "\x7F";
  // The same with a size of 16 and one block of 4 equal bytes.
  const std::string less = "\x28\xB5\x2F\xFD\xE0\x10"s + std::string(7, '\0') + "\x23\x00\x00x"s;
  const struct {
    std::string frame;
    const char* error;
  } cases[] = {
      {frame, ""},
      {"", "no zstd frame"},
      {"text that is none", "no zstd frame"},
      {frame.substr(0, frame.size() - 1), "zstd cannot read"},
      {frame + "x", "zstd cannot read"},
      {frame + frame, "zstd cannot read"},
      {unsized, "does not tell its size"},
      {bomb, "at most 1073741824"},
      {less, "zstd"},
  };
  for (const auto& [bytes, error] : cases) {
    if (*error == '\0') EXPECT_EQ(wrong(with_frame(bytes)), "");
    else EXPECT_THAT(wrong(with_frame(bytes)), HasSubstr(error));
  }
}

TEST(entry_format, errors_say_what_is_wrong) {
  const std::string value = unchecked(encode({.tags = {{.tag = 1, .generation = 2}}, .payload = "p"}));
  const auto changed = [&](std::size_t at, char to) {
    std::string bytes = value;
    bytes[at] = to;
    return bytes;
  };
  const struct {
    std::string bytes;
    const char* error;
  } cases[] = {
      {"", "0 bytes are too few"},
      {value.substr(0, 47), "47 bytes are too few"},
      {value.substr(0, 48), "before it says when it was stored"},
      {value.substr(0, 53), "before it says when it was stored"},
      {value.substr(0, 54), "0 bytes are too few for 1 tags"},
      {value.substr(0, 69), "15 bytes are too few for 1 tags"},
      {changed(0, 'S'), "do not begin"},
      {changed(1, 2), "do not begin"},
      {changed(kind_at, 'v'), "do not begin"},
      {changed(kind_at, 'E'), "do not begin"},
      {changed(flags_at, 8), "unknown flags 0x08"},
      {changed(flags_at, '\x81'), "unknown flags 0x81"},
      {changed(kind_at, 'N'), "an absence with 1 bytes"},
      {std::string(200, 'x'), "do not begin"},
      {"{\"json\": \"of another program, which is longer than a header\"}", "do not begin"},
  };
  for (const auto& [bytes, error] : cases) EXPECT_THAT(wrong(bytes), HasSubstr(error));
}

TEST(entry_format, headers_are_known_without_what_follows) {
  const std::string value = encode({.version = 3, .tags = {{.tag = 1, .generation = 2}}, .payload = "p"});
  const auto header = decode_header(std::string_view{value}.substr(0, header_size));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->version, 3u);
  EXPECT_EQ(header->tags, 1u);
  for (std::size_t size = 0; size < header_size; ++size) {
    EXPECT_FALSE(decode_header(std::string_view{value}.substr(0, size))) << size;
  }
}

TEST(entry_format, an_absence_has_no_payload) {
  const auto entry = decode_entry(encode({.absent = true, .fresh_for = 1s, .payload = "ignored"}), now_ms, 0);
  ASSERT_TRUE(entry);
  expect_equal(*entry, {.absent = true, .fresh_for = 1s});
  EXPECT_EQ(entry->keep_for, forever);
}

TEST(entry_format, as_many_tags_as_their_number_can_say) {
  tier_entry entry{.fresh_for = 1s, .tags = std::vector<tag_stamp>(max_tags, {.tag = 5, .generation = 6})};
  const auto decoded = decode_entry(encode(entry), now_ms, 0);
  ASSERT_TRUE(decoded);
  expect_equal(*decoded, entry);
  entry.tags.push_back({});
  EXPECT_EQ(encode(entry), "") << "an entry without some of its tags would outlive their invalidation";
}

TEST(entry_format, nonces_use_all_their_bits_and_differ) {
  random_source random{1};
  std::set<std::pair<std::uint64_t, std::uint32_t>> seen;
  tier_nonce any{};
  tier_nonce all{.high = ~std::uint64_t{0}, .low = ~std::uint32_t{0}};
  for (int i = 0; i < 1000; ++i) {
    const tier_nonce nonce = draw_nonce(random);
    seen.emplace(nonce.high, nonce.low);
    any = {.high = any.high | nonce.high, .low = any.low | nonce.low};
    all = {.high = all.high & nonce.high, .low = all.low & nonce.low};
  }
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_EQ(any, (tier_nonce{.high = ~std::uint64_t{0}, .low = ~std::uint32_t{0}}));
  EXPECT_EQ(all, tier_nonce{});
}

/// Any entry whose times the format holds exactly.
tier_entry make_entry() {
  tier_entry entry;
  entry.absent = *rc::gen::weightedElement<bool>({{3, false}, {1, true}});
  entry.version = *rc::gen::arbitrary<std::uint64_t>();
  entry.schema = *rc::gen::arbitrary<std::uint32_t>();
  entry.fresh_for = *rc::gen::element(true, false)
                        ? forever
                        : std::chrono::milliseconds{*rc::gen::inRange<std::int64_t>(-1'000'000'000, 1'000'000'000)};
  entry.load_time = std::chrono::microseconds{*rc::gen::arbitrary<std::uint32_t>()};
  entry.age = std::chrono::milliseconds{*rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000)};
  entry.tags.resize(*rc::gen::inRange<std::size_t>(0, 5));
  for (tag_stamp& one : entry.tags) {
    one = {.tag = *rc::gen::arbitrary<std::uint64_t>(), .generation = *rc::gen::arbitrary<std::uint64_t>()};
  }
  if (!entry.absent) {
    entry.payload = *rc::gen::arbitrary<std::string>();
    // Something that can be compressed.
    entry.payload.append(*rc::gen::inRange<std::size_t>(0, 300), *rc::gen::arbitrary<char>());
  }
  return entry;
}

RC_GTEST_PROP(entry_format, what_was_encoded_is_decoded, ()) {
  const tier_entry entry = make_entry();
  const tier_nonce nonce{.high = *rc::gen::arbitrary<std::uint64_t>(), .low = *rc::gen::arbitrary<std::uint32_t>()};
  const auto reign = *rc::gen::arbitrary<std::uint64_t>();
  const std::string bytes = encode_entry(entry, nonce, reign, now_ms, {.above = *rc::gen::inRange<std::size_t>(0, 99)});
  const auto header = decode_header(bytes);
  RC_ASSERT(header.has_value());
  RC_ASSERT(header->nonce == nonce);
  RC_ASSERT(header->reign == reign);
  RC_ASSERT(header->version == entry.version);
  RC_ASSERT(encode_header(*header) == bytes.substr(0, header_size));
  const auto decoded = decode_entry(bytes, now_ms, entry.payload.size());
  RC_ASSERT(decoded.has_value());
  expect_equal(*decoded, entry);
}

RC_GTEST_PROP(entry_format, what_is_cut_or_damaged_is_an_error, ()) {
  const std::string bytes = encode(make_entry(), {.above = 20});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    RC_ASSERT(!wrong(std::string_view{bytes}.substr(0, size)).empty());
  }
  RC_ASSERT(!wrong(bytes + "x").empty());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ *rc::gen::inRange(1, 256));
    // Without the flag nobody looks for the check.
    if (at != flags_at || (damaged[at] & 2) != 0) RC_ASSERT(!wrong(damaged, 1 << 20).empty());
    else wrong(damaged, 1 << 20);
  }
}

RC_GTEST_PROP(entry_format, without_a_check_it_is_an_error_or_an_entry, ()) {
  const tier_entry entry = make_entry();
  const std::string bytes = unchecked(encode(entry, {.above = 20}));
  const auto decoded = decode_entry(bytes, now_ms, entry.payload.size());
  RC_ASSERT(decoded.has_value());
  expect_equal(*decoded, entry);
  const bool compressed = decode_header(bytes)->compressed;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string why = wrong(std::string_view{bytes}.substr(0, size));
    // Nothing tells the size of a payload that is not compressed.
    if (size < header_size + moment_size + entry.tags.size() * tag_size || compressed) RC_ASSERT(!why.empty());
  }
}

}  // namespace
}  // namespace seawall::tier
