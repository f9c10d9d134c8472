// The machine of get_or_load, driven step by step: no threads, no waiting.
#include "seawall/cache/load_op.hpp"

#include "seawall/cache.hpp"
#include "seawall/testing.hpp"
#include "test_caller.hpp"

#include <gtest/gtest.h>

namespace seawall {
namespace {

using namespace std::chrono_literals;
using op = load_op<test_core>;

class LoadOp : public ::testing::Test {
 protected:
  using caller = test_caller;

  void SetUp() override { configure({}); }

  void configure(cache_options<int, std::string> options) {
    options.clock = clock;
    options.seed = 7;
    options.jitter = 0;
    cache = std::make_shared<test_core>(std::move(options), hash<int>{}, std::equal_to<>{}, clock, executor);
  }

  caller ask(int key, duration deadline = forever, const bound_loader<int, std::string>* bound = nullptr) {
    caller one;
    one.machine = std::make_unique<op>(cache, key, cache->hash_of(key), one.self,
                                       op::settings{.loader = bound, .policy = cache->policy(), .deadline = deadline});
    one.at = one->start();
    return one;
  }

  static std::string text(caller& one) { return text_of(one); }

  static std::string text_of_error(caller one) {
    return one.at == step::done ? one->take().error().code().message() : "none";
  }

  void invalidate(int key) { cache->invalidate(key, cache->hash_of(key)); }
  std::string stored(int key) {
    const auto found = cache->look(key, cache->hash_of(key));
    if (found.is == standing::missing) return "missing";
    return found.value ? *found.value : "absent";
  }
  std::uint64_t count(cache_counter counter) { return cache->stats().total.*counter_table[std::size_t(counter)].field; }

  std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
  std::shared_ptr<manual_executor> executor = std::make_shared<manual_executor>();
  std::shared_ptr<test_core> cache;
};

TEST_F(LoadOp, FirstCallerLeadsTheOthersWaitAndAllGetItsValue) {
  auto leader = ask(1);
  auto waits = ask(1);
  EXPECT_EQ(leader.at, step::run_loader);
  EXPECT_EQ(waits.at, step::wait);
  EXPECT_EQ(leader->loaded(loaded<std::string>("a")), step::done);
  EXPECT_EQ(waits.self->wakes, 1);
  EXPECT_EQ(waits->woken(), step::done);
  EXPECT_EQ(text(leader), "a");
  EXPECT_EQ(text(waits), "a");
  EXPECT_EQ(stored(1), "a");
  EXPECT_EQ(count(cache_counter::coalesced), 1u);
  EXPECT_EQ(count(cache_counter::misses), 2u);
}

TEST_F(LoadOp, WhatWasFilledBetweenTheLookAndTheLockIsNotLoadedAgain) {
  ask(1)->loaded(loaded<std::string>("a"));
  op late{cache, 1, cache->hash_of(1), std::make_shared<counting_waiter>(), {.policy = cache->policy()}};
  EXPECT_EQ(late.start(lookup<std::string>{}), step::done) << "it looked before the other's load had ended";
  EXPECT_EQ(**late.take(), "a");
}

TEST_F(LoadOp, SpuriousWakeWaitsOn) {
  auto leader = ask(1);
  auto waits = ask(1);
  EXPECT_EQ(waits->woken(), step::wait);
  leader->loaded(loaded<std::string>("a"));
  EXPECT_EQ(waits->woken(), step::done);
}

TEST_F(LoadOp, FailureAnswersEveryWaiterAtOnceAndBacksOff) {
  configure({.backoff = {.initial = 10ms, .max = 40ms}});
  auto leader = ask(1);
  auto waits = ask(1);
  leader->loaded(loaded<std::string>(error{errc::loader_failed, "no"}));
  EXPECT_EQ(waits->woken(), step::done);
  EXPECT_EQ(text(waits), "error: the loader failed");
  auto soon = ask(1);
  EXPECT_EQ(soon.at, step::done) << "within the back-off nobody loads again";
  EXPECT_EQ(text(soon), "error: the loader failed");
  clock->advance(10ms);
  auto later = ask(1);
  EXPECT_EQ(later.at, step::run_loader);
  later->loaded(loaded<std::string>(error{errc::loader_failed, "no"}));
  clock->advance(10ms);
  EXPECT_EQ(ask(1).at, step::done) << "the back-off doubles";
  clock->advance(10ms);
  EXPECT_EQ(ask(1).at, step::run_loader);
  EXPECT_EQ(count(cache_counter::backoff_rejections), 2u);
}

TEST_F(LoadOp, SuccessInvalidationAndPutEndTheBackOff) {
  const auto fail_once = [&] { ask(1)->loaded(loaded<std::string>(error{errc::loader_failed})); };
  fail_once();
  invalidate(1);
  EXPECT_EQ(ask(1).at, step::run_loader);
  fail_once();
  cache->put(1, cache->hash_of(1), std::make_shared<const std::string>("p"), cache->policy());
  EXPECT_EQ(stored(1), "p");
  EXPECT_EQ(cache->stats().failing_keys, 0u);
}

TEST_F(LoadOp, AfterASuccessTheBackOffStartsFromItsBeginning) {
  configure({.backoff = {.initial = 10ms, .max = 1s}});
  const auto fail_once = [&] { ask(1)->loaded(loaded<std::string>(error{errc::loader_failed})); };
  fail_once();
  clock->advance(10ms);
  ask(1)->loaded(loaded<std::string>("good").with({.no_store = true}));
  fail_once();
  clock->advance(10ms);
  EXPECT_EQ(ask(1).at, step::run_loader);
}

TEST_F(LoadOp, InvalidationDuringTheLoadKeepsItsValueOut) {
  auto leader = ask(1);
  invalidate(1);
  EXPECT_EQ(leader->loaded(loaded<std::string>("old")), step::run_loader) << "asked before, so it loads again";
  EXPECT_EQ(stored(1), "missing");
  EXPECT_EQ(leader->loaded(loaded<std::string>("new")), step::done);
  EXPECT_EQ(text(leader), "new");
  EXPECT_EQ(stored(1), "new");
  EXPECT_EQ(count(cache_counter::superseded), 1u);
}

TEST_F(LoadOp, CallersAfterTheInvalidationStartAFreshLoadAtOnce) {
  auto before = ask(1);
  invalidate(1);
  auto after_it = ask(1);
  EXPECT_EQ(after_it.at, step::run_loader);
  after_it->loaded(loaded<std::string>("new"));
  EXPECT_EQ(before->loaded(loaded<std::string>("old")), step::done) << "the first caller takes the newer value";
  EXPECT_EQ(text(before), "new");
  EXPECT_EQ(stored(1), "new");
}

TEST_F(LoadOp, InvalidationSendsWaitersToTheNextLoad) {
  auto before = ask(1);
  auto waits = ask(1);
  invalidate(1);
  EXPECT_EQ(waits.self->wakes, 1);
  EXPECT_EQ(waits->woken(), step::run_loader);
  waits->loaded(loaded<std::string>("new"));
  EXPECT_EQ(text(waits), "new");
}

TEST_F(LoadOp, AWaiterThatWakesLateDoesNotTakeTheOldAnswer) {
  auto leader = ask(1);
  auto waits = ask(1);
  invalidate(1);
  EXPECT_EQ(leader->loaded(loaded<std::string>("old")), step::run_loader);
  EXPECT_EQ(waits->woken(), step::wait) << "it has joined the leader's second load";
  leader->loaded(loaded<std::string>("new"));
  EXPECT_EQ(waits->woken(), step::done);
  EXPECT_EQ(text(waits), "new");
}

TEST_F(LoadOp, AKeyThatIsInvalidatedAgainAndAgainStillAnswers) {
  auto reader = ask(1);
  for (int i = 0; i != 3; ++i) {
    invalidate(1);
    ASSERT_EQ(reader->loaded(loaded<std::string>("v")), step::run_loader);
  }
  invalidate(1);
  EXPECT_EQ(reader->loaded(loaded<std::string>("last")), step::done);
  EXPECT_EQ(text(reader), "last");
  EXPECT_EQ(stored(1), "missing");
  EXPECT_EQ(count(cache_counter::unlinearized_reads), 1u);
}

TEST_F(LoadOp, CallerLeavesAtItsDeadlineTheLoadGoesOn) {
  auto leader = ask(1);
  auto waits = ask(1, 10ms);
  clock->advance(10ms);
  EXPECT_EQ(waits.self->wakes, 1);
  EXPECT_EQ(waits->woken(), step::done);
  EXPECT_EQ(text(waits), "error: the caller's deadline passed");
  leader->loaded(loaded<std::string>("a"));
  EXPECT_EQ(stored(1), "a");
}

TEST_F(LoadOp, LeaderPastItsDeadlineHandsTheKeyOver) {
  auto leader = ask(1, 10ms);
  auto waits = ask(1);
  EXPECT_FALSE(leader->context().stop_token().stop_requested());
  clock->advance(10ms);
  EXPECT_TRUE(leader->context().stop_token().stop_requested());
  EXPECT_EQ(waits->woken(), step::run_loader) << "a waiter with time left takes over";
  EXPECT_EQ(leader->loaded(loaded<std::string>(error{errc::loader_failed, "stopped"})), step::done);
  EXPECT_EQ(text(leader), "error: the caller's deadline passed");
  waits->loaded(loaded<std::string>("b"));
  EXPECT_EQ(stored(1), "b");
}

TEST_F(LoadOp, LoadDeadlineFailsTheWaitersFreesTheKeyAndDropsTheLateValue) {
  configure({.load_deadline = 50ms, .backoff = {.initial = 0ms}});
  auto hung = ask(1);
  auto waits = ask(1);
  clock->advance(50ms);
  EXPECT_TRUE(hung->context().stop_token().stop_requested());
  EXPECT_EQ(waits->woken(), step::done);
  EXPECT_EQ(text(waits), "error: the load ran longer than its deadline");
  auto next = ask(1);
  EXPECT_EQ(next.at, step::run_loader);
  next->loaded(loaded<std::string>("new"));
  hung->loaded(loaded<std::string>("late"));
  EXPECT_EQ(text(hung), "late") << "its own caller may have it";
  EXPECT_EQ(stored(1), "new") << "nobody else";
}

TEST_F(LoadOp, ALeaderThatIsDestroyedIsReplaced) {
  auto leader = std::make_unique<caller>(ask(1));
  auto waits = ask(1);
  leader.reset();
  EXPECT_EQ(waits.self->wakes, 1);
  EXPECT_EQ(waits->woken(), step::run_loader);
  EXPECT_EQ(count(cache_counter::abandoned), 1u);
}

TEST_F(LoadOp, BulkheadRefusesAtTheLimitAndServesStaleWhereItMay) {
  configure({.ttl = 10ms, .stale_if_error = 1h, .max_concurrent_loads = 1});
  ask(2)->loaded(loaded<std::string>("old"));
  clock->advance(10ms);
  auto running = ask(1);
  auto refused = ask(3);
  EXPECT_EQ(text(refused), "error: too many loads are running");
  auto stale = ask(2);
  EXPECT_EQ(stale.at, step::done);
  EXPECT_EQ(text(stale), "old");
  running->loaded(loaded<std::string>("x"));
  EXPECT_EQ(ask(3).at, step::run_loader) << "a load that ended gives its place back";
}

TEST_F(LoadOp, ABatchHoldsAPermitOnlyWhileItLoads) {
  configure({.max_concurrent_loads = 2});
  auto other = ask(1);
  std::vector<bulk_request<test_core>> wanted;
  for (const int key : {1, 3}) wanted.push_back({key, cache->hash_of(key), {}});
  bulk_op<test_core> batch{cache, std::move(wanted), std::make_shared<counting_waiter>(), {.policy = cache->policy()}};
  ASSERT_EQ(batch.start(), step::run_loader);
  EXPECT_EQ(text_of_error(ask(2)), "too many loads are running");
  std::vector<loaded<std::string>> given;
  given.emplace_back("c");
  EXPECT_EQ(batch.loaded(std::move(given)), step::wait) << "for the other caller's load";
  EXPECT_EQ(ask(2).at, step::run_loader);
}

TEST_F(LoadOp, OneCallerRefreshesAStaleValueTheOthersAreServed) {
  configure({.ttl = 10ms, .stale_for = 1h});
  ask(1)->loaded(loaded<std::string>("old"));
  clock->advance(10ms);
  auto refreshes = ask(1);
  auto served = ask(1);
  EXPECT_EQ(refreshes.at, step::run_loader);
  EXPECT_EQ(*refreshes->context().previous(), "old");
  EXPECT_EQ(text(served), "old");
  refreshes->loaded(loaded<std::string>(error{errc::loader_failed}));
  EXPECT_EQ(text(refreshes), "old") << "a failed refresh is not this caller's failure";
  EXPECT_EQ(count(cache_counter::refreshes), 1u);
}

TEST_F(LoadOp, BoundLoaderRefreshesInTheBackground) {
  configure({.ttl = 10ms, .stale_for = 1h});
  const bound_loader<int, std::string> bound = [](int) { return std::string("new"); };
  ask(1)->loaded(loaded<std::string>("old"));
  clock->advance(10ms);
  for (int i = 0; i != 3; ++i) {
    auto served = ask(1, forever, &bound);
    EXPECT_EQ(served.at, step::done);
    EXPECT_EQ(text(served), "old");
  }
  EXPECT_EQ(executor->run_all(), 1u) << "one refresh for all of them";
  EXPECT_EQ(stored(1), "new");
}

TEST_F(LoadOp, BoundLoaderLetsItsCallerLeave) {
  const bound_loader<int, std::string> bound = [](int) { return std::string("v"); };
  auto waits = ask(1, 10ms, &bound);
  EXPECT_EQ(waits.at, step::wait);
  clock->advance(10ms);
  EXPECT_EQ(waits->woken(), step::done);
  EXPECT_EQ(text(waits), "error: the caller's deadline passed");
  executor->run_all();
  EXPECT_EQ(stored(1), "v") << "the load was not in vain";
}

TEST_F(LoadOp, NotModifiedKeepsTheOldValueAndStartsItsTtlAnew) {
  configure({.ttl = 10ms, .stale_for = 1h});
  ask(1)->loaded(loaded<std::string>("same"));
  clock->advance(10ms);
  auto refreshes = ask(1);
  EXPECT_EQ(refreshes->loaded(loaded<std::string>(not_modified)), step::done);
  EXPECT_EQ(cache->look(1, cache->hash_of(1)).is, standing::fresh);
  EXPECT_EQ(stored(1), "same");
  auto nothing_before = ask(2);
  nothing_before->loaded(loaded<std::string>(not_modified));
  EXPECT_EQ(text(nothing_before), "error: the loader failed");
}

TEST_F(LoadOp, NotFoundIsCachedAndReplacesTheValue) {
  configure({.ttl = 10ms, .negative_ttl = 5ms, .stale_for = 1h});
  ask(1)->loaded(loaded<std::string>("row"));
  clock->advance(10ms);
  ask(1)->loaded(loaded<std::string>(not_found));
  EXPECT_EQ(stored(1), "absent");
  auto reader = ask(1);
  EXPECT_EQ(reader.at, step::done);
  EXPECT_EQ(text(reader), "absent");
  EXPECT_EQ(count(cache_counter::negative_hits), 1u);
}

TEST_F(LoadOp, TheLoaderDecidesForItsEntry) {
  auto first = ask(1);
  first->context().entry.ttl = 1ms;
  first->loaded(loaded<std::string>("short"));
  clock->advance(1ms);
  EXPECT_EQ(stored(1), "missing");
  auto second = ask(1);
  second->loaded(loaded<std::string>("secret").with({.no_store = true}));
  EXPECT_EQ(text(second), "secret");
  EXPECT_EQ(stored(1), "missing");
}

TEST_F(LoadOp, ADeadlineOfZeroAnswersFromTheCacheOnly) {
  auto miss = ask(1, 0ms);
  EXPECT_EQ(miss.at, step::done);
  EXPECT_EQ(text(miss), "error: the caller's deadline passed");
  ask(1)->loaded(loaded<std::string>("a"));
  auto hit = ask(1, 0ms);
  EXPECT_EQ(text(hit), "a");
}

TEST_F(LoadOp, ALoaderThatAsksForItsOwnKeyIsToldAtOnce) {
  auto leader = ask(1);
  const detail::load_mark marked = leader->mark(nullptr);
  const detail::running_load_scope scope{marked.load().get()};
  auto inner = ask(1);
  EXPECT_EQ(inner.at, step::done);
  EXPECT_EQ(text(inner), "error: a loader asked the cache for the key it is loading");
  EXPECT_EQ(ask(2).at, step::run_loader) << "another key is fine";
}

TEST_F(LoadOp, ClearCutsOffEveryLoad) {
  auto one = ask(1);
  auto two = ask(2);
  cache->clear();
  one->loaded(loaded<std::string>("a"));
  EXPECT_EQ(stored(1), "missing");
  EXPECT_EQ(ask(2).at, step::run_loader);
  two->cancel();
}

TEST_F(LoadOp, AnExecutorThatDropsTheLoadFailsItInsteadOfHanging) {
  const bound_loader<int, std::string> bound = [](int) { return std::string("v"); };
  auto waits = ask(1, forever, &bound);
  executor = nullptr;  // the core holds it weakly; its tasks are destroyed with it
  EXPECT_EQ(waits.self->wakes, 1);
  EXPECT_EQ(waits->woken(), step::done);
  EXPECT_EQ(text(waits), "error: the operation was cancelled");
}

}  // namespace
}  // namespace seawall
