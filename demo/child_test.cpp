#include "child.hpp"

#include "redis_place.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace seawall::demo {
namespace {

using namespace std::chrono_literals;

constexpr auto long_enough = 30s;

std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

TEST(children, say_how_they_ended) {
  child well(shell("exit 0"), {});
  ASSERT_TRUE(well.wait(long_enough));
  EXPECT_TRUE(well.ended_well());
  child badly(shell("exit 3"), {});
  ASSERT_TRUE(badly.wait(long_enough));
  EXPECT_FALSE(badly.ended_well());
  EXPECT_EQ(badly.how_it_ended(), "ended with status 3");
  child killed(shell("kill -9 $$"), {});
  ASSERT_TRUE(killed.wait(long_enough));
  EXPECT_EQ(killed.how_it_ended(), "was ended by signal 9 (Killed)");
}

TEST(children, end_when_asked_and_with_their_object) {
  child asked(shell("exec sleep 60"), {});
  EXPECT_TRUE(asked.running());
  asked.end(long_enough);
  EXPECT_FALSE(asked.running());
  pid_t pid = 0;
  {
    const child deaf(shell("trap '' TERM; exec sleep 60"), {.own_group = true});
    pid = deaf.pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(redis_place, passwords_are_not_shown) {
  EXPECT_EQ(without_password("redis://127.0.0.1:6379"), "redis://127.0.0.1:6379");
  EXPECT_EQ(without_password("redis://:secret@host:1/2"), "redis://:***@host:1/2");
  EXPECT_EQ(without_password("rediss://ann:se:c@ret@host"), "rediss://ann:***@host");
  EXPECT_EQ(without_password("unix:///tmp/a.sock"), "unix:///tmp/a.sock");
  EXPECT_EQ(without_password("postgres://ann:secret@host/shop?sslmode=prefer"),
            "postgres://ann:***@host/shop?sslmode=prefer");
  EXPECT_EQ(without_password("postgres:///shop?user=ann&password=secret&host=/run"),
            "postgres:///shop?user=ann&password=***&host=/run");
  EXPECT_EQ(without_password("postgres:///shop?password=secret"), "postgres:///shop?password=***");
  EXPECT_EQ(without_password(""), "");
}

TEST(redis_place, a_server_that_is_not_there_is_an_error_that_names_the_option) {
  const auto found = look_at_server("unix:///nowhere/at/all.sock");
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message().find("--redis unix:///nowhere/at/all.sock"), std::string::npos)
      << found.error().message();
}

}  // namespace
}  // namespace seawall::demo
