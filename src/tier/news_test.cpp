// Changes as messages: how they are written, which commands are followed by one, and who is told.
#include "news.hpp"
#include "seawall/cmd/keys.hpp"
#include "seawall/cmd/scripting.hpp"
#include "scripts.hpp"
#include "test_remote.hpp"

#include <string>
#include <utility>
#include <vector>

namespace seawall::tier {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;

const std::string sender = "123456789012";

TEST(news, what_was_written_is_read) {
  const std::vector<std::vector<std::string_view>> table{
      {}, {"a"}, {"a", "", "b"}, {std::string_view{"\0\xFF", 2}}, {"key", "another:key"}};
  for (const auto& keys : table) {
    const std::string bytes = encode_news(sender, keys);
    const auto message = decode_news(bytes);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->sender, sender);
    EXPECT_EQ(message->keys, keys);
  }
  const std::string longest(70'000, 'k');
  EXPECT_EQ(decode_news(encode_news(sender, std::vector<std::string_view>{longest}))->keys.at(0), longest);
}

TEST(news, other_bytes_are_no_message) {
  const std::string whole = encode_news(sender, std::vector<std::string_view>{"key"});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(decode_news(whole.substr(0, size)).has_value(), size == sender.size()) << size;
  }
  EXPECT_FALSE(decode_news(sender + "\xFF\xFF\xFF\xFF" + "key"));
}

TEST(news, are_of_commands_that_change_what_others_have_read) {
  using keys = std::vector<std::string_view>;
  const auto set = [](auto... more) {
    cmd::builder made{"SET"};
    made.key("k").text("v");
    (made.text(more), ...);
    return cmd::command<resp::value>{std::move(made)};
  };
  const auto told = [](const cmd::any_command& what) {
    keys all;
    add_changed_keys(what, all);
    return std::vector<std::string>{all.begin(), all.end()};
  };
  using names = std::vector<std::string>;
  EXPECT_EQ(told(cmd::unlink(std::vector<std::string_view>{"a", "b"})), (names{"a", "b"}));
  EXPECT_EQ(told(set("PX", "5")), names{"k"});
  EXPECT_EQ(told(set("IFEQ", "lease")), names{"k"});
  EXPECT_EQ(told(set("NX", "PX", "5")), names{});
  EXPECT_EQ(told(cmd::command<resp::value>{cmd::eval(fill_script(), "k", "a", "b", 1)}), names{"k"});
  EXPECT_EQ(told(cmd::command<resp::value>{cmd::eval(put_script(), "k", "a", 1)}), names{"k"});
  EXPECT_EQ(told(cmd::command<resp::value>{cmd::eval(release_script(), "k", "a")}), names{"k"});
  EXPECT_EQ(told(cmd::command<resp::value>{cmd::eval(takeover_script(), "k", "a", "b", 1)}), names{});
  EXPECT_EQ(told(cmd::command<resp::value>{cmd::builder{"GET"}.key("k")}), names{});
}

class feed_test : public remote_tier_test {
 protected:
  void start(feed_mode feed) {
    messages = {};
    opened = 0;
    const auto target = [&](const auto&) {
      return remote_tier::made_target{
          .where = &server,
          .channel = [this](std::string channel, auto on_message, auto on_gap) -> std::shared_ptr<void> {
            EXPECT_EQ(channel, "seawall:news");
            ++opened;
            message = on_message;
            gap = on_gap;
            return std::make_shared<int>();
          }};
    };
    tier.reset();
    tier = *remote_tier::make(target, {.feed = feed, .canary_interval = 0s, .advise = false, .clock = clock});
    tier->attach("c:", cache);
    tier->feed()->on_tracking(server.generation);
    server.answer = [this](const words& command) {
      if (command.front() == "PUBLISH") messages.push_back(command.at(2));
      return reply(command);
    };
  }
  std::vector<std::string> published() {
    std::vector<std::string> keys;
    for (const std::string& one : std::exchange(messages, {})) {
      const auto what = decode_news(one);
      for (const std::string_view key : what->keys) keys.emplace_back(key);
    }
    return keys;
  }
  void invalidate(std::vector<std::string> keys) {
    auto what = std::make_shared<noted<tier_invalidation>>();
    what->keys = std::move(keys);
    tier->invalidate(what);
    EXPECT_EQ(what->ends, 1);
    EXPECT_FALSE(what->failure);
  }

  struct listener final : tier_listener {
    void on_changed(std::string_view key) noexcept override { told.emplace_back(key); }
    void on_all_changed() noexcept override { told.emplace_back("everything"); }
    void on_tags_lost() noexcept override {}
    std::vector<std::string> told;
  };
  std::shared_ptr<listener> cache = std::make_shared<listener>();
  std::vector<std::string> messages;
  std::function<void(std::string_view)> message;
  std::function<void()> gap;
  int opened = 0;
};

TEST_F(feed_test, nothing_but_tracking_proves_what_was_read) {
  stored = value('A');
  for (const auto& [feed, proves] : {std::pair{feed_mode::tracking, true}, std::pair{feed_mode::broadcast, false},
                                     std::pair{feed_mode::pub_sub, false}, std::pair{feed_mode::none, false}}) {
    start(feed);
    const auto hit = read();
    EXPECT_EQ(hit->is, outcome::hit);
    EXPECT_EQ(hit->proof != nullptr, proves) << static_cast<int>(feed);
    EXPECT_EQ(opened, feed == feed_mode::pub_sub ? 1 : 0);
    EXPECT_FALSE(tier->stats().deaf);
    invalidate({"c:k"});
    EXPECT_EQ(published().size(), feed == feed_mode::pub_sub ? 1 : 0);
  }
}

TEST_F(feed_test, changes_are_published_in_the_same_piece) {
  start(feed_mode::pub_sub);
  sent();
  invalidate({"c:k", "c:l"});
  EXPECT_THAT(sent(), ElementsAre("UNLINK PUBLISH"));
  EXPECT_THAT(published(), ElementsAre("c:k", "c:l"));
  const auto leased = read();
  EXPECT_THAT(published(), IsEmpty());
  EXPECT_TRUE(fill(leased->nonce)->accepted);
  EXPECT_THAT(published(), ElementsAre("k"));
  auto change = std::make_shared<noted<tier_tag_change>>();
  change->prefix = "c:";
  change->tag = 5;
  tier->change_tag(change);
  EXPECT_THAT(published(), ElementsAre("seawall:tag:c:0000000000000005"));
  tier->release("k", {.high = 1, .low = 1}, false);
  EXPECT_THAT(published(), ElementsAre("k"));
}

TEST_F(feed_test, a_message_that_cannot_be_sent_is_no_failure) {
  start(feed_mode::pub_sub);
  server.answer = [this](const words& command) {
    return command.front() == "PUBLISH" ? std::string{"-NOPERM no\r\n"} : reply(command);
  };
  invalidate({"c:k"});
  EXPECT_EQ(tier->stats().undelivered, 0);
}

TEST_F(feed_test, caches_hear_of_what_others_publish) {
  start(feed_mode::pub_sub);
  message(encode_news(sender, std::vector<std::string_view>{"c:a", "d:b", "c:c"}));
  EXPECT_THAT(cache->told, ElementsAre("a", "c"));
  cache->told.clear();
  invalidate({"c:own"});
  message(messages.at(0));
  message("no message");
  EXPECT_THAT(cache->told, IsEmpty()) << "its own, and what is none";
  gap();
  EXPECT_THAT(cache->told, ElementsAre("everything"));
}

TEST_F(feed_test, messages_that_come_late_are_nobodys) {
  start(feed_mode::pub_sub);
  const auto late = message;
  tier.reset();
  late(encode_news(sender, std::vector<std::string_view>{"c:a"}));
  EXPECT_THAT(cache->told, IsEmpty());
}

TEST_F(feed_test, prefixes_of_a_broadcast_do_not_overlap) {
  start(feed_mode::broadcast);
  tier->attach("c:d:", cache);
  tier->attach("a:", cache);
  EXPECT_THAT(tier->feed()->prefixes(), ElementsAre("a:", "c:", "seawall:canary:", "seawall:reign", "seawall:tag:a:",
                                                    "seawall:tag:c:"));
}

TEST_F(feed_test, the_channel_is_checked) {
  for (const std::string& channel : {std::string{}, std::string(1001, 'c')}) {
    const auto made = remote_tier::over(server, {.channel = channel});
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message(), testing::HasSubstr("channel"));
  }
}

}  // namespace
}  // namespace seawall::tier
