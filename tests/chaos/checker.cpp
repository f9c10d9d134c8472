#include "checker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace chaos {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

bool expected(const seawall::error& why) {
  using seawall::errc;
  return why == errc::timed_out || why == errc::load_timed_out || why == errc::overloaded ||
         why == errc::loader_failed || why == errc::cancelled;
}

}  // namespace

std::string row_text(std::uint64_t version, std::uint64_t key) {
  const std::size_t filling = key % 10 == 0 ? 2000 : key % 200;  // some are compressed
  return fmt::format("{} {} {:x<{}}", version, key, "", filling);
}

std::optional<std::uint64_t> version_in(std::string_view text, std::uint64_t key) {
  std::uint64_t version = 0, of = 0;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, version);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ' ') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, of);
  if (second.ec != std::errc{} || of != key) return std::nullopt;
  return version;
}

void local_tally::give_to(process_state& all) noexcept {
  for (std::size_t i = 0; i != tally_count; ++i) {
    if (counts[i] != 0) all.tallies[i].fetch_add(std::exchange(counts[i], 0));
  }
  std::int64_t before = all.oldest.load();
  while (before < oldest && !all.oldest.compare_exchange_weak(before, oldest)) {}
}

checker::checker(truth& shared, std::size_t process, count_unlinearized count)
    : shared_(shared),
      process_(process),
      bound_(static_cast<std::int64_t>(shared.head().bound_ns.load())),
      count_(std::move(count)),
      own_(shared.keys()),
      returned_(shared.keys()) {}

checker::question checker::before(std::uint64_t key, bool fresh, bool only_looks) const noexcept {
  const row& of = shared_.at(key);
  const std::uint64_t unlinearized = unlinearized_.load(std::memory_order_relaxed);
  // The moment first: a process that is stopped here asks later than it says, never earlier.
  const std::int64_t begun = now();
  return {key,
          fresh,
          only_looks,
          begun,
          of.announced.load(std::memory_order_acquire),
          of.stored.load(std::memory_order_acquire),
          own_[key].load(std::memory_order_acquire),
          returned_[key].load(std::memory_order_acquire),
          unlinearized};
}

void checker::judge(const question& asked, const answer& got, local_tally& mine) {
  const std::uint64_t committed = shared_.at(asked.key).committed.load();
  if (!got) {
    ++mine[tally::errors];
    if (!expected(got.error())) report(broken::strange_error, asked, 0, 0);
    return;
  }
  if (!*got && asked.only_looks) {
    ++mine[tally::nothing_there];
    return;
  }
  ++mine[asked.fresh ? tally::fresh_reads : tally::any_reads];
  if (!*got) {
    ++mine[tally::absences];
    // It is not known which of the absences it is: the last one.
    return judge_version(asked, committed / absent_every * absent_every, committed, true, mine);
  }
  const auto version = version_in(**got, asked.key);
  if (!version) return report(broken::wrong_key, asked, 0, 0);
  if (*version > committed || *version % absent_every == 0) {
    return report(broken::from_the_future, asked, *version, committed);
  }
  judge_version(asked, *version, committed, false, mine);
}

void checker::judge_version(const question& asked, std::uint64_t version, std::uint64_t committed, bool absent,
                            local_tally& mine) {
  row& of = shared_.at(asked.key);
  if (absent && version == 0) return report(broken::existing_row_absent, asked, version, committed);
  std::optional<broken> what;
  std::int64_t announced = 0;
  std::uint64_t floor = asked.announced;
  if (asked.fresh) {
    if (version < asked.announced) what = broken::fresh_too_old;
    else if (version < asked.stored && linear(asked)) what = broken::fresh_went_back, floor = asked.stored;
  } else if (version < asked.announced) {
    what = broken_any(asked, version, mine, announced);
  }
  if (!what && version < asked.own) what = broken::own_write_unseen, floor = asked.own;
  if (!what && !asked.fresh && version < asked.returned && linear(asked)) {
    what = broken::went_back, floor = asked.returned;
  }
  if (what) {
    if (excused(asked)) ++mine[asked.fresh ? tally::excused_fresh : tally::excused_any];
    else report(*what, asked, version, floor, announced);
    return;
  }
  if (absent) return;
  if (asked.fresh) {
    if (linear(asked)) raise_to(of.stored, version);
  } else if (version > asked.returned && version <= of.stored.load() && linear(asked)) {
    raise_to(returned_[asked.key], version);
    ++mine[tally::kept_in_mind];
  }
}

std::optional<broken> checker::broken_any(const question& asked, std::uint64_t version, local_tally& mine,
                                          std::int64_t& announced) {
  ++mine[tally::lagging_reads];
  announced = never;
  for (const auto& one : shared_.at(asked.key).by) {
    announced = std::min(announced, one.told.first_newer(version, never));
  }
  if (announced == never) {  // overwritten by so many others that nobody knows when
    ++mine[tally::older_than_known];
    return std::nullopt;
  }
  const std::int64_t age = asked.begun - announced;
  if (age >= bound_) return broken::any_too_old;
  mine.oldest = std::max(mine.oldest, age);
  return std::nullopt;
}

bool checker::excused(const question& asked) const noexcept {
  const auto& head = shared_.head();
  return head.two_primaries.load() % 2 == 1 || asked.begun < head.two_primaries_ended.load() + bound_;
}

void checker::judge_last(std::uint64_t key, const answer& got) {
  const std::uint64_t committed = shared_.at(key).committed.load();
  std::uint64_t version = 0;
  if (got) version = *got ? version_in(**got, key).value_or(0) : committed / absent_every * absent_every;
  if (version == committed) return;
  report(broken::not_converged, before(key, false), version, committed);
}

void checker::report(broken what, const question& asked, std::uint64_t version, std::uint64_t floor,
                     std::int64_t announced) {
  auto& head = shared_.head();
  const std::uint64_t index = head.violations.fetch_add(1);
  if (index >= truth_header::kept) return;
  violation& to = head.list[index];
  to.process.store(process_);
  to.key.store(asked.key);
  to.version.store(version);
  to.floor.store(floor);
  to.committed.store(shared_.at(asked.key).committed.load());
  to.begun.store(asked.begun);
  to.ended.store(now());
  to.announced.store(announced);
  to.what.store(static_cast<std::uint64_t>(what));
}

}  // namespace chaos
