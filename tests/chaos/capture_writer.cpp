#include "capture_writer.hpp"

#include "driver.hpp"

#include "servers/wait.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <expected>
#include <stdexcept>
#include <utility>

namespace chaos {
namespace {

using namespace std::chrono_literals;
using seawall::servers::pause_between_tries;
namespace sql = seawall::sql;

// A statement of a connection that was given up may run late: nothing goes back.
constexpr const char* put =
    "INSERT INTO rows VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n = excluded.n WHERE rows.n < excluded.n";
constexpr const char* update = "UPDATE rows SET n = $2 WHERE id = $1 AND n < $2";
constexpr const char* remove = "DELETE FROM rows WHERE id = $1 AND n < $2";
constexpr std::uint64_t short_range = 8;  // for reloading, not the capture, would be what is measured
constexpr std::uint64_t long_range = 128;

}  // namespace

capture_writer::capture_writer(truth& shared, const std::string& url, std::size_t index, std::size_t all)
    : shared_(shared), index_(index), all_(all), chance_(shared.head().seed.load() * 100 + index),
      present_(shared.keys(), true) {
  auto made = seawall::postgres::open({.url = url, .writers = 1, .readers = 1, .connect_timeout = 2s,
                                       .statement_timeout = 10s, .application_name = "stranger"});
  if (!made) throw std::runtime_error(made.error().message());
  db_ = *std::move(made);
}

void capture_writer::write(std::atomic<std::int64_t>& left) {
  while (left.fetch_sub(1) > 0 && !is_interrupted()) {
    write_one();
    if (const std::uint64_t rest = chance_.below(6)) pause_between_tries(std::chrono::milliseconds{rest});
  }
}

std::uint64_t capture_writer::some_key() {
  const std::uint64_t key = chance_.key(shared_.keys()) / all_ * all_ + index_;
  return key < shared_.keys() ? key : index_;
}

void capture_writer::write_one() {
  changes_.clear();
  statements_.clear();
  const std::uint64_t kind = chance_.below(100);
  if (kind >= 93) return roll_back();
  std::uint64_t write_counts::*counted = &write_counts::single;
  if (kind < 70) {
    change_one(some_key());
  } else if (kind < 80) {
    plan_range();
    counted = &write_counts::several;
  } else if (kind < 90) {
    plan_several();
    counted = &write_counts::transactions;
  } else if (plan_move()) {
    counted = &write_counts::moved;
  }
  if (changes_.empty()) change_one(some_key());
  const std::int64_t version = ++version_;
  const auto done = run(version);
  if (!done) ++counts_.unknown;
  if (!done && !took_place(version)) return static_cast<void>(++counts_.failed);
  note(version);
  ++(counts_.*counted);
}

// A row that is there is updated or removed, another one inserted.
void capture_writer::change_one(std::uint64_t key) {
  const bool removes = present_[key] && chance_.one_in(4);
  changes_.push_back({key, removes});
  statements_.push_back({removes ? remove : present_[key] && chance_.one_in(2) ? update : put, key});
}

void capture_writer::plan_range() {
  const std::uint64_t first = some_key();
  const std::uint64_t range = chance_.one_in(50) ? long_range : short_range;
  for (std::uint64_t key = first; key < std::min<std::uint64_t>(first + range, shared_.keys()); key += all_) {
    if (present_[key]) changes_.push_back({key, false});
  }
  statements_.push_back({fmt::format("UPDATE rows SET n = $2 WHERE id >= $1 AND id < $1 + {} AND id % {} = {} "
                                     "AND n < $2", range, all_, index_), first});
}

void capture_writer::plan_several() {
  for (std::uint64_t count = 2 + chance_.below(4); count != 0; --count) {
    const std::uint64_t key = some_key();
    const auto same = [key](const change& one) { return one.key == key; };
    if (std::ranges::none_of(changes_, same)) change_one(key);
  }
}

// The row has another key afterwards.
bool capture_writer::plan_move() {
  const std::uint64_t from = some_key(), to = some_key();
  if (from == to || !present_[from] || present_[to]) return false;
  changes_ = {{from, true}, {to, false}};
  statements_.push_back({fmt::format("UPDATE rows SET id = $1, n = $2 WHERE id = {} AND n < $2", from), to});
  return true;
}

seawall::result<void> capture_writer::run(std::int64_t version) {
  const auto each = [&](sql::statements& on) -> seawall::result<void> {
    for (const statement& one : statements_) {
      auto done = on.execute(one.text, one.key, version);
      if (!done) return std::unexpected(std::move(done).error());
    }
    return {};
  };
  if (statements_.size() == 1) return each(*db_);
  return db_->transact([&](sql::transaction& t) { return each(t); });
}

// With versions that nobody is ever to see.
void capture_writer::roll_back() {
  const std::uint64_t key = some_key(), other = some_key();
  ++version_;
  const auto done = db_->transact([&](sql::transaction& t) -> seawall::result<void> {
    (void)t.execute("INSERT INTO rows VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n = excluded.n", key, -version_);
    (void)t.execute("DELETE FROM rows WHERE id = $1", other);
    return seawall::fail(seawall::errc::cancelled);
  });
  if (!done) ++counts_.rolled_back;
}

// All of its rows changed, or none.
bool capture_writer::took_place(std::int64_t version) {
  const auto [key, removed] = changes_.front();
  while (!is_interrupted() && shared_.stage() == phase::run) {
    const auto found = db_->query_one<std::int64_t>("SELECT n FROM rows WHERE id = $1", key);
    if (found) return removed ? !*found : *found && **found == version;
    pause_between_tries();
  }
  return false;
}

void capture_writer::note(std::int64_t version) {
  const std::int64_t when = now();
  for (const auto& [key, removed] : changes_) {
    const std::uint64_t code = static_cast<std::uint64_t>(version) * 2 + (removed ? 1 : 0);
    shared_.at(key).committed.store(code);
    shared_.at(key).by[0].told.add(when, code);
    present_[key] = !removed;
    if (removed) ++counts_.removed;
  }
  counts_.rows += changes_.size();
}

}  // namespace chaos
