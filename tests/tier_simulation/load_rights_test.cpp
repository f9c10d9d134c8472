// The check of who may load, by hand: it must notice a theft, and nothing else.
#include "load_rights.hpp"

#include "entry_format.hpp"
#include "record_keys.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace simulation {
namespace {

constexpr int first_life = 1;
constexpr int second_life = load_rights::next_life(first_life);

constexpr std::int64_t lasts_ms = 100;

struct load_rights_test : ::testing::Test {
  /// Of a plain key: a nonce and a reign.
  bool takes(int life, char nonce, const std::string& reign = "a reign.") {
    const std::string right = std::string(seawall::tier::nonce_size, nonce) + reign;
    there.insert_or_assign(seawall::tier::lease_key_of(key_names[0]),
                           sim_node::item{.bytes = right, .ends_ms = now_ms + lasts_ms});
    return !rights.look(there, now_ms, {.by = life, .gives_up = true});
  }

  load_rights rights{true};
  sim_node::data there;
  std::int64_t now_ms = 0;
};

TEST_F(load_rights_test, a_right_that_another_takes_is_noticed) {
  EXPECT_TRUE(takes(first_life, 'a'));
  EXPECT_FALSE(takes(2, 'b'));
}

TEST_F(load_rights_test, a_life_claims_again_what_it_has_not_used_even_after_its_end) {
  rights.begins(first_life);
  EXPECT_TRUE(takes(first_life, 'a'));
  EXPECT_TRUE(takes(first_life, 'b'));
  rights.begins(second_life);
  EXPECT_TRUE(takes(first_life, 'c')) << "what it sent is executed late";
  EXPECT_FALSE(rights.use(second_life, 0)) << "it is not this one's";
  EXPECT_FALSE(takes(second_life, 'd'));
}

TEST_F(load_rights_test, a_right_is_used_once) {
  rights.begins(first_life);
  EXPECT_TRUE(takes(first_life, 'a'));
  EXPECT_TRUE(rights.use(first_life, 0));
  EXPECT_FALSE(rights.use(first_life, 0));
  EXPECT_FALSE(takes(first_life, 'b')) << "its load has begun";
}

TEST_F(load_rights_test, a_right_that_ended_unused_counts_though_its_process_has_another_now) {
  rights.begins(first_life);
  EXPECT_TRUE(takes(first_life, 'a'));
  now_ms = lasts_ms;
  EXPECT_TRUE(takes(first_life, 'b'));
  EXPECT_TRUE(rights.use(first_life, 0)) << "by the one that it does not know to have ended";
  EXPECT_TRUE(rights.use(first_life, 0));
  EXPECT_FALSE(rights.use(first_life, 0));
}

TEST_F(load_rights_test, a_right_of_an_earlier_reign_is_lost_though_its_process_takes_over) {
  rights.begins(first_life);
  EXPECT_TRUE(takes(first_life, 'a'));
  EXPECT_TRUE(takes(first_life, 'b', "another."));
  EXPECT_TRUE(rights.use(first_life, 0)) << "by the one that it does not know to be lost";
  EXPECT_TRUE(rights.use(first_life, 0));
  EXPECT_FALSE(rights.use(first_life, 0));
}

}  // namespace
}  // namespace simulation
