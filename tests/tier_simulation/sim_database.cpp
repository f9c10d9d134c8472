#include "sim_database.hpp"

#include "outbox_table.hpp"

#include <algorithm>
#include <optional>
#include <span>

namespace simulation {

namespace sql = seawall::sql;
using seawall::result;

// --- the tables -----------------------------------------------------------------------------------------------------

void sim_tables::insert(outbox_row what) {
  what.id = ++outbox_ids;
  outbox.push_back(std::move(what));
}

void sim_tables::remove(std::int64_t id) {
  const auto found = std::ranges::find(outbox, id, &outbox_row::id);
  if (found == outbox.end()) return;
  const outbox_row gone = std::move(*found);
  outbox.erase(found);
  on_removed(gone);
}

void sim_tables::commit(sim_transaction& what) {
  for (std::size_t row = 0; row != committed.size(); ++row) {
    if (what.now.made[row] != 0) committed[row] = what.now.made[row];
  }
  for (outbox_row& one : what.now.rows) {
    one.made = share_of(one, what.now.made);
    insert(std::move(one));
  }
  if (const auto found = outcomes.find(what.id); found != outcomes.end()) {
    found->second.made = what.now.made;
    found->second.committed = true;
  }
  for (const auto& [id, when] : what.postponed) {
    const auto found = std::ranges::find(outbox, id, &outbox_row::id);
    if (found == outbox.end()) continue;
    ++found->attempts;
    found->not_before = when;
  }
  const auto removed = std::move(what.removed);
  release(what.id);
  what = {};
  for (const std::int64_t id : removed) remove(id);
}

void sim_tables::roll_back(sim_transaction& what) {
  if (what.id == 0) return;
  outcomes.erase(what.id);
  release(what.id);
  what = {};
}

void sim_tables::release(std::uint64_t id) {
  std::ranges::replace(held_by, id, std::uint64_t{0});
  for (outbox_row& one : outbox) {
    if (one.held_by == id) one.held_by = 0;
  }
}

// --- a connection ---------------------------------------------------------------------------------------------------

class sim_database::talk final : public sql::connection {
 public:
  explicit talk(sim_database& of) : db_(of), tables_(of.tables_) {}
  ~talk() override { tables_.roll_back(open_); }

  result<sql::rows> run(std::string_view statement, std::span<const sql::value> given) override {
    if (!goes_on()) return gone();
    if (!tables_.quiet && db_.draws_.one_in(60)) {
      broken_ = true;
      ++tables_.seen["database: lost connections"];
      tables_.roll_back(open_);
      return gone();
    }
    const sql::outbox_words& words = sql::words_of(db_.spoken_);
    if (statement == raise_version) return raise(static_cast<int>(*given[0].integer()));
    if (statement == words.claim) return claim(*given[0].integer(), *given[1].elements());
    sql::rows done;
    if (statement == words.insert) insert(given);
    else if (statement == words.remove) remove(*given[0].elements());
    else if (statement == words.postpone) postpone(*given[0].elements(), *given[1].integer());
    else if (statement.starts_with("SAVEPOINT")) open_.savepoints.push_back(open_.now);
    else if (statement.starts_with("ROLLBACK TO")) open_.now = open_.savepoints.back();
    else if (statement.starts_with("RELEASE")) open_.savepoints.pop_back();
    else return sql::fail(sql::errc::failed, "an unknown statement: " + std::string{statement});
    return done;
  }

  result<void> begin() override {
    if (!goes_on()) return gone();
    open_.id = ++tables_.transactions;
    return {};
  }

  result<void> commit() override {
    commits_ = true;
    const bool well = goes_on();
    commits_ = false;
    if (!well) return gone();
    if (!tables_.quiet && db_.draws_.one_in(12)) return lose_commit();
    tables_.commit(open_);
    db_.meanwhile_();
    return {};
  }

  void rollback() noexcept override { tables_.roll_back(open_); }

  void kill() {
    broken_ = true;
    if (commits_ && db_.draws_.one_in(2)) tables_.commit(open_);
    else tables_.roll_back(open_);
  }

 private:
  bool goes_on() {
    if (!broken_) db_.meanwhile_();
    return !broken_;
  }
  static std::unexpected<seawall::error> gone() { return sql::fail(sql::errc::unreachable, "the connection is lost"); }

  result<void> lose_commit() {
    broken_ = true;
    ++tables_.seen["database: commits without an answer"];
    switch (db_.draws_.below(3)) {
      case 0: tables_.roll_back(open_); break;
      case 1: tables_.commit(open_); break;
      default:
        if (const auto found = tables_.outcomes.find(open_.id); found != tables_.outcomes.end()) {
          found->second.late = true;
          found->second.made = open_.now.made;
        }
        tables_.late.push_back(std::exchange(open_, {}));
    }
    db_.meanwhile_();
    return sql::fail(sql::errc::outcome_unknown, "the connection was lost during the commit");
  }

  result<sql::rows> raise(int key) {
    const auto row = static_cast<std::size_t>(key);
    if (tables_.held_by[row] != 0 && tables_.held_by[row] != open_.id) {
      ++tables_.seen["database: conflicts"];
      return sql::fail(sql::errc::conflict, "another transaction has the row");
    }
    tables_.held_by[row] = open_.id;
    tables_.outcomes.try_emplace(open_.id);
    open_.now.made[row] = tables_.committed[row] + 1;
    sql::rows found;
    found.columns = {"version", "transaction"};
    found.values = {{std::int64_t{open_.now.made[row]}}, {static_cast<std::int64_t>(open_.id)}};
    return found;
  }

  void insert(std::span<const sql::value> given) {
    if (open_.id == 0) return tables_.on_violation("a row of the outbox was written outside of its transaction");
    outbox_row made{.cache = *given[0].text(), .kind = *given[1].text()};
    for (const std::byte one : *given[2].blob()) made.item += static_cast<char>(one);
    open_.now.rows.push_back(std::move(made));
  }

  result<sql::rows> claim(std::int64_t limit, const sql::list& caches) {
    sql::rows found;
    found.columns = {"id", "cache", "kind", "item", "attempts"};
    const bool locks = sql::words_of(db_.spoken_).locks_rows;
    for (outbox_row& one : tables_.outbox) {
      const bool served = std::ranges::any_of(caches, [&](const auto& name) { return *name.text() == one.cache; });
      if (limit == 0 || !served || one.not_before > db_.now_ || (locks && one.held_by != 0)) continue;
      --limit;
      if (locks) one.held_by = open_.id;
      const auto* bytes = reinterpret_cast<const std::byte*>(one.item.data());
      for (sql::value value : {sql::value{one.id}, sql::value{one.cache}, sql::value{one.kind},
                               sql::value{sql::bytes(bytes, bytes + one.item.size())}, sql::value{one.attempts}}) {
        found.values.push_back(std::move(value));
      }
    }
    return found;
  }

  void remove(const sql::list& ids) {
    for (const sql::value& id : ids) {
      if (open_.id != 0) open_.removed.push_back(*id.integer());
      else tables_.remove(*id.integer());
    }
  }

  void postpone(const sql::list& ids, std::int64_t milliseconds) {
    const auto until = db_.now_ + std::chrono::milliseconds{milliseconds};
    for (const sql::value& id : ids) {
      if (open_.id != 0) {
        open_.postponed.emplace_back(*id.integer(), until);
        continue;
      }
      const auto found = std::ranges::find(tables_.outbox, *id.integer(), &outbox_row::id);
      if (found == tables_.outbox.end()) continue;
      ++found->attempts;
      found->not_before = until;
    }
  }

  sim_database& db_;
  sim_tables& tables_;
  sim_transaction open_;
  bool broken_ = false;
  bool commits_ = false;
};

// --- the database of a process --------------------------------------------------------------------------------------

sim_database::~sim_database() { kill(); }

void sim_database::kill() {
  dead_ = true;
  for (talk* one : talks_) one->kill();
}

result<sql::connection*> sim_database::take(sql::access) {
  if (dead_) return sql::fail(sql::errc::unreachable, "the process ends");
  return talks_.emplace_back(new talk{*this});
}

void sim_database::give_back(sql::connection& which, sql::access) noexcept {
  auto* const ended = static_cast<talk*>(&which);
  std::erase(talks_, ended);
  delete ended;
}

}  // namespace simulation
