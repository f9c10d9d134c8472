// The parts of change_capture that need no server: pgoutput, frames, snapshots, and what a transaction makes stale.
#include "capture_collector.hpp"
#include "capture_frames.hpp"
#include "capture_row_text.hpp"
#include "capture_triggers.hpp"
#include "capture_visibility.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace seawall::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using strings = std::vector<std::string>;

// ---- writing what the server writes ----

std::string number(std::uint64_t value, unsigned bytes) {
  std::string made;
  for (unsigned i = bytes; i != 0; --i) made += static_cast<char>((value >> (8 * (i - 1))) & 0xFFU);
  return made;
}
std::string u16(std::uint64_t value) { return number(value, 2); }
std::string u32(std::uint64_t value) { return number(value, 4); }
std::string u64(std::uint64_t value) { return number(value, 8); }
std::string zero(std::string_view text) { return std::string{text} + '\0'; }

constexpr std::string_view null = "<null>";
constexpr std::string_view same = "<same>";

std::string row(const std::vector<std::string_view>& cells) {
  std::string made = u16(cells.size());
  for (const auto one : cells) {
    if (one == null) made += 'n';
    else if (one == same) made += 'u';
    else made += 't' + u32(one.size()) + std::string{one};
  }
  return made;
}

struct told {
  std::string_view name;
  bool identifies;
  std::uint32_t type = 25;
};
std::string table(std::uint32_t id, std::string_view name, char identity, const std::vector<told>& columns) {
  std::string made = 'R' + u32(id) + zero("public") + zero(name) + identity + u16(columns.size());
  for (const auto& one : columns) made += number(one.identifies ? 1 : 0, 1) + zero(one.name) + u32(one.type) + u32(~0U);
  return made;
}
std::string begin(std::uint32_t xid = 7) { return 'B' + u64(100) + u64(1) + u32(xid); }
std::string commit(std::uint64_t end = 200) { return 'C' + number(0, 1) + u64(100) + u64(end) + u64(1); }

std::vector<std::string> one_of_each() {
  return {begin(),
          commit(),
          'O' + u64(1) + zero("node"),
          table(1, "t", 'd', {{"id", true}, {"name", false}}),
          'Y' + u32(1) + zero("public") + zero("mood"),
          'I' + u32(1) + 'N' + row({"1", null}),
          'U' + u32(1) + 'N' + row({"1", same}),
          'U' + u32(1) + 'K' + row({"1", null}) + 'N' + row({"2", "x"}),
          'U' + u32(1) + 'O' + row({"1", "y"}) + 'N' + row({"2", "x"}),
          'D' + u32(1) + 'K' + row({"1", null}),
          'T' + u32(2) + number(3, 1) + u32(1) + u32(2)};
}

TEST(Pgoutput, EveryMessageIsReadWholeAndOnlyWhole) {
  std::vector<std::size_t> kinds;
  for (const auto& bytes : one_of_each()) {
    const auto read = pgoutput::parse(bytes);
    ASSERT_TRUE(read) << read.error().message();
    kinds.push_back(read->index());
    for (std::size_t size = 0; size != bytes.size(); ++size) {
      EXPECT_FALSE(pgoutput::parse(std::string_view{bytes}.substr(0, size))) << bytes[0] << " of " << size;
    }
    EXPECT_FALSE(pgoutput::parse(bytes + 'x')) << bytes[0];
  }
  EXPECT_THAT(kinds, ElementsAre(0, 1, 2, 3, 4, 5, 6, 6, 6, 7, 8));
}

TEST(Pgoutput, AnyByteMayBeWrong) {
  for (const auto& bytes : one_of_each()) {
    for (std::size_t place = 0; place != bytes.size(); ++place) {
      for (const char wrong : {'\0', '\x7F', '\xFF', 'N'}) {
        auto harmed = bytes;
        harmed[place] = wrong;
        (void)pgoutput::parse(harmed);  // an error or another message, within its bytes: for sanitizers
      }
    }
  }
}

TEST(Pgoutput, ErrorsNameTheOffset) {
  const std::pair<std::string, std::string_view> wrong[] = {
      {"", "no room for the kind of a message at offset 0 of 0"},
      {"X", "unknown message 0x58 at offset 1 of 1"},
      {'C' + number(1, 1) + u64(1) + u64(1) + u64(1), "unknown flags at offset 2"},
      {'I' + u32(1) + 'N' + u16(1) + 'b', "unknown kind 0x62 at offset 9"},
      {'I' + u32(1) + 'N' + u16(1) + 't' + u32(~0U), "no room for a column at offset 13 of 13"},
      {'I' + u32(1) + 'N' + u16(2001), "2001 columns, more than 2000"},
      {'U' + u32(1) + 'Q', "0x51 in place of K, O or N"},
      {'T' + u32(~0U) + number(0, 1), "no room for 4294967295 tables"},
      {"Ot2345678name", "the name does not end"},
  };
  for (const auto& [bytes, said] : wrong) {
    const auto read = pgoutput::parse(bytes);
    ASSERT_FALSE(read) << said;
    EXPECT_THAT(read.error().message(), HasSubstr(said));
  }
}

TEST(ReplicationStream, FramesAndReplies) {
  const std::string data = 'w' + u64(5) + u64(6) + u64(0) + "B";
  const auto read = parse_frame(data).value();
  EXPECT_EQ(read.at, 5);
  EXPECT_EQ(read.message, "B");
  const auto alive = parse_frame('k' + u64(9) + u64(0) + number(1, 1)).value();
  EXPECT_EQ(alive.at, 9);
  EXPECT_TRUE(alive.wants_reply);
  for (const auto& bytes : {std::string{}, std::string{"q"}, data.substr(0, data.size() - 1), 'k' + u64(9)}) {
    EXPECT_FALSE(parse_frame(bytes));
  }
  EXPECT_EQ(status_update(3, 2, true), 'r' + u64(3) + u64(2) + u64(2) + u64(0) + number(1, 1));
  EXPECT_EQ(pgoutput::text_of(0x16'B374'D848), "16/B374D848");
}

TEST(Snapshot, SeesWhatHasEndedForAll) {
  const auto seen = snapshot::parse("100:110:101,105").value();
  for (const std::uint32_t xid : {99U, 100U, 102U, 109U}) EXPECT_TRUE(seen.sees(xid)) << xid;
  for (const std::uint32_t xid : {101U, 105U, 110U, 4'000U}) EXPECT_FALSE(seen.sees(xid)) << xid;
  const auto later = snapshot::parse("4294967290:4294967300:4294967295").value();  // the next is 4 modulo 2^32
  for (const std::uint32_t xid : {4'294'967'280U, 4'294'967'294U, 3U}) EXPECT_TRUE(later.sees(xid)) << xid;
  for (const std::uint32_t xid : {4'294'967'295U, 4U, 9U}) EXPECT_FALSE(later.sees(xid)) << xid;
  EXPECT_TRUE(snapshot::parse("5:5:").value().sees(4));
  for (const auto* text : {"", "5", "5:6", "a:6:", "5:6:x", "5:6:7,", "5:6:7;8"}) EXPECT_FALSE(snapshot::parse(text));
}

// ---- rows that triggers write ----

TEST(RowText, FieldsAsPostgresWritesThem) {
  constexpr auto none = std::nullopt;
  const std::pair<std::string_view, row_fields> good[] = {
      {"()", {none}},
      {"(1,a b,)", {"1", "a b", none}},
      {R"x((,"",","))x", {none, "", ","}},
      {R"x(("a ""b"" \\c (d)",""""))x", {R"(a "b" \c (d))", "\""}},
  };
  for (const auto& [text, fields] : good) EXPECT_EQ(fields_of_row(text).value(), fields) << text;
  for (const auto* text : {"", "(", "{1}", "(1", R"x((1\))x", R"x(("1))x"}) EXPECT_FALSE(fields_of_row(text)) << text;
}

TEST(RowText, ElementsAsPostgresWritesThem) {
  EXPECT_THAT(elements_of_array("{}").value(), IsEmpty());
  EXPECT_THAT(elements_of_array(R"({id,"a,b","\"","",23})").value(), ElementsAre("id", "a,b", "\"", "", "23"));
  for (const auto* text : {"", "{", "(1)", "{1,}", R"({"1})"}) EXPECT_FALSE(elements_of_array(text)) << text;
}

TEST(CaptureTriggers, NamesAndBodiesAreQuoted) {
  const queue_names names{.schema = "a\"b", .prefix = "p", .formats = {{"timezone", "it's"}}};
  EXPECT_EQ(names.queue(), R"("a""b"."p")");
  EXPECT_EQ(names.function(7), R"("a""b"."p_7"())");
  const auto body = function_body(names, strings{"x\"$seawall$", "it's"});
  EXPECT_THAT(body, HasSubstr(R"(ROW(OLD."x""$seawall$", OLD."it's")::text)"));
  EXPECT_THAT(body, HasSubstr(R"(ARRAY['x"$seawall$', 'it''s']::name[])"));
  const auto statement = create_function(names, 7, body).front();
  EXPECT_THAT(statement, HasSubstr("SET timezone = 'it''s'"));
  EXPECT_THAT(statement, ::testing::EndsWith("END$_seawall$"));
  EXPECT_THAT(function_body(names, std::nullopt), HasSubstr("old_row := OLD::text;"));
  EXPECT_THAT(function_body(names, strings{}), HasSubstr("old_row := '()';"));
}

// ---- what a transaction makes stale ----

/// A cache that only notes what it is told.
struct noted {
  using key_type = std::pair<std::string, std::optional<std::string>>;
  std::string name() const { return "noted"; }
  void invalidate(const key_type& key) { done->push_back(key.first + '/' + key.second.value_or("-")); }
  void invalidate_tag(std::string_view tag) { done->push_back('#' + std::string{tag}); }
  bool clear() { return done->push_back("clear"), true; }
  strings* done;
};

struct Collector : ::testing::Test {
  Collector() { tables["public.t"].key(cache, "a", "b"); }

  captured_commit transaction(const strings& messages, std::size_t most = 100) {
    change_collector collector{tables, most, [this](log_level, std::string_view text) { said += text; }};
    EXPECT_TRUE(collector.take(table(1, "t", identity, {{"a", true}, {"b", identity == 'f'}, {"c", identity == 'f'}})));
    EXPECT_TRUE(collector.take(table(2, "unmapped", 'd', {{"a", true}})));
    EXPECT_TRUE(collector.take(begin()));
    for (const auto& one : messages) EXPECT_TRUE(collector.take(one));
    auto ended = collector.take(commit()).value();
    return *std::move(ended);
  }
  strings steps(const strings& messages) {
    done.clear();
    for (auto& step : transaction(messages).steps) step.apply();
    return done;
  }

  char identity = 'f';
  strings done;
  std::string said;
  noted cache{&done};
  captured_tables tables;
};

TEST_F(Collector, OldAndNewKeysInOrderAndOnce) {
  EXPECT_THAT(steps({'I' + u32(1) + 'N' + row({"1", "x", "c"})}), ElementsAre("1/x"));
  EXPECT_THAT(steps({'U' + u32(1) + 'O' + row({"1", "x", "c"}) + 'N' + row({"1", "y", same})}),
              ElementsAre("1/x", "1/y"));
  EXPECT_THAT(steps({'U' + u32(1) + 'O' + row({"1", "x", "c"}) + 'N' + row({"2", same, "d"})}),
              ElementsAre("1/x", "2/x"));
  EXPECT_THAT(steps({'D' + u32(1) + 'O' + row({"1", "x", "c"}), 'I' + u32(1) + 'N' + row({"1", "x", "c"})}),
              ElementsAre("1/x"));
  EXPECT_THAT(steps({'I' + u32(1) + 'N' + row({"1", null, "c"}), 'I' + u32(1) + 'N' + row({"1", "", "c"})}),
              ElementsAre("1/-", "1/"));
  EXPECT_THAT(steps({'I' + u32(1) + 'N' + row({null, "x", "c"})}), IsEmpty());  // it has no key
  EXPECT_THAT(steps({'I' + u32(2) + 'N' + row({"1"})}), IsEmpty());
  EXPECT_THAT(steps({'T' + u32(2) + number(0, 1) + u32(2) + u32(1)}), ElementsAre("clear"));
  EXPECT_EQ(said, "");
}

TEST_F(Collector, WhatIsNotInTheLogClears) {
  identity = 'd';
  EXPECT_THAT(steps({'U' + u32(1) + 'N' + row({"1", "x", "c"})}), ElementsAre("clear", "1/x"));
  EXPECT_THAT(steps({'U' + u32(1) + 'K' + row({"1", null, null}) + 'N' + row({"2", "x", "c"})}),
              ElementsAre("clear", "2/x"));
  EXPECT_THAT(steps({'D' + u32(1) + 'K' + row({"1", null, null})}), ElementsAre("clear"));
  EXPECT_THAT(steps({'U' + u32(1) + 'N' + row({"1", same, "c"})}), ElementsAre("clear"));
  EXPECT_THAT(said, HasSubstr("the cache 'noted' is cleared: the old 'b' of a row of public.t is not in the log"));

  tables.clear();
  tables["public.t"].key(cache, "a", "z");
  EXPECT_THAT(steps({'I' + u32(1) + 'N' + row({"1", "x", "c"})}), ElementsAre("clear"));
  EXPECT_THAT(said, HasSubstr("public.t has no column 'z'"));
}

TEST_F(Collector, FunctionsSeeEveryImage) {
  identity = 'd';
  tables.clear();
  tables["public.t"]
      .tag(cache, "all")
      .tag(cache,
           [](const row_image& image) { return (image.before() ? "old:" : "new:") + std::string{image.text("a")}; })
      .key(cache, [](const row_image& image) -> std::optional<noted::key_type> {
        if (image.text("a") == "throw") throw std::runtime_error("thrown");
        if (image.text("a") == "none") return std::nullopt;
        return noted::key_type{image.table(), "f"};
      });
  EXPECT_THAT(steps({'U' + u32(1) + 'K' + row({"1", null, null}) + 'N' + row({"none", "x", "c"})}),
              ElementsAre("#all", "#old:1", "#new:none", "t/f"));
  EXPECT_THAT(steps({'I' + u32(1) + 'N' + row({"throw", "x", "c"})}), ElementsAre("#all", "#new:throw", "clear"));
  EXPECT_THAT(said, HasSubstr("thrown"));
}

TEST_F(Collector, ALargeTransactionIsEverything) {
  strings many;
  for (int i = 0; i != 11; ++i) many.push_back('I' + u32(1) + 'N' + row({std::to_string(i), "x", "c"}));
  EXPECT_EQ(transaction(many, 11).steps.size(), 11);
  const auto large = transaction(many, 10);
  EXPECT_TRUE(large.everything);
  EXPECT_EQ(large.steps.size(), 0);
  EXPECT_EQ(large.changes, 11);
  EXPECT_EQ(large.end, 200);
  EXPECT_EQ(large.xid, 7);
}

TEST_F(Collector, WhatCannotComeIsAnError) {
  const auto insert = 'I' + u32(1) + 'N' + row({"1"});
  const auto described = table(1, "t", 'd', {{"a", true}, {"b", false}});
  for (const auto& messages : {strings{insert}, strings{begin(), insert}, strings{commit()}, strings{begin(), begin()},
                               strings{described, begin(), insert},
                               strings{described, begin(), 'D' + u32(1) + 'K' + row({"1"})},
                               strings{described, begin(), 'U' + u32(1) + 'N' + row({"1"})}}) {
    change_collector collector{tables, 10, {}};
    for (std::size_t i = 0; i + 1 != messages.size(); ++i) EXPECT_TRUE(collector.take(messages[i]));
    EXPECT_FALSE(collector.take(messages.back()));
  }
}

}  // namespace
}  // namespace seawall::postgres
