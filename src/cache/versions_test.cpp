// Versions of rows: reads that demand one, and writers that name theirs. Over a shared tier and without.
#include "test_shared.hpp"

#include <vector>

namespace seawall::shared_test {
namespace {

loaded<std::string> versioned(std::string value, std::uint64_t version) {
  return loaded<std::string>(std::move(value)).with({.version = version});
}

struct Versions : Shared {
  caller ask_at_least(const std::shared_ptr<test_core>& process, std::uint64_t version) {
    return ask(process, 1, {.at_least = version});
  }
};

enum class way { waits, goes_on };

struct Puts : Versions, ::testing::WithParamInterface<way> {
  // As the source has it, and the tier does not.
  void put(const std::shared_ptr<test_core>& process, const char* text, std::uint64_t version, tag_list tags = {}) {
    const auto value = text ? std::make_shared<const std::string>(text) : nullptr;
    const std::size_t hash = process->hash_of(1);
    if (GetParam() == way::waits) return process->put(1, hash, value, process->policy(), tags, version);
    bool ended = false;
    put_call<test_core>::begin(process, 1, hash, value, process->policy(), tags, version, [&] { ended = true; });
    EXPECT_TRUE(ended);
  }
};

// ---- at_least ----

TEST_F(Versions, AnEntryOfTheProcessCountsIfItIsNotOlder) {
  store(here, 1, versioned("five", 5));
  caller same = ask_at_least(here, 5);
  EXPECT_EQ(text(same), "five");
  caller newer = ask_at_least(here, 6);
  load(newer, versioned("six", 6));
  EXPECT_EQ(text(newer), "six");
  EXPECT_EQ(held_by(here, 1), "six");
}

TEST_F(Versions, TheTierIsAskedBeforeTheSource) {
  store(here, 1, versioned("five", 5));
  caller other = ask(there, 1);
  tier->tells = false;  // the process there does not hear of it
  tier->drop("users:1");
  caller first = ask_at_least(here, 6);
  load(first, versioned("six", 6));
  ASSERT_EQ(held_by(there, 1), "five");
  caller newer = ask_at_least(there, 6);
  EXPECT_EQ(text(newer), "six");
  EXPECT_EQ(there->stats().total.loads, 0U);
  EXPECT_EQ(held_by(there, 1), "six");
}

TEST_F(Versions, AnEntryOfTheTierThatIsOlderIsLoadedAnewUnderALease) {
  store(here, 1, versioned("five", 5));
  caller newer = ask_at_least(there, 6);
  ASSERT_EQ(newer.at, step::run_loader);
  EXPECT_TRUE(tier->holds_lease("users:1"));
  load(newer, versioned("six", 6));
  EXPECT_EQ(text(newer), "six");
  EXPECT_EQ(tier->entry("users:1").version, 6U);
}

TEST_F(Versions, AnEntryWithoutAVersionIsPassedOver) {
  store(here, 1, "unknown");
  caller one = ask_at_least(here, 1);
  load(one, "unknown still");  // but it was loaded after this call began
  EXPECT_EQ(text(one), "unknown still");
}

TEST_F(Versions, ALoadOfSomebodyElsesCountsIfItsValueIsNotOlder) {
  caller first = ask(here, 1);
  caller same = ask_at_least(here, 5);
  caller newer = ask_at_least(here, 6);
  ASSERT_EQ(newer.at, step::wait);
  load(first, versioned("five", 5));
  wake(same);
  EXPECT_EQ(text(same), "five");
  wake(newer);
  load(newer, versioned("six", 6));
  EXPECT_EQ(text(newer), "six");
}

TEST_F(Versions, ALoadOfSomebodyElsesWithoutAVersionDoesNotCount) {
  caller first = ask(here, 1);
  caller one = ask_at_least(here, 1);
  load(first, "unknown");
  wake(one);
  load(one, versioned("one", 1));
  EXPECT_EQ(text(one), "one");
}

TEST_F(Versions, LoadsOfOthersThatAreTooOldDoNotFailTheCallHoweverManyTheyAre) {
  caller other = ask(here, 1);
  caller newer = ask_at_least(here, 6);
  for (int i = 0; i != 10; ++i) {
    ASSERT_EQ(newer.at, step::wait);
    load(other, versioned("five", 5));
    here->invalidate(1, here->hash_of(1));
    other = ask(here, 1);  // begins the next before the first one has looked
    wake(newer);
  }
  load(other, versioned("six", 6));
  wake(newer);
  EXPECT_EQ(text(newer), "six");
}

TEST_F(Versions, ALoaderThatIsBehindFailsTheCallAndIsNotStored) {
  store(here, 1, versioned("five", 5));
  caller one = ask_at_least(here, 7);
  caller other = ask(here, 1);
  EXPECT_EQ(one->context().at_least(), 7U);
  load(one, versioned("six", 6));
  ASSERT_EQ(one.at, step::done);
  const auto answer = one->take();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), errc::too_old);
  EXPECT_NE(answer.error().message().find("version 6, and 7"), std::string::npos);
  EXPECT_EQ(held_by(here, 1), "nothing");
  EXPECT_FALSE(tier->holds_entry("users:1"));
  wake(other);
  EXPECT_EQ(text(other), "six");  // it did not ask for more
  caller again = ask_at_least(here, 7);  // no back-off: the source has not failed
  EXPECT_EQ(again.at, step::run_loader);
}

TEST_F(Versions, SoDoesALoaderOnTheExecutor) {
  const bound_loader<int, std::string> loader{[](int) { return versioned("six", 6); }};
  caller one = ask(here, 1, {.loader = &loader, .at_least = 7});
  executor->run_all();
  wake(one);
  ASSERT_EQ(one.at, step::done);
  EXPECT_EQ(one->take().error(), errc::too_old);
}

TEST_F(Versions, NothingStaleIsServedThatIsOlder) {
  configure({.ttl = 10s, .stale_for = 60s, .stale_if_error = 60s});
  store(here, 1, versioned("five", 5));
  clock->advance(11s);
  for (const auto& process : {here, there}) {
    caller one = ask_at_least(process, 6);
    load(one, error{errc::loader_failed});
    EXPECT_EQ(text(one), "error: " + error{errc::loader_failed}.code().message());
  }
}

struct PassedOver : Versions {
  // The process there has "five", and the tier "six", which is stale.
  void SetUp() override {
    Versions::SetUp();
    configure({.ttl = 60s, .stale_for = 60s});
    store(here, 1, versioned("five", 5));
    caller other = ask(there, 1);
    tier->tells = false;  // the process there does not hear of it
    tier->drop("users:1");
    caller first = ask_at_least(here, 6);
    load(first, loaded<std::string>("six").with({.ttl = 1s, .version = 6}));
    clock->advance(2s);
    ASSERT_EQ(held_by(there, 1), "five");
  }
};

TEST_F(PassedOver, IsNotServedAfterTheNewerThatAnotherProcessRefreshes) {
  caller refreshes = ask(here, 1);
  ASSERT_EQ(refreshes.at, step::run_loader);
  caller newer = ask_at_least(there, 6);
  ASSERT_EQ(text(newer), "six");
  EXPECT_EQ(held_by(there, 1), "nothing");
}

TEST_F(PassedOver, IsNotServedAfterTheNewerThatThisProcessRefreshes) {
  caller refreshes = ask_at_least(there, 6);
  ASSERT_EQ(refreshes.at, step::run_loader);
  caller newer = ask_at_least(there, 6);
  ASSERT_EQ(text(newer), "six");
  EXPECT_EQ(held_by(there, 1), "nothing");
}

TEST_F(Versions, AConfirmedValueKeepsItsVersion) {
  configure({.ttl = 10s, .stale_for = 60s});
  store(here, 1, versioned("five", 5));
  clock->advance(11s);
  caller refreshes = ask(here, 1);
  load(refreshes, not_modified);
  caller one = ask_at_least(here, 5);
  EXPECT_EQ(text(one), "five");
}

TEST_F(Versions, TheContextOfALoaderTakesAVersion) {
  caller one = ask(here, 1);
  one->context().entry.version = 5;
  load(one, "five");
  EXPECT_EQ(tier->entry("users:1").version, 5U);
}

TEST_F(Versions, TheVerbsReadAtLeastToo) {
  cache<int, std::string> users{{.name = "alone", .clock = clock, .executor = executor}};
  int version = 5;
  const auto find = [&](int) { return versioned("v" + std::to_string(version), static_cast<unsigned>(version)); };
  (void)users.get_or_load(1, find);
  version = 6;
  EXPECT_EQ(**users.get_or_load(1, find, {.consistency = consistency::at_least(5)}), "v5");
  EXPECT_EQ(**users.get_or_load(1, find, {.consistency = consistency::at_least(6)}), "v6");
  version = 7;
  const std::vector<int> keys{1};
  const auto many = [&](std::span<const int>) { return std::vector{find(1)}; };
  EXPECT_EQ(**users.get_many(std::span<const int>{keys}, many, {.consistency = consistency::at_least(7)})[0], "v7");
  EXPECT_EQ(users.get_or_load(1, find, {.consistency = consistency::at_least(9)}).error(), errc::too_old);
}

// ---- put over the tier ----

INSTANTIATE_TEST_SUITE_P(Ways, Puts, ::testing::Values(way::waits, way::goes_on));

TEST_P(Puts, AWriterReplacesWhatIsOlderEverywhere) {
  store(here, 1, versioned("five", 5));
  caller other = ask(there, 1);
  put(here, "six", 6);
  EXPECT_EQ(held_by(here, 1), "nothing");  // until it is read from the tier, which proves it
  EXPECT_EQ(held_by(there, 1), "nothing");
  for (const auto& process : {here, there}) {
    caller one = ask(process, 1);
    EXPECT_EQ(text(one), "six");
    EXPECT_EQ(process->look(1, process->hash_of(1)).version, 6U);
  }
}

TEST_P(Puts, AWriterThatIsLateReplacesNothing) {
  store(here, 1, versioned("six", 6));
  put(here, "five", 5);
  put(here, "six again", 6);
  EXPECT_EQ(held_by(here, 1), "six");
  EXPECT_EQ(tier->entry("users:1").payload, "six");
}

TEST_P(Puts, AWriterCreatesNothing) {
  put(here, "six", 6);
  EXPECT_FALSE(tier->holds_entry("users:1"));
  EXPECT_EQ(held_by(here, 1), "nothing");
}

TEST_P(Puts, ALoadElsewhereThatReadWhatIsOlderIsNotStored) {
  for (const std::uint64_t version : {5U, 6U}) {
    caller loads = ask(there, 1);
    put(here, "six", 6);
    load(loads, versioned("v", version));
    EXPECT_EQ(tier->holds_entry("users:1"), version == 6) << version;
    tier->drop("users:1");
  }
}

TEST_P(Puts, ALoadHereThatReadWhatIsOlderIsNotStored) {
  caller loads = ask(here, 1);
  put(here, "six", 6);
  load(loads, versioned("five", 5));
  load(loads, versioned("six", 6));  // it is cut off, and asks again
  EXPECT_EQ(text(loads), "six");
  EXPECT_EQ(held_by(here, 1), "six");
}

TEST_P(Puts, AnEntryWithoutAVersionGoes) {
  store(here, 1, "unknown");
  put(there, "six", 6);
  EXPECT_FALSE(tier->holds_entry("users:1"));
  EXPECT_EQ(held_by(here, 1), "nothing");
}

TEST_P(Puts, AReadBetweenTheTwoHalvesOfAPutIsNotKept) {
  store(here, 1, versioned("five", 5));
  tier->tells = false;  // the server's message is on its way
  here->drop(1, here->hash_of(1));
  caller between = ask(here, 1);
  ASSERT_EQ(held_by(here, 1), "five");
  put(here, "six", 6);
  EXPECT_EQ(held_by(here, 1), "nothing");
}

TEST_P(Puts, TheNewEntryHasTheTagsOfTheOld) {
  caller first = ask(here, 1, {.tags = {"t"}});
  load(first, versioned("five", 5));
  put(here, "six", 6);
  caller reads = ask(there, 1);
  ASSERT_EQ(text(reads), "six");
  here->invalidate_tag(tag_list::hash_of("t"));
  EXPECT_EQ(held_by(there, 1), "nothing");
  caller again = ask(there, 1);
  EXPECT_EQ(again.at, step::run_loader);
}

TEST_P(Puts, ATagThatTheOldEntryDidNotHaveMakesItAMiss) {
  store(here, 1, versioned("five", 5));
  put(here, "six", 6, {"t"});
  caller reads = ask(there, 1);
  EXPECT_EQ(reads.at, step::run_loader);
}

TEST_P(Puts, ClearTakesWhatAWriterPutToo) {
  store(here, 1, versioned("five", 5));
  put(here, "six", 6);
  there->clear();
  caller reads = ask(here, 1);
  EXPECT_EQ(reads.at, step::run_loader);
}

TEST_P(Puts, AWriterWithoutTheTierDropsWhatIsOlder) {
  store(here, 1, versioned("five", 5));
  tier->dead = true;
  put(here, "six", 6);
  EXPECT_EQ(held_by(here, 1), "nothing");
}

TEST_P(Puts, WhatOtherVersionsStoredIsRemoved) {
  configure({.shared_version = "2", .also_invalidates = {"1"}});
  store(here, 1, versioned("five", 5));
  const auto other = std::make_shared<awaited<tier_read>>();
  other->key = "users@1:1";
  tier->read(other);
  put(here, "six", 6);
  EXPECT_FALSE(tier->holds_lease("users@1:1"));
  EXPECT_EQ(tier->entry("users@2:1").payload, "six");
}

TEST_P(Puts, WithoutAVersionIsAnInvalidation) {
  store(here, 1, versioned("five", 5));
  put(here, "right now", 0);
  EXPECT_FALSE(tier->holds_entry("users:1"));
  EXPECT_EQ(held_by(there, 1), "nothing");
}

TEST_P(Puts, AnAbsenceIsAValue) {
  store(here, 1, versioned("five", 5));
  put(here, nullptr, 6);
  caller reads = ask(there, 1);
  EXPECT_EQ(text(reads), "absent");
}

using SteppedPut = Versions;

TEST_F(SteppedPut, WhoDoesNotWaitIsToldAtTheEnd) {
  store(here, 1, versioned("five", 5));
  tier->automatic = tier->tells = false;
  bool ended = false;
  put_call<test_core>::begin(here, 1, here->hash_of(1), std::make_shared<const std::string>("six"), here->policy(), {},
                             6, [&] { ended = true; });
  EXPECT_EQ(held_by(here, 1), "nothing") << "the first half";
  caller between = ask(here, 1);
  tier->run_one();  // the entry that is to be replaced is looked at
  tier->run_one();
  settle(between);
  EXPECT_EQ(text(between), "five");
  EXPECT_EQ(held_by(here, 1), "five");
  EXPECT_FALSE(ended);
  tier->run_one();
  EXPECT_TRUE(ended);
  EXPECT_EQ(held_by(here, 1), "nothing") << "the second half";
  EXPECT_EQ(tier->entry("users:1").payload, "six");
}

// ---- put in one process ----

TEST_F(Versions, InOneProcessTheNewestStays) {
  cache<int, std::string> users{{.name = "alone", .clock = clock, .executor = executor}};
  const auto is = [&] { return *users.get(1); };
  users.put(1, "five", {.version = 5});
  users.put(1, "four", {.version = 4});
  EXPECT_EQ(is(), "five");
  users.put(1, "five again", {.version = 5});
  EXPECT_EQ(is(), "five");
  users.put(1, "six", {.version = 6});
  EXPECT_EQ(is(), "six");
  users.put(1, "right now");
  EXPECT_EQ(is(), "right now");
  users.put(1, "one", {.version = 1});  // the other has none
  EXPECT_EQ(is(), "one");
}

TEST_F(Versions, ARefreshThatReadWhatIsOlderDoesNotReplaceAPut) {
  cache<int, std::string> users{{.name = "alone", .ttl = 10s, .jitter = 0, .stale_for = 60s, .clock = clock,
                                 .executor = executor}};
  users.put(1, "five", {.version = 5});
  clock->advance(11s);
  (void)users.get_or_load(1, [](int) { return versioned("four", 4); });
  EXPECT_EQ(*users.peek(1)->value, "five");
}

}  // namespace
}  // namespace seawall::shared_test
