// What the tests of the shared tier share: processes that use one server, and calls that wait.
#pragma once

#include "seawall/cmd/raw.hpp"
#include "seawall/tier.hpp"
#include "servers/redis_server.hpp"
#include "servers/wait.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall {

using namespace std::chrono_literals;
using outcome = tier_read::outcome;

inline std::ostream& operator<<(std::ostream& out, outcome is) {
  constexpr const char* names[] = {"failed", "hit", "leased", "held"};
  return out << names[static_cast<int>(is)];
}

/// What a cache hears of its tier.
class heard final : public tier_listener {
 public:
  void on_changed(std::string_view key) noexcept override { note(std::string{key}); }
  void on_all_changed() noexcept override { note("everything"); }
  void on_tags_lost() noexcept override {}

  void note(std::string what) {
    const std::lock_guard lock{mutex_};
    notes_.push_back(std::move(what));
  }
  bool has(std::string_view what) const {
    const std::lock_guard lock{mutex_};
    return std::ranges::find(notes_, what) != notes_.end();
  }
  std::vector<std::string> take() {
    const std::lock_guard lock{mutex_};
    return std::exchange(notes_, {});
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
};

/// A call whose end can be waited for.
template <class Call>
class waited final : public Call {
 public:
  void on_end() noexcept override {
    done.store(true);
    done.notify_all();
  }
  std::atomic<bool> done{false};
};

template <>
class waited<tier_read> final : public tier_read {
 public:
  void on_read() noexcept override {
    ++told;
    if (order) order->note("read " + key);
  }
  void on_end() noexcept override {
    done.store(true);
    done.notify_all();
  }
  std::atomic<bool> done{false};
  std::atomic<int> told{0};
  heard* order = nullptr;
};

inline tier_entry value_of(std::string payload, std::uint64_t version = 0) {
  return {.version = version, .fresh_for = 1h, .keep_for = 1h, .payload = std::move(payload)};
}

/// One process that shares the server on `port`, or the servers of a URL: a tier, and the cache "c:" that hears of its
/// changes.
class member {
 public:
  explicit member(std::uint16_t port, tier_options how = {}, redis::options options = {})
      : member("redis://127.0.0.1:" + std::to_string(port), std::move(how), std::move(options)) {}

  explicit member(std::string url, tier_options how = {}, redis::options options = {}) {
    options.url = std::move(url);
    options.backoff = {.first = 5ms, .most = 50ms};
    auto like = redis::client::connect(std::move(options));
    if (!like) throw std::runtime_error(like.error().message());
    auto made = redis_tier(*like, std::move(how));
    if (!made) throw std::runtime_error(made.error().message());
    tier = *std::move(made);
    tier->attach("c:", cache);
  }

  struct read_options {
    bool takes_lease = true;
    bool expects_miss = false;
    bool refresh = false;
    bool early = false;
    std::optional<tier_nonce> unusable = {};
    duration lease_for = 10s;
    std::string prefix = {};  ///< With it, the entry and its lease are of that cache.
    std::vector<std::uint64_t> tags = {};
    bool fresh = false;
  };

  std::shared_ptr<waited<tier_read>> read(std::string key) { return read(std::move(key), {}); }
  std::shared_ptr<waited<tier_read>> read(std::string key, read_options how) {
    auto what = std::make_shared<waited<tier_read>>();
    what->key = std::move(key);
    what->takes_lease = how.takes_lease;
    what->expects_miss = how.expects_miss;
    what->refresh = how.refresh;
    what->early = how.early;
    what->unusable = how.unusable;
    what->lease_for = how.lease_for;
    what->prefix = std::move(how.prefix);
    what->tags = std::move(how.tags);
    what->fresh = how.fresh;
    what->format = format;
    what->order = cache.get();
    return finished(what, [&] { tier->read(what); });
  }
  /// The read's outcome, and the payload of a hit.
  std::string text(std::string key) { return text_of(*read(std::move(key))); }
  static std::string text_of(const tier_read& what) {
    if (what.is == outcome::hit) return what.entry.absent ? "(absent)" : what.entry.payload;
    return what.is == outcome::leased ? "leased" : what.is == outcome::held ? "held" : "failed";
  }

  std::shared_ptr<waited<tier_fill>> fill(std::string key, const tier_nonce& lease, tier_entry entry,
                                          bool refresh = false) {
    auto what = std::make_shared<waited<tier_fill>>();
    what->key = std::move(key);
    what->lease = lease;
    what->entry = std::move(entry);
    what->refresh = refresh;
    what->format = format;
    return finished(what, [&] { tier->fill(what); });
  }
  /// Reads, which must give a lease, and fills.
  std::shared_ptr<waited<tier_fill>> load(const std::string& key, tier_entry entry) {
    const auto leased = read(key);
    EXPECT_EQ(leased->is, outcome::leased) << key;
    return fill(key, leased->nonce, std::move(entry));
  }

  std::shared_ptr<waited<tier_invalidation>> invalidate(std::vector<std::string> keys) {
    auto what = std::make_shared<waited<tier_invalidation>>();
    what->keys = std::move(keys);
    what->format = format;
    return finished(what, [&] { tier->invalidate(what); });
  }

  std::shared_ptr<waited<tier_put>> put(std::string key, tier_entry entry) {
    auto what = std::make_shared<waited<tier_put>>();
    what->key = std::move(key);
    what->entry = std::move(entry);
    return finished(what, [&] { tier->put(what); });
  }

  /// Stores an entry of the cache "c:" with these tags.
  std::shared_ptr<waited<tier_fill>> load_tagged(const std::string& key, std::vector<std::uint64_t> tags,
                                                 std::string payload) {
    const auto leased = read(key, {.prefix = "c:", .tags = std::move(tags)});
    EXPECT_EQ(leased->is, outcome::leased) << key;
    tier_entry entry = value_of(std::move(payload));
    entry.tags = leased->stamps;
    return fill(key, leased->nonce, std::move(entry));
  }
  std::shared_ptr<waited<tier_read>> read_tagged(const std::string& key, bool fresh = false) {
    return read(key, {.prefix = "c:", .fresh = fresh});
  }

  std::shared_ptr<waited<tier_tag_change>> change_tag(std::uint64_t tag) {
    auto what = std::make_shared<waited<tier_tag_change>>();
    what->prefix = "c:";
    what->tag = tag;
    return finished(what, [&] { tier->change_tag(what); });
  }

  shared_format format = shared_format::framed;  ///< Of the cache.
  std::shared_ptr<heard> cache = std::make_shared<heard>();
  std::shared_ptr<remote_tier> tier;

 private:
  template <class Call, class Begin>
  std::shared_ptr<Call> finished(std::shared_ptr<Call> what, Begin&& begin) {
    what->caller_waits = true;
    begin();
    tier->wait(what->done);
    return what;
  }
};

inline bool covers(const tier_proof* proof) { return proof && proof->covers(make_steady_clock()->now()); }

/// A budget that a slow machine keeps.
inline tier_options patient(tier_options how = {}) {
  how.budget = 10s;
  how.breaker.enabled = false;
  return how;
}

class shared_tier_test : public testing::Test {
 protected:
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    server = servers::redis_server::start();
  }

  std::unique_ptr<servers::redis_server> server;
};

}  // namespace seawall
