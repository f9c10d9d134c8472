// The web shop's data access: what a service would run for each kind of request, over one connection.
// A session belongs to one thread. Errors are exceptions: sqlite_error or postgres_failure.
#pragma once

#include "query.hpp"
#include "request.hpp"
#include "shop_schema.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace seawall::demo {

/// A row and its version.
struct row_version {
  row which;
  std::uint32_t version = 0;
};

/// What a write did: the rows it changed, and every cached answer that is derived from them.
struct shop_change {
  std::vector<row_version> rows;
  std::vector<request_key> derived;
};

class shop_session {
 public:
  /// Over a connection of a place, which must outlive it.
  explicit shop_session(std::unique_ptr<shop_connection> connection);

  /// The answer; nothing when the row does not exist. Its version is read first, and the rest in the same snapshot or
  /// later. Only the first page of an order list and later pages that exist have orders; an empty page is an answer,
  /// too.
  std::optional<answer> load(const request_key& key);

  /// Called when everything is written, before the commit; again if the transaction had to be run again.
  using before_commit = std::function<void(const shop_change&)>;
  /// Changes the row behind a request in a transaction, and commits: a product's price and stock, a user's loyalty
  /// points, an order's status. The version of each changed row goes up in the same UPDATE. `variation` chooses the new
  /// values. After an exception nothing has changed, unless the connection was lost during the commit.
  shop_change write(const request_key& key, std::uint64_t variation, const before_commit& about_to);
  /// See shop_connection.
  bool one_writer() const noexcept { return db_->one_writer(); }

  /// SELECT statements executed by `load` so far, transactions' BEGIN and COMMIT not counted.
  std::uint64_t queries() const noexcept { return queries_; }
  /// Calls `f` with each row that carries a version.
  void each_version(const std::function<void(row_version)>& f);
  /// To be called between phases: see shop_connection.
  void tidy() { db_->tidy(); }

 private:
  bool read(const request_key& key, answer& a);
  bool read_product_page(std::uint32_t id, answer& a);
  bool read_user(std::uint32_t id, answer& a);
  bool read_order(std::uint32_t id, answer& a);
  bool read_order_list(std::uint32_t user, std::uint8_t page, answer& a);
  bool read_dashboard(std::uint32_t user, answer& a);
  void write_product(std::uint32_t id, std::uint64_t variation, shop_change& change);
  void write_user(query& update, std::uint32_t id, shop_change& change);
  bool write_order(query& update, std::uint32_t id, std::uint64_t variation, shop_change& change);
  /// Starts a SELECT and counts it.
  bool first_row(query& s);
  void write_rows(const request_key& key, std::uint64_t variation, shop_change& change);
  void open_reads();
  void open_writes();

  std::unique_ptr<shop_connection> db_;
  std::uint64_t queries_ = 0;
  query product_, product_reviews_, related_products_;
  query user_, user_orders_, latest_orders_;
  query order_, order_items_;
  query list_user_, list_orders_;
  query own_spending_, city_spending_, open_orders_;
  query update_product_, update_user_, touch_user_, update_order_, update_newest_order_;
};

}  // namespace seawall::demo
