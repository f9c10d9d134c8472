#include "seawall/cmd/scripting.hpp"

#include "seawall/cmd/run.hpp"
#include "seawall/cmd/strings.hpp"
#include "test_commands.hpp"

namespace seawall::cmd {
namespace {

using lines = std::vector<std::string>;

const script one{"return 1"};
constexpr std::string_view digest_of_one = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";

std::string with_digest(std::string_view before, std::string_view after) {
  return std::string{before} + std::string{digest_of_one} + std::string{after};
}

TEST(Scripting, TheDigestIsSha1) { EXPECT_EQ(one.digest(), digest_of_one); }

TEST(Scripting, WhatTheySend) {
  const std::vector<int> numbers{1, 2};
  EXPECT_EQ(bytes_of(eval(one, "k", 3)), with_digest("EVALSHA ", " 1 k 3"));
  EXPECT_EQ(bytes_of(eval(one, names("a", "b"), "x", numbers)), with_digest("EVALSHA ", " 2 a b x 1 2"));
  EXPECT_EQ(bytes_of(eval(one, names())), with_digest("EVALSHA ", " 0"));
  EXPECT_EQ(bytes_of(eval_ro(one, "k")), with_digest("EVALSHA_RO ", " 1 k"));
  EXPECT_EQ(bytes_of(script_load(one)), "SCRIPT LOAD return 1");
  EXPECT_EQ(bytes_of(script_exists(one.digest())), with_digest("SCRIPT EXISTS ", ""));
  EXPECT_EQ(bytes_of(script_flush()), "SCRIPT FLUSH");
  EXPECT_EQ(bytes_of(fcall("f", "k", 1)), "FCALL f 1 k 1");
  EXPECT_EQ(bytes_of(fcall_ro("f", names())), "FCALL_RO f 0");
  EXPECT_EQ(bytes_of(function_load("code")), "FUNCTION LOAD code");
  EXPECT_EQ(bytes_of(function_load("code", true)), "FUNCTION LOAD REPLACE code");
  EXPECT_EQ(bytes_of(function_delete("lib")), "FUNCTION DELETE lib");
  EXPECT_EQ(bytes_of(function_flush()), "FUNCTION FLUSH");
  EXPECT_EQ(bytes_of(function_dump()), "FUNCTION DUMP");
  EXPECT_EQ(bytes_of(function_restore("x")), "FUNCTION RESTORE x");
  EXPECT_EQ(bytes_of(function_list()), "FUNCTION LIST");
  EXPECT_EQ(bytes_of(function_list("my*", true)), "FUNCTION LIST LIBRARYNAME my* WITHCODE");
}

TEST(Scripting, WhatTheyRead) {
  EXPECT_EQ(reads(eval<std::int64_t>(one, names()), ":1"), 1);
  EXPECT_EQ(reads(eval_ro<std::string>(one, names()), "$1 x"), "x");
  EXPECT_EQ((*reads(eval(one, names()), "*1 :7"))[0].integer(), 7);
  EXPECT_EQ(reads(script_load(one), "$2 ab"), "ab");
  EXPECT_EQ(reads(script_exists("a", "b"), "*2 :1 :0"), (std::vector<bool>{true, false}));
  EXPECT_EQ(reads(script_flush(), "+OK"), ok{});
  EXPECT_EQ(reads(fcall<int>("f", "k"), ":2"), 2);
  EXPECT_EQ(reads(fcall_ro<int>("f", "k"), ":2"), 2);
  EXPECT_EQ(reads(function_load("x"), "$3 lib"), "lib");
  EXPECT_EQ(reads(function_delete("x"), "+OK"), ok{});
  EXPECT_EQ(reads(function_flush(), "+OK"), ok{});
  EXPECT_EQ(reads(function_dump(), "$1 x"), "x");
  EXPECT_EQ(reads(function_restore("x"), "+OK"), ok{});
  const std::vector<function_library> libraries{{"lib", "LUA", {{"f", std::nullopt, {"no-writes"}}}, std::nullopt}};
  EXPECT_EQ(reads(function_list(), "*1 %3 $12 library_name $3 lib $6 engine $3 LUA $9 functions *1 %3 "
                                   "$4 name $1 f $11 description _ $5 flags ~1 +no-writes"),
            libraries);
  EXPECT_EQ(reads(function_list(), "*1 *6 $12 library_name $3 lib $6 engine $3 LUA $9 functions *1 *6 "
                                   "$4 name $1 f $11 description $-1 $5 flags *1 +no-writes"),
            libraries);
  EXPECT_EQ(complains(function_list(), "*1 *2 $12 library_name :3"),
            "FUNCTION: field library_name: expected a string, the server answered an integer");
}

TEST(Scripting, KeysAndEffectsAreKnown) {
  EXPECT_EQ(eval(one, "k").about().first_key, 3);
  EXPECT_EQ(eval(one, names()).about().first_key, 0);
  EXPECT_EQ(eval(one, "k").about().effect, effect::write_once);
  EXPECT_EQ(eval_ro(one, "k").about().effect, effect::read);
}

TEST(Scripting, AnUnknownScriptIsSentWithItsSource) {
  scripted_target redis;
  redis.replies = frame("-NOSCRIPT") + frame(":1");
  EXPECT_EQ(run(redis, eval<int>(one, "k", 5)).value(), 1);
  EXPECT_EQ(redis.sent, (lines{with_digest("EVALSHA ", " 1 k 5"), "EVAL return 1 1 k 5"}));
  redis.sent.clear();
  redis.replies = frame("-NOSCRIPT") + frame(":1");
  EXPECT_EQ(run(redis, eval_ro<int>(one, "k")).value(), 1);
  EXPECT_EQ(redis.sent, (lines{with_digest("EVALSHA_RO ", " 1 k"), "EVAL_RO return 1 1 k"}));
}

TEST(Scripting, TheSourceIsSentOnce) {
  scripted_target redis;
  redis.replies = frame("-NOSCRIPT") + frame("-NOSCRIPT");
  EXPECT_EQ(run(redis, eval<int>(one, "k")).error().code(), errc::no_script);
  EXPECT_EQ(redis.sent.size(), 2U);
}

TEST(Scripting, InAPipelineUnknownScriptsComeAfterTheRest) {
  scripted_target redis;
  redis.replies = frame("-NOSCRIPT") + frame("$1 v") + frame("-NOSCRIPT") + frame(":1") + frame(":2");
  const auto [a, b, c] = run(redis, eval<int>(one, "a"), get("k"), eval<int>(one, "c"));
  EXPECT_EQ(redis.sent, (lines{with_digest("EVALSHA ", " 1 a; GET k; ") + with_digest("EVALSHA ", " 1 c"),
                               "EVAL return 1 1 a; EVAL return 1 1 c"}));
  EXPECT_EQ(a.value(), 1);
  EXPECT_EQ(b.value(), "v");
  EXPECT_EQ(c.value(), 2);
}

TEST(Scripting, ATransactionSendsTheSource) {
  scripted_target redis;
  redis.replies = frame("+OK") + frame("+QUEUED") + frame("*1 :1");
  EXPECT_EQ(std::get<0>(transaction(redis, eval<int>(one, "k")).value()).value(), 1);
  EXPECT_EQ(redis.sent, (lines{"MULTI; EVAL return 1 1 k; EXEC"}));
}

}  // namespace
}  // namespace seawall::cmd
