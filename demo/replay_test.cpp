#include "replay.hpp"

#include "report.hpp"
#include "shop_file.hpp"
#include "sqlite.hpp"
#include "traffic.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <optional>
#include <thread>

namespace seawall::demo {
namespace {

namespace fs = std::filesystem;

class replaying : public testing::Test {
 protected:
  static constexpr std::uint64_t requests = 8'000;

  void SetUp() override {
    directory_ = fs::path(testing::TempDir()) / ("replay_" + std::to_string(::getpid()));
    fs::create_directories(directory_);
    path_ = (directory_ / "shop.db").string();
    const shop_size size = shop_size::scaled(0.001);
    open_shop(path_, size, false, [](std::string_view, double) { return true; });
    for (std::uint64_t i = 0; i < requests; ++i) {
      traffic_.push_back(i % 5 == 0 ? product_request(i % 37, 7, size) : lookup_request(mix(i) % 211, size));
    }
  }
  void TearDown() override { fs::remove_all(directory_); }

  void each_version(const std::function<void(row_version)>& f) const {
    shop_session(shop_place_at(path_, 1)->connect()).each_version(f);
  }
  /// A board for so many processes, and this one's checker.
  void begin(int threads, std::uint32_t processes = 1, std::optional<duration> bound = {}) {
    board_.emplace(board_shape{processes, static_cast<std::uint32_t>(threads), shop_size::scaled(0.001)});
    each_version([this](const row_version& r) { board_->commits().seed(r); });
    check_.emplace(board_->commits(), bound);
  }
  phase_result lead(front& through, double seconds, std::uint64_t count) {
    replayer clients({.database = path_}, traffic_, *check_, *board_);
    return clients.lead({phase_kind::through_seawall, through, seconds, count}, [](const figures&, const figures&) {},
                        [this] { return !stop_; });
  }
  figures replay(front& through, int threads, std::uint64_t count = requests) {
    begin(threads);
    const phase_result result = lead(through, 0, count);
    EXPECT_EQ(result.failure, "");
    return result.measured;
  }

  fs::path directory_;
  std::string path_;
  std::vector<request_key> traffic_;
  std::optional<board> board_;
  std::optional<checker> check_;
  std::atomic<bool> stop_{false};
};

TEST_F(replaying, straight_at_the_database_every_answer_is_fresh) {
  const figures f = replay(*straight_front(), 4);
  EXPECT_EQ(f.requests(), requests);
  EXPECT_EQ(f.hits.count, 0U);
  EXPECT_EQ(f.checked, f.misses.count);
  EXPECT_EQ(f.stale + f.wrong, 0U);
  EXPECT_GT(f.queries, f.checked);
}

TEST_F(replaying, through_seawall_every_answer_is_fresh_and_most_are_hits) {
  const auto through = seawall_front({.threads = 4});
  const figures f = replay(*through, 4);
  EXPECT_EQ(f.requests(), requests);
  EXPECT_EQ(f.stale + f.wrong, 0U) << (check_->complaints().empty() ? "" : check_->complaints()[0]);
  EXPECT_GT(f.hit_rate(), 0.5);
}

TEST_F(replaying, a_forgotten_invalidation_is_found) {
  const auto through = seawall_front({.threads = 1, .break_invalidation = true});
  const figures f = replay(*through, 1);
  EXPECT_GT(f.stale, 0U);
  EXPECT_FALSE(check_->complaints().empty());
}

TEST_F(replaying, the_trace_starts_again_when_it_ends) {
  EXPECT_EQ(replay(*straight_front(), 2, requests + 100).requests(), requests + 100);
}

TEST_F(replaying, stops_when_told) {
  stop_ = true;
  begin(2);
  EXPECT_EQ(lead(*straight_front(), 3600, 0).failure, "");
}

TEST_F(replaying, an_error_of_the_database_ends_the_phase_and_is_reported) {
  begin(2);
  replayer clients({.database = path_}, traffic_, *check_, *board_);
  database(path_, open_mode::existing).execute("DROP TABLE reviews");
  const auto through = seawall_front({.threads = 2});
  const phase_result result = clients.lead({phase_kind::through_seawall, *through, 3600, 0},
                                           [](const figures&, const figures&) {}, [] { return true; });
  EXPECT_NE(result.failure.find(path_), std::string::npos) << result.failure;
  EXPECT_NE(result.failure.find("no such table"), std::string::npos) << result.failure;
}

TEST_F(replaying, processes_share_the_traffic) {
  begin(2, 2, std::chrono::seconds(1));
  const auto through = straight_front();
  std::jthread other([&] {
    checker check(board_->commits(), std::chrono::seconds(1));
    replayer clients({.database = path_, .process = 1, .fresh_percent = 50}, traffic_, check, *board_);
    board_->process(1).ready = true;
    while (board_->phase() == 0) std::this_thread::yield();
    clients.follow(*through);
  });
  while (!board_->process(1).ready) std::this_thread::yield();
  const phase_result result = lead(*through, 0, requests);
  EXPECT_EQ(result.failure, "");
  EXPECT_EQ(result.measured.requests(), requests);
  EXPECT_EQ(result.measured.stale + result.measured.wrong, 0U);
  EXPECT_GT(result.measured.fresh, 0U) << "the other process has answered, and is counted";
}

TEST_F(replaying, nobody_waits_for_a_process_that_is_lost) {
  begin(2, 2, std::chrono::seconds(1));
  board_->process(1).lost = true;
  EXPECT_EQ(lead(*straight_front(), 0, requests).measured.requests(), requests);
}

/// Straight, and its changes are kept from other processes for a while.
class muted final : public front {
 public:
  result<answer_ptr> read(shop_session& session, const request_key& key, consistency how) override {
    return straight_->read(session, key, how);
  }
  void changed(const shop_change&) override {}
  bool delivered() const override { return heard; }

  std::atomic<bool> heard{false};

 private:
  std::unique_ptr<front> straight_ = straight_front();
};

TEST_F(replaying, a_write_counts_for_others_once_they_can_know_of_it) {
  begin(2, 2, std::chrono::seconds(1));
  board_->process(1).lost = true;
  const auto behind = [this] {
    std::size_t rows = 0;
    each_version([&](const row_version& r) {
      rows += board_->commits().newest(r.which).version() < r.version ? 1U : 0U;
    });
    return rows;
  };
  muted through;
  replayer clients({.database = path_}, traffic_, *check_, *board_);
  const auto run = [&] {
    clients.lead({phase_kind::straight, through, 0, 2'000}, [](const figures&, const figures&) {},
                 [] { return true; });
  };
  run();
  EXPECT_GT(behind(), 0U);
  EXPECT_GE(board_->untold(), behind());
  through.heard = true;
  run();
  EXPECT_EQ(behind(), 0U);
  EXPECT_EQ(board_->untold(), 0U);
}

figures measured(std::uint64_t hits, std::uint64_t misses, std::uint64_t queries) {
  client_counters c;
  for (std::uint64_t i = 0; i < hits; ++i) c.hits.record(std::chrono::nanoseconds(200));
  for (std::uint64_t i = 0; i < misses; ++i) c.misses.record(std::chrono::microseconds(20));
  c.queries = queries;
  c.checked = hits + misses;
  figures f;
  f.seconds = 1;
  f.add(c);
  return f;
}

TEST(report, the_ratios_are_those_of_the_figures) {
  const demo_results r{.database = measured(0, 100, 250), .first_pass = {}, .seawall = measured(990, 10, 25)};
  EXPECT_EQ(result_table(r).find("Redis"), std::string::npos);
  EXPECT_DOUBLE_EQ(r.speedup_throughput(), 10);
  EXPECT_NEAR(r.speedup_p50(), 100, 15);
  EXPECT_NEAR(r.queries_saved(), 0.99, 1e-9);
  EXPECT_EQ(r.answers_checked(), 1'100U);
  EXPECT_NE(conclusions(r).find("99.0 %"), std::string::npos) << conclusions(r);
  EXPECT_EQ(conclusions(r).find("BELOW"), std::string::npos) << conclusions(r);
}

TEST(report, what_did_not_run_is_said_and_what_falls_short_too) {
  demo_results r{.database = measured(0, 100, 250), .first_pass = {}, .seawall = {}};
  EXPECT_NE(result_table(r).find("not run"), std::string::npos);
  EXPECT_EQ(r.queries_saved(), 0);
  r.seawall = measured(10, 90, 225);
  EXPECT_NE(conclusions(r).find("BELOW"), std::string::npos);
}

TEST(report, processes_that_share_have_lines_of_their_own) {
  demo_results r{.database = measured(0, 100, 250), .first_pass = {}, .seawall = measured(990, 10, 25)};
  r.processes = 3;
  r.bound = std::chrono::seconds(1);
  r.seawall->answered = {900, 90, 10};
  r.seawall->fresh = 20;
  r.seawall->behind = 4;
  r.seawall->oldest_ns = 1'500'000;
  r.untold = 12;
  r.lost.emplace_back("Process 2 is gone.");
  const std::string table = result_table(r);
  for (const char* share : {"90.0 %", "9.0 %", "1.0 %"}) EXPECT_NE(table.find(share), std::string::npos) << table;
  const std::string text = shared_conclusions(r);
  for (const char* part :
       {"3 processes", "stale: 0", "20 asked", "by 1.0 s: 4 were, the oldest by 1.50 ms", "12 changes", "is gone"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
}

TEST(report, numbers_are_readable) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'000), "1,000");
  EXPECT_EQ(grouped(12'345'678), "12,345,678");
  EXPECT_EQ(readable(std::chrono::nanoseconds(312)), "312 ns");
  EXPECT_EQ(readable(std::chrono::microseconds(21)), "21.0 us");
  EXPECT_EQ(readable(std::chrono::milliseconds(4)), "4.00 ms");
}

TEST(report, json_has_the_promised_members) {
  const demo_results r{.database = measured(0, 100, 250), .first_pass = {}, .seawall = measured(990, 10, 25)};
  demo_options o;
  o.database = "a\"b\\c";
  const std::string json = to_json(r, o);
  for (const char* name : {"speedup_throughput", "speedup_p50", "queries_saved", "hit_rate", "stale_answers",
                           "answers_checked", "fresh_answers", "behind_answers", "oldest_answer_ns", "processes",
                           "bound_ns", "answered_by"}) {
    EXPECT_NE(json.find('"' + std::string(name) + "\":"), std::string::npos) << name;
  }
  EXPECT_NE(json.find(R"("a\"b\\c")"), std::string::npos);
}

}  // namespace
}  // namespace seawall::demo
