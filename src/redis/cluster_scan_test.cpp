#include "cluster_scan.hpp"

#include "cluster_machine.hpp"
#include "seawall/cmd/error.hpp"
#include "seawall/cmd/table.hpp"
#include "test_cluster.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace seawall::redis {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_cluster::slots_reply;

slot_map map_of(const std::vector<testing_cluster::range>& ranges) {
  const std::string reply = slots_reply(ranges);
  return *slot_map::read(resp::view{std::string_view{reply}}, {"a", 1});
}

class scan_request final : public cmd::request {
 public:
  explicit scan_request(std::string_view cursor) : encoded_{"SCAN", cursor, "COUNT", "10"} { bytes = encoded_.bytes(); }
  void on_reply(std::size_t, resp::view got) noexcept override { reply = got.raw(); }
  void on_end(const error* failure) noexcept override {
    ++ends;
    if (failure) why = *failure;
  }

  std::string cursor() const { return std::string{resp::view{std::string_view{reply}}[0].text()}; }

  std::string reply;
  std::optional<error> why;
  int ends = 0;

 private:
  resp::command_bytes encoded_;
};

class scanning : public testing::Test, public ender, public holder {
 protected:
  bool forget(request&) override { return true; }
  void end(request& ended, const error* failure) override { ended.on_end(failure); }

  // One step; the server answers with its next cursor. Returns the caller's next cursor.
  std::string step(const std::string& cursor, const std::string& answer) {
    scan_request asked{cursor};
    scan = std::make_unique<cluster_scan>(asked, map, *this, [this](cluster_scan&) { scan.reset(); });
    scan->run([&](request& part) {
      part.book.where = static_cast<holder*>(this);
      sent.push_back(std::to_string(part.book.slot) + ":" + std::string{resp::view{part.bytes}[1].text()});
      EXPECT_TRUE(part.book.flags & cluster_machine::primary_only);
      const std::string reply = answer.starts_with("-") ? answer + "\r\n"
                                                        : "*2\r\n$" + std::to_string(answer.size()) + "\r\n" + answer +
                                                              "\r\n*1\r\n$1\r\nk\r\n";
      part.on_reply(0, resp::view{std::string_view{reply}});
      part.on_end(nullptr);
    });
    EXPECT_EQ(asked.ends, 1);
    EXPECT_FALSE(scan);
    why = asked.why;
    return asked.reply.empty() || asked.reply[0] == '-' ? asked.reply : asked.cursor();
  }

  // b's first slot is 0, then comes a.
  slot_map map = map_of({{0, 9, {"b"}}, {10, 19, {"a"}}, {20, 29, {"b"}}, {30, 16383, {"c"}}});
  std::unique_ptr<cluster_scan> scan;
  std::vector<std::string> sent;
  std::optional<error> why;
};

TEST_F(scanning, visits_each_primary_once_and_then_is_through) {
  std::string cursor = step("0", "17");
  cursor = step(cursor, "0");
  cursor = step(cursor, "0");
  cursor = step(cursor, "1099511627775");
  cursor = step(cursor, "0");
  EXPECT_EQ(cursor, "0");
  EXPECT_THAT(sent, ElementsAre("0:0", "0:17", "10:0", "30:0", "30:1099511627775"));
}

TEST_F(scanning, begins_with_the_first_slot_that_is_served) {
  map = map_of({{100, 200, {"a"}}});
  EXPECT_EQ(step("0", "0"), "0");
  EXPECT_THAT(sent, ElementsAre("100:0"));
}

TEST_F(scanning, a_walk_over_other_primaries_must_begin_anew) {
  const std::string cursor = step("0", "17");
  map = map_of({{0, 9, {"d"}}, {10, 19, {"a"}}, {20, 29, {"d"}}, {30, 16383, {"c"}}});
  step(cursor, "0");
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code(), cmd::errc::moved);
  EXPECT_THAT(why->message(), HasSubstr("begin anew"));
}

TEST_F(scanning, what_is_no_cursor_is_refused_here) {
  for (const char* cursor : {"x", "-1", "", "1 ", "18446744073709551616", "4611686018427387904"}) {
    step(cursor, "0");
    ASSERT_TRUE(why) << cursor;
    EXPECT_EQ(why->code(), make_error_code(errc::invalid_argument)) << cursor;
  }
  EXPECT_TRUE(sent.empty());
}

TEST_F(scanning, errors_of_the_server_are_the_answer_and_useless_cursors_an_error) {
  EXPECT_EQ(step("0", "-ERR syntax error"), "-ERR syntax error\r\n");
  step("0", "1099511627776");
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code(), cmd::errc::unexpected_reply);
}

TEST_F(scanning, a_step_is_let_go_with_its_request) {
  scan_request asked{"0"};
  scan = std::make_unique<cluster_scan>(asked, map, *this, [this](cluster_scan&) { scan.reset(); });
  scan->run([&](request& part) { part.book.where = static_cast<holder*>(this); });
  EXPECT_TRUE(static_cast<holder*>(asked.book.where)->forget(asked));
  EXPECT_FALSE(scan);
  EXPECT_EQ(asked.ends, 0);
}

RC_GTEST_PROP(cluster_scan, reads_back_every_cursor, ()) {
  const scan_place place{*rc::gen::arbitrary<std::uint8_t>(), *rc::gen::inRange<slot_number>(0, slot_count),
                         *rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 40)};
  RC_ASSERT(scan_place::read(std::to_string(place.number())) == place);
  RC_ASSERT(place.number() <= static_cast<std::uint64_t>(INT64_MAX));
}

}  // namespace
}  // namespace seawall::redis
