// The results of queries, cached under the tags of the tables that they read.
#pragma once

#include "seawall/base/key_builder.hpp"
#include "seawall/base/params.hpp"
#include "seawall/cache.hpp"
#include "seawall/source/sql_database.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace seawall::sql {

/// The tag of all cached queries that read a table: "table:products".
inline std::string table_tag(std::string_view table) { return "table:" + std::string{table}; }

/// The results of a query with parameters, cached: the key is made of the statement and the arguments, the tags of the
/// tables that it reads. Whoever writes one of these invalidates its tag:
///   sql::cached_query<product> cheap{lists, db, "SELECT ... WHERE price < ?1", {"products"}};
///   auto found = cheap(100);                                              // result<value_ptr<std::vector<product>>>
///   t.invalidates_tag(lists, sql::table_tag("products"));                 // in a transaction
/// One cache may serve many queries of one T. The cache must outlive it.
template <class T>
class cached_query {
 public:
  using cache_type = cache<std::string, std::vector<T>>;

  /// One table at least, or nobody could invalidate the results; eight at most, as an entry has eight tags. Otherwise
  /// every call fails with errc::argument.
  cached_query(cache_type& results, std::shared_ptr<database> db, std::string statement,
               const std::vector<std::string_view>& tables)
      : results_(&results), db_(std::move(db)), statement_(std::move(statement)), fits_(!tables.empty()) {
    for (const std::string_view table : tables) fits_ &= tags_.add(table_tag(table));
  }

  template <class... Args>
  typename cache_type::answer operator()(const Args&... args) const {
    if (!fits_) return fail(errc::argument, "one to eight tables must be named of \"" + shortened(statement_) + "\"");
    entry_options how;
    how.tags = tags_;
    return results_->get_or_load(
        key(args...), [&](const std::string&) { return db_->template query<T>(statement_, args...); }, how);
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
  tag_list tags_{};
  bool fits_;
};

}  // namespace seawall::sql
