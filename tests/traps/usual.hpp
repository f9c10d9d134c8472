// What the usual snippets talk to: a store with Redis's commands and a database, both tiny, of one thread, and on a
// manual clock. Each trap test writes the snippet that people copy against these, shows what it does wrong, and then
// takes Seawall through the same scene.
#pragma once

#include "seawall/cache.hpp"
#include "seawall/testing.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace usual {

using namespace std::chrono_literals;

/// What a client library throws when the server is gone.
struct connection_lost : std::runtime_error {
  connection_lost() : std::runtime_error("connection lost") {}
};

class redis {
 public:
  explicit redis(std::shared_ptr<const seawall::manual_clock> clock) : clock_(std::move(clock)) {}

  std::optional<std::string> get(const std::string& key) const {
    const auto found = items_.find(key);
    if (found == items_.end() || clock_->now() >= found->second.expires) return std::nullopt;
    return found->second.value;
  }
  void set(const std::string& key, std::string value) { setex(key, seawall::forever, std::move(value)); }
  void setex(const std::string& key, seawall::duration ttl, std::string value) {
    if (writes_fail_) throw connection_lost{};
    items_[key] = {std::move(value), seawall::after(clock_->now(), ttl)};
  }
  bool set_nx(const std::string& key, std::string value, seawall::duration ttl = seawall::forever) {
    if (get(key)) return false;
    setex(key, ttl, std::move(value));
    return true;
  }
  bool del(const std::string& key) { return items_.erase(key) != 0; }

  /// From now on every write fails.
  void lose_writes() noexcept { writes_fail_ = true; }

 private:
  struct item {
    std::string value;
    seawall::time_point expires;
  };

  std::shared_ptr<const seawall::manual_clock> clock_;
  std::map<std::string, item> items_;
  bool writes_fail_ = false;
};

class database {
 public:
  /// The committed row; nothing when there is none. Counts as a query.
  std::optional<std::string> find(const std::string& id) {
    ++queries_;
    const auto found = rows_.find(id);
    return found == rows_.end() ? std::nullopt : std::optional{found->second};
  }
  /// An UPDATE that commits by itself.
  void write(const std::string& id, std::string value) { rows_[id] = std::move(value); }

  int queries() const noexcept { return queries_; }

  /// Its changes are seen by others after `commit`, and never when it is destroyed before.
  class transaction {
   public:
    explicit transaction(database& db) : db_(db) {}
    void write(const std::string& id, std::string value) { changes_[id] = std::move(value); }
    void commit() {
      for (auto& [id, value] : std::exchange(changes_, {})) db_.write(id, std::move(value));
    }

   private:
    database& db_;
    std::map<std::string, std::string> changes_;
  };

 private:
  std::map<std::string, std::string> rows_;
  int queries_ = 0;
};

/// Where a test plays: a clock that stands still, a Redis, a database.
struct scene {
  std::shared_ptr<seawall::manual_clock> clock = std::make_shared<seawall::manual_clock>();
  std::shared_ptr<seawall::manual_executor> executor = std::make_shared<seawall::manual_executor>();
  usual::redis redis{clock};
  database db;

  /// Options of a Seawall cache in this scene: exact TTLs, repeatable draws.
  template <class K, class V>
  seawall::cache_options<K, V> options(seawall::cache_options<K, V> how) const {
    how.clock = clock;
    how.executor = executor;
    how.seed = 1;
    return how;
  }
};

using texts = seawall::cache<std::string, std::string>;

/// An answer as one word, for comparing.
inline std::string word(const texts::answer& answer) {
  if (!answer) return "error: " + answer.error().message();
  return *answer ? **answer : "absent";
}
inline std::string word(const std::optional<std::string>& row) { return row.value_or("absent"); }

}  // namespace usual
