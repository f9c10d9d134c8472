#include "prefix_walk.hpp"

#include "news.hpp"
#include "seawall/cmd/error.hpp"
#include "seawall/cmd/keys.hpp"
#include "seawall/cmd/scan.hpp"
#include "seawall/cmd/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <span>
#include <utility>

namespace seawall::tier {
namespace {

// A server does nothing else meanwhile.
constexpr std::size_t keys_at_once = 256;
// A walk begins anew when its cursor has lost its meaning; servers that are replaced more often than that are no place
// to walk over.
constexpr int most_beginnings = 5;
// A cluster's client puts the server into the bits above, so these are 0 where the walk over one server begins.
constexpr std::uint64_t cursor_of_server = (std::uint64_t{1} << 40) - 1;

/// A command that its thread waits for, and the connection that its reply came over.
template <class T>
class asked final : public cmd::request {
 public:
  explicit asked(const cmd::command<T>& what) : what_(what) {
    bytes = what.encoded().bytes();
    traits = what.about();
    caller_waits = true;
  }

  result<T> run(core& over) {
    timeout = over.target().default_timeout();
    over.target().submit(*this);
    over.target().wait(done_);
    return std::move(came_);
  }

  void on_reply(std::size_t, resp::view reply) noexcept override { came_ = what_.read(reply); }
  void on_end(const error* failure) noexcept override {
    if (failure) came_ = std::unexpected(*failure);
    done_.store(true, std::memory_order_release);
    done_.notify_all();
  }

 private:
  const cmd::command<T>& what_;
  result<T> came_ = std::unexpected(error{errc::closed});
  std::atomic<bool> done_{false};
};

}  // namespace

std::string pattern_of_prefix(std::string_view prefix) {
  std::string pattern;
  pattern.reserve(prefix.size() + 8);
  for (const char byte : prefix) {
    if (byte == '*' || byte == '?' || byte == '[' || byte == '\\') pattern += '\\';
    pattern += byte;
  }
  return pattern += '*';
}

prefix_walk::prefix_walk(std::shared_ptr<core> of, std::string_view prefix, prefix_options how)
    : core_(std::move(of)), prefix_(prefix), how_(std::move(how)),
      keys_{.pattern = pattern_of_prefix(prefix)},
      leases_{.pattern = '*' + pattern_of_prefix(prefix) + ":l", .leases = true} {}

result<prefix_removal> prefix_walk::run() {
  if (prefix_.empty()) return fail(errc::invalid_argument, "remove_prefix: the prefix must not be empty");
  if (how_.count < 1 || how_.count > 10'000) {
    return fail(errc::invalid_argument, "remove_prefix: count must be 1 to 10000");
  }
  if (how_.pause < duration::zero()) return fail(errc::invalid_argument, "remove_prefix: pause must not be negative");
  if (stopped()) return so_far_;
  const auto size = cmd::dbsize();
  const auto total = asked{size}.run(*core_);
  if (!total && total.error().code() != cmd::make_error_code(cmd::errc::no_permission)) return failed(total.error());
  so_far_.total = static_cast<std::uint64_t>(total.value_or(0)) * (has_leases() ? 2 : 1);
  // Leases of keys that hold nothing; what is loaded under one that is met after its key could be stored in between.
  if (has_leases()) {
    if (const auto well = walk(leases_, false); !well) return failed(well.error());
  }
  if (const auto well = walk(keys_, true); !well) return failed(well.error());
  return so_far_;
}

result<void> prefix_walk::walk(const search& which, bool last) {
  looks_for_ = &which;
  cursor_ = 0;
  begun_ = 0;
  do {
    if (so_far_.scanned != 0) rest();
    if (stopped()) return {};
    if (auto well = step(); !well) return well;
    so_far_.done = cursor_ == 0 && last;
    if (how_.on_progress) how_.on_progress(so_far_);
  } while (cursor_ != 0);
  return {};
}

std::unexpected<error> prefix_walk::failed(const error& why) const {
  return std::unexpected(error{
      why.code(), fmt::format("remove_prefix, after {} keys were removed: {}", so_far_.removed, why.message())});
}

result<void> prefix_walk::step() {
  if (begun_ == 0) begun_ = 1;
  const bool one_server = !core_->records().divided();
  for (;;) {
    if (one_server && cursor_ == 0) {
      const auto first = connection_to_primary();
      if (!first) return std::unexpected(first.error());
      generation_ = *first;
    }
    const auto scan = cmd::scan_step(cursor_, {.match = looks_for_->pattern, .count = how_.count});
    asked ask{scan};
    auto page = ask.run(*core_);
    if (!page) {
      const bool lost = cursor_ != 0 && page.error().code() == cmd::make_error_code(cmd::errc::moved);
      if (lost && begin_anew()) continue;
      return std::unexpected(std::move(page.error()));
    }
    // A cursor means nothing to another server, and a new connection may lead to one.
    bool other = (one_server || (cursor_ & cursor_of_server) != 0) && ask.generation != generation_;
    if (auto well = remove(page->elements); !well) return well;
    if (one_server && !other && page->next == 0) {
      const auto last = connection_to_primary();
      if (!last) return std::unexpected(last.error());
      other = *last != generation_;
    }
    so_far_.scanned += static_cast<std::uint64_t>(how_.count);
    generation_ = ask.generation;
    if (other && begin_anew()) continue;
    if (other) return std::unexpected(error{cmd::errc::connection_lost, "the connection was lost again and again"});
    cursor_ = page->next;
    return {};
  }
}

result<std::uint64_t> prefix_walk::connection_to_primary() {
  const std::string name = prefix_ + '\0';  // it may go if it is there, as it begins with the prefix
  const auto nothing = cmd::unlink(name);
  asked ask{nothing};
  if (auto well = ask.run(*core_); !well) return std::unexpected(std::move(well.error()));
  return ask.generation;
}

bool prefix_walk::begin_anew() {
  if (begun_ == most_beginnings) return false;
  ++begun_;
  cursor_ = 0;
  return true;
}

result<void> prefix_walk::remove(const std::vector<std::string>& keys) {
  std::span<const std::string> left{keys};
  while (!left.empty()) {
    const auto some = left.first(std::min(keys_at_once, left.size()));
    left = left.subspan(some.size());
    std::vector<std::string_view> names;
    for (const std::string& one : some) {
      if (is_meant(one)) names.push_back(one);
    }
    if (names.empty()) continue;
    // A lease that was taken since its walk is worth something as long as its key is there, so both go in one step.
    std::vector<std::string> leases;
    if (!looks_for_->leases && has_leases()) std::ranges::transform(names, std::back_inserter(leases), lease_key_of);
    std::vector<std::string_view> doomed = names;
    doomed.insert(doomed.end(), leases.begin(), leases.end());
    const auto unlink = cmd::unlink(doomed);
    asked ask{unlink};
    const auto gone = ask.run(*core_);
    if (!gone) return std::unexpected(gone.error());
    so_far_.removed += static_cast<std::uint64_t>(*gone);
    core_->count(&tier_totals::prefix_keys, static_cast<std::uint64_t>(*gone));
    if (core_->options().feed == feed_mode::pub_sub) {
      const auto tell = publish_command(*core_, names);
      asked{tell}.run(*core_);  // if it fails, the others hear nothing, which their bound allows for
    }
    // The caches of this process need not wait for the feed, which comes behind the reply.
    for (const std::string_view one : names) core_->on_invalidate(ask.generation, one);
  }
  return {};
}

// A lease has its key's name, in braces or with ones of its own.
bool prefix_walk::is_meant(std::string_view name) const {
  if (!looks_for_->leases) return name.starts_with(prefix_);
  if (name.starts_with('{') && !prefix_.starts_with('{')) name.remove_prefix(1);
  return name.starts_with(prefix_) && name.ends_with(":l");
}

void prefix_walk::rest() {
  if (how_.pause == duration::zero()) return;
  struct bed {
    std::mutex mutex;
    std::condition_variable_any wakes;
    bool over = false;
  };
  const auto here = std::make_shared<bed>();
  seawall::clock& clock = core_->timers();
  const auto timer = clock.call_at(after(clock.now(), how_.pause), [here] {
    const std::lock_guard lock{here->mutex};
    here->over = true;
    here->wakes.notify_all();
  });
  std::unique_lock lock{here->mutex};
  here->wakes.wait(lock, how_.stop, [&] { return here->over; });
  lock.unlock();
  clock.cancel(timer);
}

}  // namespace seawall::tier
