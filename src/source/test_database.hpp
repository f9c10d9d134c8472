// Databases for tests: a file in a folder of its own, and one that is played.
#pragma once

#include "seawall/source/sql_database.hpp"
#include "seawall/source/sqlite.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace seawall::sql_test {

/// A folder that is gone with the object.
class folder {
 public:
  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "seawall_sql_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline std::shared_ptr<sql::database> open(const std::string& path, const sqlite::options& how = {}) {
  auto opened = sqlite::open(path, how);
  if (!opened) throw std::runtime_error(opened.error().message());
  return *opened;
}

template <class T>
std::string text_of(const result<T>& answer) {
  return answer ? "ok" : answer.error().message();
}

/// One row for each id: a number, and how often it was committed. Each connection writes when it commits, so writers
/// overlap as they do at a server. "set" (id, number); "get" (id).
class played_database final : public sql::database {
 public:
  enum class step { before_run, before_commit, after_commit, after_return };

  struct row {
    std::int64_t number = 0;
    std::int64_t version = 0;
  };

  sql::dialect dialect() const noexcept override { return sql::dialect::postgresql; }

  row get(std::int64_t id) {
    const std::lock_guard lock{mutex};
    return rows[id];
  }

  std::function<void(step)> on_step = [](step) {};
  bool loses_commits = false;       ///< The connection breaks during a commit,
  bool commits_when_lost = false;   ///< which takes place all the same.

  std::mutex mutex;
  std::map<std::int64_t, row> rows;

 protected:
  result<sql::connection*> take(sql::access) override { return new talk{*this}; }
  void give_back(sql::connection& which, sql::access how) noexcept override {
    delete &which;
    if (how == sql::access::write) on_step(step::after_return);
  }

 private:
  struct talk final : sql::connection {
    explicit talk(played_database& of) : db(of) {}

    result<sql::rows> run(std::string_view statement, std::span<const sql::value> given) override {
      sql::rows out;
      out.statement = statement;
      if (statement == "get") {
        const row found = db.get(*given[0].integer());
        out.columns = {"number", "version"};
        out.values = {{found.number}, {found.version}};
        return out;
      }
      db.on_step(step::before_run);
      changed[*given[0].integer()] = *given[1].integer();
      out.changed.rows = 1;
      return out;
    }
    result<void> begin() override { return {}; }
    result<void> commit() override {
      db.on_step(step::before_commit);
      if (!db.loses_commits || db.commits_when_lost) {
        const std::lock_guard lock{db.mutex};
        for (const auto& [id, number] : changed) db.rows[id] = {number, db.rows[id].version + 1};
      }
      db.on_step(step::after_commit);
      if (db.loses_commits) return sql::fail(sql::errc::outcome_unknown, "the connection was lost");
      return {};
    }
    void rollback() noexcept override { changed.clear(); }

    played_database& db;
    std::map<std::int64_t, std::int64_t> changed;
  };
};

}  // namespace seawall::sql_test
