// A call of get_or_load that a test drives step by step.
#pragma once

#include "seawall/cache.hpp"
#include "seawall/cache/load_op.hpp"

#include <memory>
#include <string>

namespace seawall {

using test_core = core<int, std::string, hash<int>, std::equal_to<>>;

struct counting_waiter final : waiter {
  int wakes = 0;
  void wake() noexcept override { ++wakes; }
};

struct test_caller {
  std::shared_ptr<counting_waiter> self = std::make_shared<counting_waiter>();
  std::unique_ptr<load_op<test_core>> machine;
  step at;

  load_op<test_core>* operator->() const { return machine.get(); }
};

/// The outcome. Requires: done.
inline std::string text_of(test_caller& one) {
  const auto answer = one->take();
  if (!answer) return "error: " + answer.error().code().message();
  return *answer ? **answer : "absent";
}

}  // namespace seawall
