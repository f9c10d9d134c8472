// A row of a table of protocols: which one it is, and what it breaks.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>

#include "explorer.hpp"

namespace seawall::models {

template <typename Model>
struct variant {
  std::string_view name;   ///< Of the test.
  std::string_view words;  ///< What the protocol does, and what befalls it.
  Model model;
  promises breaks{};  ///< All of what it breaks, and nothing else.
};

template <typename Model>
std::ostream& operator<<(std::ostream& out, const variant<Model>& one) {
  return out << one.words;
}

/// Goes through all states. A protocol that is broken must be found out, so that a model that sees nothing fails.
template <typename Model>
void check(const variant<Model>& one) {
  const outcome found = explore(one.model);
  ::testing::Test::RecordProperty("states", std::to_string(found.states));
  EXPECT_TRUE(found.complete) << one.words << '\n' << found.states << " states and more";
  EXPECT_EQ(found.broken, one.breaks) << one.words << '\n' << to_string(found);
}

/// The name of a test from its row.
inline constexpr auto name_of = [](const auto& info) { return std::string(info.param.name); };

}  // namespace seawall::models
