// Two processes (each a core of its own, with the same name) that share a tier, driven step by step.
#pragma once

#include "seawall/cache.hpp"
#include "seawall/testing.hpp"
#include "test_caller.hpp"
#include "test_tier.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace seawall::shared_test {

using namespace std::chrono_literals;
using op = load_op<test_core>;

class Shared : public ::testing::Test {
 protected:
  using caller = test_caller;

  void SetUp() override { configure({}); }

  void configure(cache_options<int, std::string> options) {
    options.name = "users";
    options.clock = clock;
    options.seed = 7;
    options.jitter = 0;
    options.shared = std::shared_ptr<shared_tier>(tier);
    for (auto* process : {&here, &there}) {
      *process = std::make_shared<test_core>(options, hash<int>{}, std::equal_to<>{}, clock, executor);
      (*process)->attach();
    }
  }

  caller ask(const std::shared_ptr<test_core>& process, int key, op::settings how = {}) {
    caller one;
    how.policy = process->policy();
    one.machine = std::make_unique<op>(process, key, process->hash_of(key), one.self, how);
    one.at = one->start();
    settle(one);
    return one;
  }

  // Goes on as far as the tier's answers that are there carry it.
  static void settle(caller& one) {
    while (one.at == step::ask && one.self->wakes > 0) {
      one.self->wakes = 0;
      one.at = one->woken();
    }
  }
  static void wake(caller& one) {
    one.at = one->woken();
    settle(one);
  }
  static void load(caller& one, loaded<std::string> value) {
    ASSERT_EQ(one.at, step::run_loader);
    one.at = one->loaded(std::move(value));
    settle(one);
  }

  static std::string text(caller& one) {
    return one.at == step::done ? text_of(one) : "not done";
  }

  std::string held_by(const std::shared_ptr<test_core>& process, int key) {
    const auto found = process->look(key, process->hash_of(key));
    if (found.is == standing::missing) return "nothing";
    return found.value ? *found.value : "absent";
  }

  // Loads a value through one process, which puts it in the tier.
  void store(const std::shared_ptr<test_core>& process, int key, loaded<std::string> value) {
    caller one = ask(process, key);
    load(one, std::move(value));
  }

  std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
  std::shared_ptr<manual_executor> executor = std::make_shared<manual_executor>();
  std::shared_ptr<test_tier> tier = std::make_shared<test_tier>(clock);
  std::shared_ptr<test_core> here;
  std::shared_ptr<test_core> there;
};

}  // namespace seawall::shared_test
