// The web shop's data access: what a service would run for each kind of request, over one connection.
// A session belongs to one thread. Errors are sqlite_error exceptions.
#pragma once

#include "request.hpp"
#include "shop_schema.hpp"
#include "sqlite.hpp"

#include <cstdint>
#include <functional>
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
  explicit shop_session(const std::string& path);

  /// The answer, read in one snapshot; nothing when the row does not exist. Only the first page of an order list
  /// and later pages that exist have orders; an empty page is an answer, too.
  std::optional<answer> load(const request_key& key);

  /// Changes the row behind a request inside a transaction that stays open: a product's price and stock, a user's
  /// loyalty points, an order's status. The version of each changed row goes up in the same UPDATE. `variation`
  /// chooses the new values. Finish with `commit`; an exception has rolled back already.
  shop_change begin_write(const request_key& key, std::uint64_t variation);
  void commit();

  /// SELECT statements executed by `load` so far, transactions' BEGIN and COMMIT not counted.
  std::uint64_t queries() const noexcept { return queries_; }
  /// Calls `f` with each row that carries a version.
  void each_version(const std::function<void(row_version)>& f);
  /// Writes the log back into the database file, so that the next phase starts with a short one.
  void checkpoint();

 private:
  bool read(const request_key& key, answer& a);
  bool read_product_page(std::uint32_t id, answer& a);
  bool read_user(std::uint32_t id, answer& a);
  bool read_order(std::uint32_t id, answer& a);
  bool read_order_list(std::uint32_t user, std::uint8_t page, answer& a);
  bool read_dashboard(std::uint32_t user, answer& a);
  void write_product(std::uint32_t id, std::uint64_t variation, shop_change& change);
  void write_user(statement& update, std::uint32_t id, shop_change& change);
  bool write_order(statement& update, std::uint32_t id, std::uint64_t variation, shop_change& change);
  /// Starts a SELECT and counts it.
  bool first_row(statement& s);
  void rollback() noexcept;
  void open_reads();
  void open_writes();

  database db_;
  std::uint64_t queries_ = 0;
  statement begin_, commit_, rollback_, begin_write_;
  statement product_, product_reviews_, related_products_;
  statement user_, user_orders_, latest_orders_;
  statement order_, order_items_;
  statement list_user_, list_orders_;
  statement own_spending_, city_spending_, open_orders_;
  statement update_product_, update_user_, touch_user_, update_order_, update_newest_order_;
};

}  // namespace seawall::demo
