// The results of queries, cached under the tags of the tables that they read.
//
//   sql::cached_query<product> cheap{lists, db, "SELECT ... WHERE price < ?1"};
//   auto found = cheap(100);                                              // result<value_ptr<std::vector<product>>>
//   t.invalidates_tag(lists, sql::table_tag("products"));                 // in a transaction that writes to the table
//   capture.table("products").tag(lists, sql::table_tag("products"));     // or whoever writes: change_capture.hpp
#pragma once

#include "seawall/base/key_builder.hpp"
#include "seawall/base/params.hpp"
#include "seawall/cache.hpp"
#include "seawall/source/sql_database.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace seawall::sql {

/// The tag of all cached queries that read a table: "table:products". The name is the catalog's, without quotes, and
/// with its schema, "shop.products", unless that is `public` (SQLite: `main`), which may be left out: "public.products"
/// has the same tag. Of a partition: the table that it is a part of.
std::string table_tag(std::string_view table);

namespace detail {

/// The tags of a query's tables. Thread safety: all members may be called from any thread.
class query_tags {
 public:
  /// Named: one table at least, else they are to be asked for.
  query_tags(std::string_view statement, const std::vector<std::string_view>& tables);

  /// Null: nobody has asked for them with success.
  const result<tag_list>* known() const noexcept { return known_.load(std::memory_order_acquire) ? &tags_ : nullptr; }
  /// Asks the database. Of several at once each asks.
  result<tag_list> ask(database& db, std::string_view statement);

 private:
  static result<tag_list> tags_of(std::string_view statement, const std::vector<std::string_view>& tables);

  std::mutex mutex_;
  result<tag_list> tags_{};  // written once, under mutex_, before known_
  std::atomic<bool> known_;
};

}  // namespace detail

/// The results of a query with parameters, cached: the key is made of the statement and the arguments, the tags of the
/// tables that it reads. Whoever writes one of these invalidates its tag.
/// The database says which tables these are, with the first load, and once: those that the statement names, also in
/// sub-queries and CTEs, those below views, and with PostgreSQL what inherits from them or row security reads.
/// Not seen: what functions read that the statement calls, and tables of pg_catalog. A view that is defined anew counts
/// as it was, until the object is made anew, too.
/// A query without any table fails with errc::argument, as does one with more than eight, since an entry has no more
/// tags: name those that matter. A table in a schema that the search path has besides `public` counts twice, as it may
/// be named with its schema or without. A load that cannot ask the database fails, and the next one asks again.
/// One cache may serve many queries of one T. Copies share what they know. The cache must outlive it.
/// Thread safety: constant calls may be made from any thread at once.
template <class T>
class cached_query {
 public:
  using cache_type = cache<std::string, std::vector<T>>;

  /// With `tables`, one to eight, these are its tables, and the database is not asked.
  cached_query(cache_type& results, std::shared_ptr<database> db, std::string statement,
               const std::vector<std::string_view>& tables = {})
      : results_(&results),
        db_(std::move(db)),
        statement_(std::move(statement)),
        tags_(std::make_shared<detail::query_tags>(statement_, tables)) {}

  template <class... Args>
  typename cache_type::answer operator()(const Args&... args) const {
    entry_options how;
    const auto* known = tags_->known();
    if (known != nullptr) {
      if (!*known) return std::unexpected(known->error());
      how.tags = **known;
    }
    // Only a load needs them: what is cached is answered while the database is away.
    const auto load = [&](const std::string&) -> result<loaded<std::vector<T>>> {
      entry_options found;
      if (known == nullptr) {
        auto asked = tags_->ask(*db_, statement_);
        if (!asked) return std::unexpected(std::move(asked).error());
        found.tags = *asked;
      }
      auto all = db_->template query<T>(statement_, args...);
      if (!all) return std::unexpected(std::move(all).error());
      return loaded<std::vector<T>>(*std::move(all)).with(found);
    };
    return results_->get_or_load(key(args...), load, how);
  }

  /// The key under which the result for these arguments is kept.
  template <class... Args>
  std::string key(const Args&... args) const {
    return seawall::key("sql").hashed(params().add("statement", statement_).add("arguments", std::tie(args...))).str();
  }

 private:
  cache_type* results_;
  std::shared_ptr<database> db_;
  std::string statement_;
  std::shared_ptr<detail::query_tags> tags_;
};

}  // namespace seawall::sql
