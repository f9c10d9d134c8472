#include "seawall/source/sql_transaction.hpp"

#include "outbox_table.hpp"
#include "seawall/source/sql_database.hpp"

#include <fmt/format.h>

#include <mutex>
#include <optional>
#include <shared_mutex>
#include <thread>

namespace seawall::sql {

// ---- connection ----

result<std::vector<std::string>> connection::tables_of(std::string_view statement) {
  return fail(errc::failed, fmt::format("this kind of database does not say which tables a statement reads: name them "
                                        "(\"{}\")", shortened(statement)));
}

// ---- statements ----

result<rows> statements::run_with(std::string_view statement, const arguments& given, access how) {
  if (const auto& problem = given.problem()) {
    return fail(errc::argument, fmt::format("{} (\"{}\")", problem->message(), shortened(statement)));
  }
  return run(statement, given.values(), how);
}

error statements::too_many(std::string_view statement, std::size_t found) {
  return {make_error_code(errc::mapping),
          fmt::format("\"{}\" has {} rows where one was asked for", shortened(statement), found)};
}

// ---- database ----

// The one whose commit and puts nobody gets between.
class database::publisher {
 public:
  explicit publisher(database& of) : of_(of), alone_(of.publishing_) {
    of_.overtaken_ = false;
    of_.publisher_ = std::this_thread::get_id();
  }
  publisher(const publisher&) = delete;
  publisher& operator=(const publisher&) = delete;
  ~publisher() { of_.publisher_ = std::thread::id{}; }

 private:
  database& of_;
  const std::unique_lock<std::shared_mutex> alone_;
};

bool database::publishes_here() const noexcept { return publisher_ == std::this_thread::get_id(); }

// A hook of a cache may write while this thread puts: it cannot wait for itself, so what is put gives way.
void database::await_publisher() {
  if (publishes_here()) {
    overtaken_ = true;
    return;
  }
  const std::shared_lock after{publishing_};
}

// What somebody else puts may have been committed before this: then it is put before this returns, and so before its
// caller invalidates.
result<rows> database::run(std::string_view statement, std::span<const value> given, access how) {
  auto taken = take(how);
  if (!taken) return std::unexpected(std::move(taken).error());
  auto done = [&] {
    const lease held{*this, **taken, how};
    return (*taken)->run(statement, given);
  }();
  if (how == access::write) await_publisher();
  return done;
}

result<std::vector<std::string>> database::tables_of(std::string_view statement) {
  auto taken = take(access::read);
  if (!taken) return std::unexpected(std::move(taken).error());
  const lease held{*this, **taken, access::read};
  return (*taken)->tables_of(statement);
}

// ---- transaction ----

transaction::~transaction() { roll_back(); }

result<rows> transaction::run(std::string_view statement, std::span<const value> given, access) {
  if (doomed_) return std::unexpected(*doomed_);
  return on_->run(statement, given);
}

result<void> transaction::begin() {
  auto taken = of_.take(access::write);
  if (!taken) return std::unexpected(std::move(taken).error());
  on_ = *taken;
  auto begun = on_->begin();
  if (!begun) give_back();
  return begun;
}

result<void> transaction::commit() {
  if (auto written = write_outbox(); !written) {
    roll_back();
    return written;
  }
  const bool puts = publishes_ && !of_.publishes_here();
  std::optional<database::publisher> alone;
  if (puts) alone.emplace(of_);
  auto committed = finish();
  if (!committed && !is(committed.error(), errc::outcome_unknown)) return committed;
  if (!puts) of_.await_publisher();
  apply(puts && committed);
  return committed;
}

// The connection goes back first: invalidations may take a round trip to the shared tier.
result<void> transaction::finish() {
  auto committed = on_->commit();
  if (!committed) on_->rollback();
  give_back();
  return committed;
}

void transaction::apply(bool puts) noexcept {
  const auto apply_all = [&] {
    for (auto& one : after_) {
      try {
        one.apply(puts && !of_.overtaken_);
      } catch (...) {  // the next one is to be invalidated all the same, and the commit stands
      }
    }
  };
  apply_all();
  if (puts && of_.overtaken_) apply_all();  // what was put before that may be older
  after_.clear();
}

void transaction::roll_back() noexcept {
  if (on_ == nullptr) return;
  on_->rollback();
  give_back();
  after_.clear();
}

void transaction::give_back() noexcept { of_.give_back(*std::exchange(on_, nullptr), access::write); }

result<void> transaction::write_outbox() {
  if (doomed_) return std::unexpected(*doomed_);
  if (!outbox_) return {};
  for (const detail::aftermath& one : after_) {
    if (auto done = insert_outbox_row(*this, of_.dialect(), one.cache, one.kind, one.item); !done) return done;
  }
  return {};
}

void transaction::doom(error why) {
  if (!doomed_) doomed_ = std::move(why);
}

// ---- savepoints ----

result<void> transaction::enter() {
  auto begun = run(fmt::format("SAVEPOINT seawall_{}", depth_ + 1), {}, access::write);
  if (!begun) return std::unexpected(std::move(begun).error());
  ++depth_;
  return {};
}

// One that cannot be undone would leave its statements behind, so nothing of the transaction may be committed then.
result<void> transaction::leave(std::size_t before, bool keep) {
  const std::string name = fmt::format("seawall_{}", depth_--);
  if (!keep) {
    after_.erase(after_.begin() + static_cast<std::ptrdiff_t>(before), after_.end());
    if (auto undone = run("ROLLBACK TO " + name, {}, access::write); !undone) {
      doom(std::move(undone).error());
      return std::unexpected(*doomed_);
    }
  }
  if (auto released = run("RELEASE " + name, {}, access::write); !released) {
    doom(std::move(released).error());
    return std::unexpected(*doomed_);
  }
  return {};
}

}  // namespace seawall::sql
