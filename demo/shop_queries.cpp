#include "shop_queries.hpp"

#include <fmt/format.h>

#include <chrono>
#include <iterator>

namespace seawall::demo {
namespace {

// The generator's texts hold no character that JSON would have to escape.

constexpr std::string_view product_sql = R"sql(
  SELECT p.id, p.version, p.name, p.description, p.price_cents, p.stock, p.rating, p.category_id, c.name, d.name
  FROM products p JOIN categories c ON c.id = p.category_id JOIN departments d ON d.id = c.department_id
  WHERE p.id = ?1)sql";

// Reviews and the names of users and products never change in this demo, so the page depends on its own row alone.
constexpr std::string_view product_reviews_sql = R"sql(
  SELECT u.name, r.stars, r.written_at, r.text FROM reviews r JOIN users u ON u.id = r.user_id
  WHERE r.product_id = ?1 ORDER BY r.written_at DESC LIMIT 10)sql";

constexpr std::string_view related_products_sql = R"sql(
  SELECT id, name, rating FROM products WHERE category_id = ?1 AND id <> ?2 ORDER BY rating DESC LIMIT 6)sql";

constexpr std::string_view user_sql = R"sql(
  SELECT u.id, u.version, u.name, u.email, u.street, c.name, u.loyalty_points
  FROM users u JOIN cities c ON c.id = u.city_id WHERE u.id = ?1)sql";

// What a shop shows beside a customer's name: how many orders, what they came to, how many are under way, the latest.
constexpr std::string_view user_orders_sql = R"sql(
  SELECT count(*), coalesce(sum(total_cents), 0), count(CASE WHEN status < 3 THEN 1 END)
  FROM orders WHERE user_id = ?1)sql";

constexpr std::string_view latest_orders_sql = R"sql(
  SELECT o.id, o.placed_at, o.status, o.total_cents, p.name
  FROM orders o JOIN order_items i ON i.order_id = o.id AND i.line = 1 JOIN products p ON p.id = i.product_id
  WHERE o.user_id = ?1 ORDER BY o.placed_at DESC LIMIT 3)sql";

constexpr std::string_view order_sql =
    "SELECT id, version, user_id, placed_at, status, total_cents FROM orders WHERE id = ?1";

constexpr std::string_view order_items_sql = R"sql(
  SELECT i.line, i.product_id, p.name, i.quantity, i.price_cents
  FROM order_items i JOIN products p ON p.id = i.product_id WHERE i.order_id = ?1 ORDER BY i.line)sql";

constexpr std::string_view list_user_sql = "SELECT id, version, name FROM users WHERE id = ?1";

constexpr std::string_view list_orders_sql = R"sql(
  SELECT o.id, o.placed_at, o.status, o.total_cents,
         (SELECT count(*) FROM order_items i WHERE i.order_id = o.id),
         (SELECT p.name FROM order_items i JOIN products p ON p.id = i.product_id
          WHERE i.order_id = o.id AND i.line = 1)
  FROM orders o WHERE o.user_id = ?1 ORDER BY o.placed_at DESC LIMIT 10 OFFSET ?2)sql";

constexpr std::string_view own_spending_sql = R"sql(
  SELECT strftime('%Y-%m', o.placed_at, 'unixepoch') AS month, d.name, sum(i.quantity * i.price_cents)
  FROM orders o JOIN order_items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id
  JOIN categories c ON c.id = p.category_id JOIN departments d ON d.id = c.department_id
  WHERE o.user_id = ?1 AND o.placed_at >= ?2 AND o.status <> 4 GROUP BY month, d.id ORDER BY month, d.id)sql";

// Spending per department of all customers of one city in the closed year. Those orders, their items and the
// products' categories never change, and users do not move: the answer is history, so the dashboard's age is told by
// the user's own version.
constexpr std::string_view city_spending_sql = R"sql(
  SELECT c.department_id, sum(i.quantity * i.price_cents), sum(i.quantity), count(*)
  FROM users u JOIN orders o ON o.user_id = u.id JOIN order_items i ON i.order_id = o.id
  JOIN products p ON p.id = i.product_id JOIN categories c ON c.id = p.category_id
  WHERE u.city_id = (SELECT city_id FROM users WHERE id = ?1)
    AND o.placed_at >= ?2 AND o.placed_at < ?3 AND o.status <> 4
  GROUP BY c.department_id)sql";

constexpr std::string_view open_orders_sql = R"sql(
  SELECT status, count(*), sum(total_cents) FROM orders WHERE user_id = ?1 AND placed_at >= ?2 GROUP BY status)sql";

template <class... Args>
void append(answer& a, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(a.body), format, std::forward<Args>(args)...);
}

/// Ends a JSON array: the separator after the last element becomes the bracket.
void end_array(answer& a) {
  if (a.body.back() == ',') a.body.pop_back();
  a.body.push_back(']');
}

std::uint32_t small(std::int64_t number) { return static_cast<std::uint32_t>(number); }

}  // namespace

void shop_session::open_reads() {
  product_ = db_->prepare(product_sql);
  product_reviews_ = db_->prepare(product_reviews_sql);
  related_products_ = db_->prepare(related_products_sql);
  user_ = db_->prepare(user_sql);
  user_orders_ = db_->prepare(user_orders_sql);
  latest_orders_ = db_->prepare(latest_orders_sql);
  order_ = db_->prepare(order_sql);
  order_items_ = db_->prepare(order_items_sql);
  list_user_ = db_->prepare(list_user_sql);
  list_orders_ = db_->prepare(list_orders_sql);
  own_spending_ = db_->prepare(own_spending_sql);
  city_spending_ = db_->prepare(city_spending_sql);
  open_orders_ = db_->prepare(open_orders_sql);
}

bool shop_session::first_row(query& s) {
  ++queries_;
  return s.step();
}

bool shop_session::read_product_page(std::uint32_t id, answer& a) {
  const query_guard guard(product_.bind(1, id));
  if (!first_row(product_)) return false;
  const std::int64_t category = product_.integer(7);
  a.key.id = small(product_.integer(0));
  a.version = small(product_.integer(1));
  append(a, R"({{"id":{},"name":"{}","description":"{}","price":{},"stock":{},"rating":{},"path":"{}/{}","reviews":[)",
         a.key.id, product_.text(2), product_.text(3), product_.integer(4), product_.integer(5), product_.integer(6),
         product_.text(9), product_.text(8));
  query& r = product_reviews_.bind(1, id);
  const query_guard reviews_guard(r);
  for (bool more = first_row(r); more; more = r.step()) {
    append(a, R"({{"by":"{}","stars":{},"at":{},"text":"{}"}},)", r.text(0), r.integer(1), r.integer(2), r.text(3));
  }
  end_array(a);
  a.body += R"(,"related":[)";
  query& other = related_products_.bind(1, category).bind(2, id);
  const query_guard related_guard(other);
  for (bool more = first_row(other); more; more = other.step()) {
    append(a, R"({{"id":{},"name":"{}","rating":{}}},)", other.integer(0), other.text(1), other.integer(2));
  }
  end_array(a);
  a.body += '}';
  return true;
}

bool shop_session::read_user(std::uint32_t id, answer& a) {
  const query_guard guard(user_.bind(1, id));
  if (!first_row(user_)) return false;
  a.key.id = small(user_.integer(0));
  a.version = small(user_.integer(1));
  append(a, R"({{"id":{},"name":"{}","email":"{}","street":"{}","city":"{}","points":{})", a.key.id, user_.text(2),
         user_.text(3), user_.text(4), user_.text(5), user_.integer(6));
  query& o = user_orders_.bind(1, id);
  const query_guard orders_guard(o);
  if (first_row(o)) {
    append(a, R"(,"orders":{},"spent":{},"under_way":{},"latest":[)", o.integer(0), o.integer(1), o.integer(2));
  }
  query& latest = latest_orders_.bind(1, id);
  const query_guard latest_guard(latest);
  for (bool more = first_row(latest); more; more = latest.step()) {
    append(a, R"({{"id":{},"placed_at":{},"status":{},"total":{},"first":"{}"}},)", latest.integer(0),
           latest.integer(1), latest.integer(2), latest.integer(3), latest.text(4));
  }
  end_array(a);
  a.body += '}';
  return true;
}

bool shop_session::read_order(std::uint32_t id, answer& a) {
  const query_guard guard(order_.bind(1, id));
  if (!first_row(order_)) return false;
  a.key.id = small(order_.integer(0));
  a.version = small(order_.integer(1));
  append(a, R"({{"id":{},"user":{},"placed_at":{},"status":{},"total":{},"items":[)", a.key.id, order_.integer(2),
         order_.integer(3), order_.integer(4), order_.integer(5));
  query& i = order_items_.bind(1, id);
  const query_guard items_guard(i);
  for (bool more = first_row(i); more; more = i.step()) {
    append(a, R"({{"line":{},"product":{},"name":"{}","quantity":{},"price":{}}},)", i.integer(0), i.integer(1),
           i.text(2), i.integer(3), i.integer(4));
  }
  end_array(a);
  a.body += '}';
  return true;
}

bool shop_session::read_order_list(std::uint32_t user, std::uint8_t page, answer& a) {
  const query_guard guard(list_user_.bind(1, user));
  if (!first_row(list_user_)) return false;
  a.key.id = small(list_user_.integer(0));
  a.version = small(list_user_.integer(1));
  append(a, R"({{"user":{},"name":"{}","page":{},"orders":[)", a.key.id, list_user_.text(2), page);
  query& o = list_orders_.bind(1, user).bind(2, 10 * page);
  const query_guard orders_guard(o);
  for (bool more = first_row(o); more; more = o.step()) {
    append(a, R"({{"id":{},"placed_at":{},"status":{},"total":{},"lines":{},"first":"{}"}},)", o.integer(0),
           o.integer(1), o.integer(2), o.integer(3), o.integer(4), o.text(5));
  }
  end_array(a);
  a.body += '}';
  return true;
}

bool shop_session::read_dashboard(std::uint32_t user, answer& a) {
  const query_guard guard(list_user_.bind(1, user));
  if (!first_row(list_user_)) return false;
  a.key.id = small(list_user_.integer(0));
  a.version = small(list_user_.integer(1));
  append(a, R"({{"user":{},"name":"{}","spending":[)", a.key.id, list_user_.text(2));
  query& own = own_spending_.bind(1, user).bind(2, shop_calendar::open_from);
  const query_guard own_guard(own);
  for (bool more = first_row(own); more; more = own.step()) {
    append(a, R"({{"month":"{}","department":"{}","spent":{}}},)", own.text(0), own.text(1), own.integer(2));
  }
  end_array(a);
  a.body += R"(,"your_city_last_year":[)";
  query& city = city_spending_.bind(1, user).bind(2, shop_calendar::closed_from).bind(3, shop_calendar::open_from);
  const query_guard city_guard(city);
  for (bool more = first_row(city); more; more = city.step()) {
    append(a, R"({{"department":{},"spent":{},"pieces":{},"items":{}}},)", city.integer(0), city.integer(1),
           city.integer(2), city.integer(3));
  }
  end_array(a);
  a.body += R"(,"this_year":[)";
  query& open = open_orders_.bind(1, user).bind(2, shop_calendar::open_from);
  const query_guard open_guard(open);
  for (bool more = first_row(open); more; more = open.step()) {
    append(a, R"({{"status":{},"orders":{},"total":{}}},)", open.integer(0), open.integer(1), open.integer(2));
  }
  end_array(a);
  a.body += '}';
  return true;
}

bool shop_session::read(const request_key& key, answer& a) {
  switch (key.kind) {
    case request_kind::product_page:
      return read_product_page(key.id, a);
    case request_kind::user:
      return read_user(key.id, a);
    case request_kind::order:
      return read_order(key.id, a);
    case request_kind::order_list:
      return read_order_list(key.id, key.page, a);
    case request_kind::dashboard:
      return read_dashboard(key.id, a);
  }
  return false;
}

std::optional<answer> shop_session::load(const request_key& key) {
  answer a;
  a.key = {key.kind, key.page, 0};
  db_->begin_read();
  bool found = false;
  try {
    found = read(key, a);
    db_->end_read();
  } catch (...) {
    db_->abandon_read();
    throw;
  }
  if (!found) return std::nullopt;
  a.made_at = std::chrono::steady_clock::now().time_since_epoch().count();
  return a;
}

}  // namespace seawall::demo
