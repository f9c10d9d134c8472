// The other half of shop_session: opening a connection, and the writes.
#include "shop_queries.hpp"

#include <utility>

namespace seawall::demo {
namespace {

constexpr std::string_view update_product_sql =
    "UPDATE products SET stock = ?2, price_cents = ?3, version = version + 1 WHERE id = ?1 RETURNING version";
constexpr std::string_view update_user_sql =
    "UPDATE users SET loyalty_points = ?2, version = version + 1 WHERE id = ?1 RETURNING version";
constexpr std::string_view touch_user_sql = "UPDATE users SET version = version + 1 WHERE id = ?1 RETURNING version";
constexpr std::string_view update_order_sql =
    "UPDATE orders SET status = ?2, version = version + 1 WHERE id = ?1 RETURNING id, user_id, version";
// A customer's newest order, if it belongs to the open year: the closed one never changes.
constexpr std::string_view update_newest_order_sql = R"sql(
  UPDATE orders SET status = ?2, version = version + 1
  WHERE id = (SELECT id FROM orders WHERE user_id = ?1 AND placed_at >= 1704067200 ORDER BY placed_at DESC LIMIT 1)
  RETURNING id, user_id, version)sql";

std::uint32_t small(std::int64_t number) { return static_cast<std::uint32_t>(number); }

/// Every cached answer that shows something of a user or of their orders.
void derive_from_user(std::uint32_t user, std::vector<request_key>& derived) {
  derived.push_back({request_kind::user, 0, user});
  derived.push_back({request_kind::dashboard, 0, user});
  for (std::uint8_t page = 0; page < list_pages; ++page) derived.push_back({request_kind::order_list, page, user});
}

}  // namespace

shop_session::shop_session(std::unique_ptr<shop_connection> connection) : db_(std::move(connection)) {
  open_reads();
  open_writes();
}

void shop_session::write_product(std::uint32_t id, std::uint64_t variation, shop_change& change) {
  query& s = update_product_.bind(1, id).bind(2, static_cast<std::int64_t>(variation % 500));
  s.bind(3, static_cast<std::int64_t>(199 + variation % 19'800));
  const query_guard guard(s);
  if (!s.step()) return;
  change.rows.push_back({{table::products, id}, small(s.integer(0))});
  change.derived.push_back({request_kind::product_page, 0, id});
}

void shop_session::write_user(query& update, std::uint32_t id, shop_change& change) {
  const query_guard guard(update.bind(1, id));
  if (!update.step()) return;
  change.rows.push_back({{table::users, id}, small(update.integer(0))});
  derive_from_user(id, change.derived);
}

bool shop_session::write_order(query& update, std::uint32_t id, std::uint64_t variation, shop_change& change) {
  std::uint32_t user = 0;
  {
    query& s = update.bind(1, id).bind(2, static_cast<std::int64_t>(variation % order_statuses));
    const query_guard guard(s);
    if (!s.step()) return false;
    const std::uint32_t order = small(s.integer(0));
    user = small(s.integer(1));
    change.rows.push_back({{table::orders, order}, small(s.integer(2))});
    change.derived.push_back({request_kind::order, 0, order});
    while (s.step()) {
    }
  }
  write_user(touch_user_, user, change);
  return true;
}

void shop_session::write_rows(const request_key& key, std::uint64_t variation, shop_change& change) {
  update_user_.bind(2, static_cast<std::int64_t>(variation % 2'000));
  switch (key.kind) {
    case request_kind::product_page:
      write_product(key.id, variation, change);
      break;
    case request_kind::user:
      write_user(update_user_, key.id, change);
      break;
    case request_kind::order:
      write_order(update_order_, key.id, variation, change);
      break;
    case request_kind::order_list:
    case request_kind::dashboard:
      if (!write_order(update_newest_order_, key.id, variation, change)) write_user(update_user_, key.id, change);
      break;
  }
}

shop_change shop_session::write(const request_key& key, std::uint64_t variation, const before_commit& about_to) {
  shop_change change;
  db_->write([&] {
    change = {};
    write_rows(key, variation, change);
    about_to(change);
  });
  return change;
}

void shop_session::each_version(const std::function<void(row_version)>& f) {
  const auto scan = [&](table in, std::string_view sql) {
    query s = db_->prepare(sql);
    while (s.step()) f({{in, small(s.integer(0))}, small(s.integer(1))});
  };
  scan(table::products, "SELECT id, version FROM products");
  scan(table::users, "SELECT id, version FROM users");
  scan(table::orders, "SELECT id, version FROM orders");
}

void shop_session::open_writes() {
  update_product_ = db_->prepare(update_product_sql);
  update_user_ = db_->prepare(update_user_sql);
  touch_user_ = db_->prepare(touch_user_sql);
  update_order_ = db_->prepare(update_order_sql);
  update_newest_order_ = db_->prepare(update_newest_order_sql);
}

}  // namespace seawall::demo
