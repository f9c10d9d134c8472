#include "postgres_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <utility>

namespace seawall::postgres {

pool::pool(std::shared_ptr<settings> how) : how_(std::move(how)) {
  of(sql::access::read).limit = how_->how.readers;
  of(sql::access::write).limit = how_->how.writers;
  for (group& one : groups_) {
    one.all.reserve(one.limit);
    one.idle.reserve(one.limit);
  }
  owners_.reserve(how_->how.writers);
}

postgres_connection* pool::free_one(group& from) {
  if (!from.idle.empty()) {
    auto* one = from.idle.back();
    from.idle.pop_back();
    return one;
  }
  if (from.all.size() == from.limit) return nullptr;
  from.all.push_back(std::make_unique<postgres_connection>(how_));
  return from.all.back().get();
}

result<postgres_connection*> pool::enter(ticket& who) {
  const std::lock_guard lock{mutex_};
  group& from = of(who.how);
  if (from.line.empty()) {
    if (auto* one = free_one(from)) return one;
  }
  if (from.line.size() >= how_->how.max_waiting) {
    return sql::fail(sql::errc::locked, fmt::format("{}: {} calls wait for a connection already (max_waiting)",
                                                    how_->where, from.line.size()));
  }
  from.line.push_back(&who);
  return nullptr;
}

bool pool::leave(ticket& who) {
  const std::lock_guard lock{mutex_};
  if (who.got != nullptr) return false;
  of(who.how).line.remove(&who);
  return true;
}

result<postgres_connection*> pool::take(sql::access how) {
  const auto self = std::this_thread::get_id();
  if (how == sql::access::write) {
    const std::lock_guard lock{mutex_};
    if (std::ranges::find(owners_, self, &owner::thread) != owners_.end()) {
      return sql::fail(sql::errc::misuse, fmt::format("{}: this thread is inside a transaction, which its own "
                                                      "statements may wait for: ask the transaction", how_->where));
    }
  }
  std::condition_variable woken;
  ticket mine{.how = how, .ready = [&] { woken.notify_one(); }};
  auto got = enter(mine);
  if (!got) return got;
  const auto patience = std::min<duration>(how_->how.pool_timeout, std::chrono::hours{24});
  const auto end = after(std::chrono::steady_clock::now(), patience);
  std::unique_lock lock{mutex_};
  if (*got == nullptr) {
    if (!woken.wait_until(lock, end, [&] { return mine.got != nullptr; })) {
      of(how).line.remove(&mine);
      return std::unexpected(late(how));
    }
    got = mine.got;
  }
  if (how == sql::access::write) owners_.push_back({*got, self});
  return got;
}

void pool::give_back(postgres_connection& which, sql::access how) noexcept {
  which.rollback();  // of a BEGIN that was run as a statement
  const std::lock_guard lock{mutex_};
  std::erase_if(owners_, [&](const owner& one) { return one.which == &which; });
  group& to = of(how);
  if (to.line.empty()) {
    to.idle.push_back(&which);
    return;
  }
  ticket* next = to.line.front();
  to.line.pop_front();
  next->got = &which;
  next->ready();
}

error pool::late(sql::access how) const {
  const bool writes = how == sql::access::write;
  return {sql::make_error_code(sql::errc::locked),
          fmt::format("{}: all {} {} were in use for longer than pool_timeout: shorter transactions, or more {}",
                      how_->where, writes ? how_->how.writers : how_->how.readers,
                      writes ? "connections that write" : "readers", writes ? "writers" : "readers")};
}

connection_stats pool::stats() const {
  connection_stats now;
  now.made = how_->made.load(std::memory_order_relaxed);
  now.prepared = how_->prepared.load(std::memory_order_relaxed);
  const std::lock_guard lock{mutex_};
  for (const group& one : groups_) {
    now.in_use += one.all.size() - one.idle.size();
    now.waiting += one.line.size();
  }
  return now;
}

}  // namespace seawall::postgres
