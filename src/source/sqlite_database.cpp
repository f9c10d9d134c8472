// The connections of an SQLite database: one that writes, and several that read.
#include "sqlite_connection.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace seawall::sqlite {
namespace {

result<void> check(bool right, std::string_view field, std::string_view range) {
  if (right) return {};
  return fail(seawall::errc::invalid_argument, fmt::format("sqlite::options: {} must be {}", field, range));
}

result<void> validate(const options& how) {
  if (auto done = check(how.readers >= 1 && how.readers <= 64, "readers", "1 to 64"); !done) return done;
  if (auto done = check(how.busy_timeout >= duration::zero(), "busy_timeout", "0 or more"); !done) return done;
  if (auto done = check(how.max_rows >= 1, "max_rows", "1 or more"); !done) return done;
  const bool fits = how.write_cache_bytes >= std::size_t{1} << 20 && how.write_cache_bytes <= std::size_t{1} << 40;
  if (auto done = check(fits, "write_cache_bytes", "1 MiB to 1 TiB"); !done) return done;
  return check(how.cached_statements >= 1 && how.cached_statements <= 10'000, "cached_statements", "1 to 10,000");
}

class sqlite_database final : public sql::database {
 public:
  sqlite_database(std::string path, const options& how, std::unique_ptr<sqlite_connection> writer)
      : path_(std::move(path)), how_(how), writer_(std::move(writer)) {
    readers_.reserve(how.readers);
    idle_.reserve(how.readers);  // giving back must not fail
  }

  sql::dialect dialect() const noexcept override { return sql::dialect::sqlite; }

  // A query may write, too (RETURNING), and only SQLite knows.
  result<sql::rows> run(std::string_view statement, std::span<const sql::value> given, sql::access how) override {
    if (how == sql::access::read && !alone()) {
      auto taken = take(sql::access::read);
      if (!taken) return std::unexpected(std::move(taken).error());
      const lease held{*this, **taken, sql::access::read};
      auto& reader = static_cast<sqlite_connection&>(**taken);
      if (!reader.changes(statement)) return reader.run(statement, given);
    }
    return database::run(statement, given, sql::access::write);
  }

 protected:
  result<sql::connection*> take(sql::access how) override {
    return how == sql::access::write || alone() ? take_writer() : take_reader();
  }

  void give_back(sql::connection& which, sql::access) noexcept override {
    auto& one = static_cast<sqlite_connection&>(which);
    one.rollback();  // of a BEGIN that was run as a statement
    {
      const std::lock_guard lock{mutex_};
      if (&one == writer_.get()) owner_ = {};
      else idle_.push_back(&one);
    }
    changed_.notify_all();
  }

 private:
  // A database in memory is gone with its connection, and a second one has another.
  bool alone() const noexcept { return path_ == ":memory:" || path_.empty(); }

  result<sql::connection*> take_writer() {
    const auto self = std::this_thread::get_id();
    std::unique_lock lock{mutex_};
    if (owner_ == self) {
      return sql::fail(sql::errc::misuse, fmt::format("database {}: this thread is inside a transaction, which its own "
                                                      "statements would wait for: ask the transaction", path_));
    }
    if (!wait(lock, [this] { return owner_ == std::thread::id{}; })) return busy("the connection that writes");
    owner_ = self;
    return writer_.get();
  }

  result<sql::connection*> take_reader() {
    std::unique_lock lock{mutex_};
    if (!wait(lock, [this] { return !idle_.empty() || opened_ < how_.readers; })) return busy("every reader");
    if (!idle_.empty()) {
      auto* one = idle_.back();
      idle_.pop_back();
      return one;
    }
    ++opened_;
    lock.unlock();
    auto made = sqlite_connection::open(path_, how_, false);
    lock.lock();
    if (!made) {
      --opened_;
      return std::unexpected(std::move(made).error());
    }
    readers_.push_back(*std::move(made));
    return readers_.back().get();
  }

  bool wait(std::unique_lock<std::mutex>& lock, auto until) {
    return changed_.wait_for(lock, std::min<duration>(how_.busy_timeout, std::chrono::hours{24}), until);
  }

  result<sql::connection*> busy(std::string_view what) const {
    return sql::fail(sql::errc::locked, fmt::format("database {}: {} was in use for longer than busy_timeout", path_,
                                                    what));
  }

  const std::string path_;
  const options how_;
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::unique_ptr<sqlite_connection> writer_;
  std::thread::id owner_{};                                  // guarded by mutex_: who has the writer
  std::vector<std::unique_ptr<sqlite_connection>> readers_;  // guarded by mutex_
  std::vector<sqlite_connection*> idle_;                     // guarded by mutex_
  std::size_t opened_ = 0;                                   // guarded by mutex_: readers, those being opened included
};

}  // namespace

result<std::shared_ptr<sql::database>> open(const std::string& path, const options& how) {
  if (auto valid = validate(how); !valid) return std::unexpected(std::move(valid).error());
  auto writer = sqlite_connection::open(path, how, true);
  if (!writer) return std::unexpected(std::move(writer).error());
  return std::make_shared<sqlite_database>(path, how, *std::move(writer));
}

}  // namespace seawall::sqlite
