// sql::transaction: statements that take place together or not at all, and what they make stale in caches.
//
//   auto moved = db->transact([&](sql::transaction& t) -> seawall::result<void> {
//     if (auto done = t.execute("UPDATE products SET price = ?2 WHERE id = ?1", 7, 990); !done)
//       return std::unexpected(done.error());
//     t.invalidates(products, 7);
//     t.invalidates_tag(lists, "category:3");
//     return {};
//   });
//
// Nothing is invalidated before the commit: a reader would store the old row again. After it everything is, in order.
// An error that is returned, or an exception, rolls back, and nothing is invalidated. Where nobody knows whether the
// commit took place (errc::outcome_unknown), everything is invalidated: one too many costs a load.
// A failing cache never fails a committed transaction: what throws there is caught.
// Thread safety: a transaction belongs to the call that it was given to, one thread at a time. The caches must live
// until `transact` returns.
#pragma once

#include "seawall/cache/policy.hpp"
#include "seawall/source/sql_connection.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::sql {

class database;

struct transact_options {
  /// Writes what is invalidated into the table of outbox.hpp, within the transaction: a relay does it again, should
  /// this process die between the commit and the invalidations.
  bool outbox = false;
  /// How often everything is done again, from the beginning, after errc::conflict.
  unsigned retries = 0;
};

namespace detail {

/// What to do after the commit; with an outbox, also as its row.
struct aftermath {
  std::move_only_function<void(bool puts)> apply;  // what would put only invalidates without `puts`
  std::string cache;
  std::string_view kind;  // "key", "tag" or "all"
  std::string item;
};

/// Calls `write`; what it throws becomes an error.
template <class Write, class Given>
auto guarded(Write& write, Given& given) -> std::invoke_result_t<Write&, Given&> {
  static_assert(seawall::detail::is_result<std::invoke_result_t<Write&, Given&>>,
                "seawall::sql: what is run in a transaction returns a seawall::result: an error rolls back");
  try {
    return write(given);
  } catch (...) {
    return std::unexpected(seawall::detail::current_failure());
  }
}

}  // namespace detail

class transaction final : public statements {
 public:
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  /// Rolls back what was not committed.
  ~transaction() override;

  result<rows> run(std::string_view statement, std::span<const value> given, access how) override;

  /// After the commit: cache.invalidate(key). With an outbox, keys need a codec.
  template <class Cache>
  void invalidates(Cache& cache, typename Cache::key_type key) {
    std::string item;
    if (outbox_) item = print(cache.name(), key);
    auto apply = [&cache, which = std::move(key)](bool) { cache.invalidate(which); };
    after_.push_back({std::move(apply), cache.name(), "key", std::move(item)});
  }

  /// After the commit: cache.invalidate_tag(tag).
  template <class Cache>
  void invalidates_tag(Cache& cache, std::string tag) {
    std::string item = tag;
    auto apply = [&cache, which = std::move(tag)](bool) { cache.invalidate_tag(which); };
    after_.push_back({std::move(apply), cache.name(), "tag", std::move(item)});
  }

  /// After the commit: cache.clear().
  template <class Cache>
  void invalidates_all(Cache& cache) {
    after_.push_back({[&cache](bool) { cache.clear(); }, cache.name(), "all", {}});
  }

  /// After the commit: cache.put(key, value, how), with `version`, the row's, in `how`, which is otherwise the entry's
  /// own, tags and times. Until that is done, no other transaction of this database in this process that puts commits,
  /// and none that invalidates goes on, so that none that is later is overtaken. Loaders of the cache must give
  /// versions, too, if it has a shared tier. With an outbox, the relay invalidates the key. It is only invalidated
  /// where the commit may not have taken place, and where what the put calls (on_removal) has written meanwhile; that
  /// must not wait for another thread which writes.
  template <class Cache>
  void publishes(Cache& cache, typename Cache::key_type key, typename Cache::mapped_type what, std::uint64_t version,
                 entry_options how = {}) {
    std::string item;
    if (outbox_) item = print(cache.name(), key);
    publishes_ = true;
    how.version = version;
    auto apply = [&cache, which = std::move(key), held = std::move(what), how](bool puts) mutable {
      try {
        if (!puts) return static_cast<void>(cache.invalidate(which));
        cache.put(which, std::move(held), how);
      } catch (...) {
        cache.invalidate(which);
      }
    };
    after_.push_back({std::move(apply), cache.name(), "key", std::move(item)});
  }

  /// Runs a part that may fail by itself: `write(sql::transaction&)` to a result. An error or an exception undoes its
  /// statements, forgets its invalidations, and is returned; the transaction goes on.
  template <class Write>
  auto savepoint(Write&& write) -> std::invoke_result_t<Write&, transaction&> {
    const std::size_t before = after_.size();
    if (auto begun = enter(); !begun) return std::unexpected(std::move(begun).error());
    auto done = detail::guarded(write, *this);
    if (auto left = leave(before, done.has_value()); !left) return std::unexpected(std::move(left).error());
    return done;
  }

 private:
  friend class database;
  transaction(database& of, bool outbox) noexcept : of_(of), outbox_(outbox) {}

  result<void> begin();
  result<void> commit();
  void roll_back() noexcept;

  result<void> enter();
  result<void> leave(std::size_t before, bool keep);
  result<void> write_outbox();
  result<void> finish();
  void apply(bool puts) noexcept;
  void give_back() noexcept;

  template <class K>
  std::string print(const std::string& cache, const K& key) {
    if constexpr (encodable<K>) {
      std::string scratch;
      return std::string{encode(key, scratch)};
    } else {
      doom(fail(errc::argument, "the keys of the cache '" + cache + "' need a codec for the outbox: see "
                                "seawall/base/codec.hpp").error());
      return {};
    }
  }
  void doom(error why);

  database& of_;
  connection* on_ = nullptr;
  bool outbox_;
  bool publishes_ = false;
  unsigned depth_ = 0;
  std::optional<error> doomed_;  // why it cannot be committed any more
  std::vector<detail::aftermath> after_;
};

}  // namespace seawall::sql
