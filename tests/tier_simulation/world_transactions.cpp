#include "world.hpp"

#include "seawall/source/write_through.hpp"

#include <algorithm>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace simulation {
namespace {

namespace sql = seawall::sql;
using seawall::result;

struct changed_row {
  int version = 0;
  std::uint64_t transaction = 0;
};

}  // namespace

struct world::plan {
  write what;
  bool puts = false;
  bool part_fails = false;
  bool fails = false;
  bool cleared = true;  // otherwise plain values may be left
  sql::transact_options how{};
  std::uint64_t transaction = 0;  // the last one that has changed a row
};

/// What outlives its process here has a table of its own; everything else is lost with it, and ends by its TTL.
void world::start_database(process& one) {
  const auto spoken = locks_rows_ ? sql::dialect::postgresql : sql::dialect::sqlite;
  one.database = std::make_shared<sim_database>(chance_, tables_, now_, spoken, [this, &one] { go_on_without(one); });
  one.face = std::make_shared<cache_face>(one.cache, policy_);
  const sql::relay_options how{.batch = relay_batch_, .first_retry = 5ms, .max_retry = 40ms};
  one.relay = std::make_shared<sql::outbox_relay>(one.database, how);
  one.relay->add(*one.face);
  one.relays = false;
  one.transactions = 0;
}

void world::end_database(process& one) {
  if (one.transactions != 0) ++seen_["a process was killed during a transaction"];
  if (one.relays) ++seen_["a process was killed while it relayed"];
  one.database->kill();
  one.relay.reset();
  one.face.reset();
  one.database.reset();
}

/// While a process waits for its database, which a stopped process does for long.
void world::go_on_without(process& one) {
  for (std::size_t i = chance_.below(draining_ ? 2 : 6); i != 0 && !broken_; --i) step(depth_ + 1);
  for (int i = 0; i != 50 && now_ < one.paused_until && !broken_; ++i) step(depth_ + 1);
  if (now_ < one.paused_until) pass_until(one.paused_until);
}

versions world::share_of(const outbox_row& row, const versions& made) const {
  if (row.kind == "all") return made;
  versions share{};
  for (int key = 0; key != keys; ++key) {
    const bool by_key = row.kind == "key" && row.item == std::to_string(key);
    const bool by_tag = row.kind == "tag" && is_tagged(row.item, key);
    if (by_key || by_tag) share[key] = made[key];
  }
  return share;
}

void world::has_relayed(const outbox_row& row) {
  note("the outbox loses row {}: {} {}", row.id, row.kind, printable(row.item));
  ++seen_["relay: rows removed"];
  for (int key = 0; key != keys; ++key) {
    if (row.made[key] > last_acknowledged_[key]) ++seen_["a relay did what nobody else had done"];
    acknowledge(key, row.made[key]);
  }
}

// --- transactions ---------------------------------------------------------------------------------------------------

namespace {

result<changed_row> raise(sql::transaction& in, int key, std::uint64_t& transaction) {
  const auto row = in.query_one<std::tuple<int, std::uint64_t>>(raise_version, key);
  if (!row) return std::unexpected(row.error());
  transaction = std::get<1>(**row);
  return changed_row{std::get<0>(**row), transaction};
}

/// The end of what runs in a transaction.
result<void> decide(bool fails, chance& draws) {
  if (!fails) return {};
  if (draws.one_in(2)) throw std::runtime_error("the program fails");
  return sql::fail(sql::errc::failed, "the program has changed its mind");
}

}  // namespace

world::plan world::draw_plan() {
  plan one{.what = {.which = static_cast<int>(chance_.below(keys))}};
  const int tag = static_cast<int>(chance_.below(tags));
  switch (chance_.below(6)) {
    case 0: one.what.what = write::of::every_key; break;
    case 1: one.what.what = write::of::everything; break;
    case 2:
      if (tagged_[tag] != 0) one.what = {.what = write::of::tag, .which = tag};
      break;
    case 3:
    case 4: one.puts = versioned_; break;
    default: break;
  }
  one.part_fails = chance_.one_in(2);
  one.fails = chance_.one_in(8);
  one.how = {.outbox = chance_.one_in(2), .retries = static_cast<unsigned>(chance_.below(2))};
  one.what.kept = one.how.outbox ? write::by::table : write::by::nobody;
  return one;
}

/// The calls that users make. Everything else goes on in between, this process included, which may even be killed.
void world::transact(process& one, int depth) {
  plan how = draw_plan();
  const auto cache = one.cache;
  const auto face = one.face;
  const auto database = one.database;
  note("process {}: a transaction begins{}{}", one.id, how.puts ? ", which puts" : "",
       how.how.outbox ? ", outbox" : "");
  ++one.transactions;
  const int failed_before = face->failed_clears;
  const int before = std::exchange(depth_, depth);
  result<void> done;
  if (how.puts) done = put_row(*face, *database, how);
  else if (how.what.what == write::of::key) done = change_row(*face, *database, how);
  else done = change_rows(*face, *database, how);
  depth_ = before;
  const bool lives = one.cache == cache;
  if (lives) --one.transactions;
  how.cleared = face->failed_clears == failed_before;
  note("process {}: a transaction ends{}: {}", one.id, lives ? "" : " (which is dead)",
       done ? "well" : done.error().message());
  judge_transaction(one, lives, std::move(how), done);
}

result<void> world::put_row(cache_face& face, sql::database& database, plan& how) {
  const auto done = seawall::update(
      face, how.what.which, database,
      [&](sql::transaction& in, int key) -> result<sql::versioned<seawall::value_ptr<int>>> {
        const auto row = raise(in, key, how.transaction);
        if (!row) return std::unexpected(row.error());
        if (auto well = decide(how.fails, chance_); !well) return std::unexpected(well.error());
        const bool absent = row->version % absent_every == 0;
        return sql::versioned<seawall::value_ptr<int>>{absent ? nullptr : std::make_shared<const int>(row->version),
                                                       static_cast<std::uint64_t>(row->version),
                                                       {.tags = all_tags_of(key)}};
      },
      how.how);
  if (!done) return std::unexpected(done.error());
  return {};
}

result<void> world::change_row(cache_face& face, sql::database& database, plan& how) {
  return seawall::update(
      face, how.what.which, database,
      [&](sql::transaction& in, int key) -> result<void> {
        const auto row = raise(in, key, how.transaction);
        if (!row) return std::unexpected(row.error());
        return decide(how.fails, chance_);
      },
      how.how);
}

result<void> world::change_rows(cache_face& face, sql::database& database, plan& how) {
  const write& what = how.what;
  const auto is_changed = [&](int key) { return what.what != write::of::tag || is_tagged(what.which, key); };
  return database.transact(
      [&](sql::transaction& in) -> result<void> {
        for (int key = 0; key != keys; ++key) {
          if (!is_changed(key)) continue;
          const bool in_part = what.what == write::of::every_key && key != 0;
          const auto change = [&](sql::transaction& part) -> result<void> {
            if (what.what == write::of::every_key) part.invalidates(face, key);
            const auto row = raise(part, key, how.transaction);
            if (!row) return std::unexpected(row.error());
            return decide(in_part && how.part_fails, chance_);
          };
          const auto done = in_part ? in.savepoint(change) : change(in);
          if (!done && in_part) ++seen_["a part of a transaction failed"];
          if (!done && !in_part) return done;
        }
        if (what.what == write::of::tag) in.invalidates_tag(face, name_of_tag(what.which));
        if (what.what == write::of::everything) in.invalidates_all(face);
        return decide(how.fails, chance_);
      },
      how.how);
}

void world::judge_transaction(process& one, bool lives, plan how, const result<void>& done) {
  const auto found = tables_.outcomes.find(how.transaction);
  const bool exists = found != tables_.outcomes.end();
  const sim_tables::outcome came = exists ? found->second : sim_tables::outcome{};
  if (exists && (came.committed || !came.late)) tables_.outcomes.erase(found);
  const bool unknown = !done && sql::is(done.error(), sql::errc::outcome_unknown);
  if (lives && done && !came.committed) return broken("a transaction ended well, and was not committed");
  if (lives && !done && !unknown && came.committed) return broken("a committed transaction failed");
  if (!came.committed && !came.late) {
    ++seen_[unknown ? "a commit was lost" : "a transaction was rolled back"];
    return;
  }
  how.what.made = came.made;
  if (lives && !came.late && how.cleared) {
    const char* const known = how.puts ? "a transaction put a value" : "a transaction invalidated";
    ++seen_[unknown ? "a commit that nobody knew of had taken place" : known];
    return has_invalidated(one, how.what);
  }
  const char* const why = came.late ? "a commit came after its invalidations" : "a process died after its commit";
  ++seen_[how.cleared ? why : "plain values could not be cleared"];
  orphan(how.what);
}

/// Whoever owed this invalidation is gone.
void world::orphan(const write& what) {
  if (what.kept == write::by::table) return;
  if (what.kept == write::by::world) return outbox_.push_back(what);
  note("nobody invalidates {}", text_of(what));
  for (int key = 0; key != keys; ++key) lost_[key] = std::max(lost_[key], what.made[key]);
}

void world::arrive_late() {
  note("a commit arrives that nobody waits for");
  sim_transaction one = std::move(tables_.late.front());
  tables_.late.erase(tables_.late.begin());
  tables_.commit(one);
}

// --- the relay ------------------------------------------------------------------------------------------------------

bool world::outbox_is_due() const {
  return std::ranges::any_of(tables_.outbox, [this](const outbox_row& one) { return one.not_before <= now_; });
}

/// Whether a row is left that stands for something.
bool world::outbox_owes() const {
  return !tables_.late.empty() ||
         std::ranges::any_of(tables_.outbox, [](const outbox_row& one) { return one.made != versions{}; });
}

void world::relay(process& one, int depth) {
  const auto cache = one.cache;
  const auto face = one.face;
  const auto relay = one.relay;
  const auto tier = one.tier;
  const auto counted = relay->stats();
  one.relays = true;
  note("process {}: its relay looks at the outbox", one.id);
  const int before = std::exchange(depth_, depth);
  const auto passed = relay->run_once();
  depth_ = before;
  if (one.cache == cache) one.relays = false;
  note("process {}: its relay ends: {}", one.id, passed ? std::to_string(*passed) : passed.error().message());
  const auto now = relay->stats();
  seen_["relay: failures"] += now.failures - counted.failures;
  seen_["relay: poisoned"] += now.poisoned - counted.poisoned;
  seen_["relay: undelivered"] += now.undelivered - counted.undelivered;
}

}  // namespace simulation
