#include "cluster_scatter.hpp"

#include "cluster_machine.hpp"
#include "seawall/cmd/error.hpp"
#include "seawall/cmd/table.hpp"
#include "seawall/resp/writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace seawall::redis {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Keys a, b and c lie in three slots; {a}1 with a.
class whole final : public cmd::request {
 public:
  explicit whole(const std::vector<std::string_view>& words) : encoded_(std::span<const std::string_view>{words}) {
    bytes = encoded_.bytes();
    traits = cmd::traits_of_arguments(words);
    book.deadline = time_point{std::chrono::hours{2}};
  }
  void on_reply(std::size_t, resp::view got) noexcept override { reply = got.raw(); }
  void on_end(const error* failure) noexcept override {
    ++ends;
    if (failure) why = failure->message();
  }

  std::string reply;
  std::string why;
  int ends = 0;

 private:
  resp::command_bytes encoded_;
};

class scattering : public testing::Test, public ender, public holder {
 protected:
  // holder: of the parts
  bool forget(request& part) override {
    forgotten.push_back(&part);
    return written;
  }
  void end(request& ended, const error* failure) override { ended.on_end(failure); }

  void run(whole& of, merging how) {
    scatter = std::make_unique<cluster_scatter>(of, how, *this, [this](cluster_scatter&) { scatter.reset(); });
    scatter->split_by_slot();
    send();
  }
  void send() {
    scatter->run([this](request& part, std::size_t) {
      part.book.where = static_cast<holder*>(this);
      parts.push_back(&part);
      sent.push_back(words(part));
    });
  }
  static std::string words(const request& of) {
    std::string all;
    for (const resp::view word : resp::view{of.bytes}) all += (all.empty() ? "" : " ") + std::string{word.text()};
    return all;
  }
  void answer(std::size_t which, const std::string& reply) {
    parts[which]->on_reply(0, resp::view{std::string_view{reply}});
    parts[which]->on_end(nullptr);
  }
  void fail(std::size_t which, const std::string& why) {
    const error failure{cmd::errc::connection_lost, why};
    parts[which]->on_end(&failure);
  }

  std::unique_ptr<cluster_scatter> scatter;
  std::vector<request*> parts;
  std::vector<std::string> sent;
  std::vector<request*> forgotten;
  bool written = false;
};

TEST_F(scattering, sends_one_command_for_each_slot) {
  whole mget{{"MGET", "a", "b", "{a}1", "c"}};
  run(mget, merging::elements);
  EXPECT_THAT(sent, ElementsAre("MGET a {a}1", "MGET b", "MGET c"));
  for (const request* part : parts) {
    EXPECT_EQ(part->book.deadline, mget.book.deadline);
    EXPECT_TRUE(part->book.flags & cluster_machine::keyed);
  }
  EXPECT_EQ(parts[1]->book.slot, slot_of("b"));
}

TEST_F(scattering, values_stay_with_their_keys) {
  whole mset{{"MSET", "a", "1", "b", "2", "{a}1", "3"}};
  run(mset, merging::same);
  EXPECT_THAT(sent, ElementsAre("MSET a 1 {a}1 3", "MSET b 2"));
}

TEST_F(scattering, elements_return_in_the_order_of_the_keys_whoever_answers_first) {
  whole mget{{"MGET", "a", "b", "{a}1", "c"}};
  run(mget, merging::elements);
  answer(2, "*1\r\n$1\r\nC\r\n");
  answer(0, "*2\r\n$1\r\nA\r\n_\r\n");
  EXPECT_EQ(mget.ends, 0);
  answer(1, "*1\r\n$1\r\nB\r\n");
  EXPECT_EQ(mget.ends, 1);
  EXPECT_EQ(mget.reply, "*4\r\n$1\r\nA\r\n$1\r\nB\r\n_\r\n$1\r\nC\r\n");
  EXPECT_FALSE(scatter) << "gone";
}

TEST_F(scattering, merges_sums_and_chains_and_equal_replies) {
  struct row {
    merging how;
    std::string a, b;
    std::string merged;
  };
  for (const row& r : std::initializer_list<row>{
           {merging::sum, ":2\r\n", ":40\r\n", ":42\r\n"},
           {merging::same, "+OK\r\n", "+OK\r\n", "+OK\r\n"},
           {merging::chain, "*1\r\n+x\r\n", "*2\r\n+y\r\n+z\r\n", "*3\r\n+x\r\n+y\r\n+z\r\n"},
       }) {
    whole del{{"DEL", "a", "b"}};
    parts.clear();
    run(del, r.how);
    answer(0, r.a);
    answer(1, r.b);
    EXPECT_EQ(del.reply, r.merged);
    EXPECT_EQ(del.ends, 1);
  }
}

TEST_F(scattering, a_reply_of_another_kind_is_an_error) {
  whole mget{{"MGET", "a", "b"}};
  run(mget, merging::elements);
  answer(0, "*2\r\n_\r\n_\r\n");
  answer(1, "*1\r\n_\r\n");
  EXPECT_THAT(mget.why, HasSubstr("another kind of reply"));
}

TEST_F(scattering, the_first_error_is_the_answer_and_says_what_became_of_each_key) {
  whole mset{{"MSET", "a", "1", "b", "2", "c", "3"}};
  run(mset, merging::same);
  answer(1, "-OOM command not allowed\r\n");
  answer(0, "+OK\r\n");
  EXPECT_EQ(mset.ends, 0) << "all must have ended";
  fail(2, "broken");
  EXPECT_EQ(mset.ends, 1);
  EXPECT_THAT(mset.reply, AllOf(HasSubstr("-OOM command not allowed"), HasSubstr("; applied to a"),
                                HasSubstr("; not applied to b"), HasSubstr("perhaps applied to c")));
}

TEST_F(scattering, a_failure_of_the_way_is_one_of_the_whole) {
  whole del{{"DEL", "a", "b"}};
  run(del, merging::sum);
  answer(0, ":1\r\n");
  fail(1, "b:1: broken");
  EXPECT_THAT(del.why, AllOf(HasSubstr("b:1: broken"), HasSubstr("applied to a"), HasSubstr("perhaps applied to b")));
  EXPECT_TRUE(del.reply.empty());
}

TEST_F(scattering, a_read_that_failed_lists_nothing) {
  whole mget{{"MGET", "a", "b"}};
  run(mget, merging::elements);
  fail(0, "broken");
  answer(1, "*1\r\n_\r\n");
  EXPECT_EQ(mget.why, "broken");
}

TEST_F(scattering, letting_go_lets_go_of_all_parts_that_are_under_way) {
  for (const bool was_written : {false, true}) {
    whole mget{{"MGET", "a", "b", "c"}};
    parts.clear();
    forgotten.clear();
    written = was_written;
    run(mget, merging::elements);
    if (was_written) answer(1, "*1\r\n_\r\n");
    EXPECT_EQ(static_cast<holder*>(mget.book.where)->forget(mget), was_written);
    EXPECT_EQ(forgotten.size(), was_written ? 2U : 3U);
    EXPECT_EQ(mget.ends, 0);
    EXPECT_FALSE(scatter);
  }
}

TEST_F(scattering, parts_that_end_while_they_are_sent_end_the_whole_once) {
  whole del{{"DEL", "a", "b"}};
  scatter = std::make_unique<cluster_scatter>(del, merging::sum, *this, [this](cluster_scatter&) { scatter.reset(); });
  scatter->split_by_slot();
  scatter->run([](request& part, std::size_t) {
    const error full{cmd::errc::queue_full, "full"};
    part.on_end(&full);
  });
  EXPECT_EQ(del.ends, 1);
  EXPECT_THAT(del.why, HasSubstr("full"));
}

TEST_F(scattering, a_command_for_all_primaries_is_copied) {
  whole size{{"DBSIZE"}};
  scatter = std::make_unique<cluster_scatter>(size, merging::sum, *this, [this](cluster_scatter&) { scatter.reset(); });
  scatter->copy(3);
  send();
  EXPECT_THAT(sent, ElementsAre("DBSIZE", "DBSIZE", "DBSIZE"));
  for (const request* part : parts) EXPECT_TRUE(cluster_machine::is_bound(*part));
  for (std::size_t i = 0; i < 3; ++i) answer(i, ":7\r\n");
  EXPECT_EQ(size.reply, ":21\r\n");
}

TEST(cluster_scatter, knows_the_commands_that_all_primaries_must_get) {
  struct row {
    std::vector<std::string_view> words;
    std::optional<merging> how;
  };
  for (const row& r : std::initializer_list<row>{
           {{"dbsize"}, merging::sum},
           {{"FLUSHALL", "ASYNC"}, merging::same},
           {{"script", "load", "return 1"}, merging::same},
           {{"SCRIPT", "EXISTS", "x"}, std::nullopt},
           {{"SCRIPT"}, std::nullopt},
           {{"KEYS", "*"}, merging::chain},
           {{"PING"}, std::nullopt},
       }) {
    EXPECT_EQ(merging_over_primaries(whole{r.words}), r.how) << r.words[0];
  }
}

}  // namespace
}  // namespace seawall::redis
