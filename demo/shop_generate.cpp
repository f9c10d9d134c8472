#include "shop_generate.hpp"

#include "request.hpp"
#include "sqlite.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <iterator>
#include <string_view>

namespace seawall::demo {
namespace {

constexpr std::array<std::string_view, 16> first_names{"Ada",   "Bjarne", "Chen",   "Dorothea", "Emil",  "Fatima",
                                                       "Grace", "Hedwig", "Ivan",   "Jun",      "Karla", "Lars",
                                                       "Mina",  "Noor",   "Oluwole", "Paula"};
constexpr std::array<std::string_view, 16> last_names{"Adler",  "Brook", "Castillo", "Dahl",  "Eriksen", "Fischer",
                                                      "Garcia", "Huang", "Ito",      "Jansen", "Kowalska", "Lindt",
                                                      "Moreau", "Novak", "Okafor",   "Petrov"};
constexpr std::array<std::string_view, 20> department_names{
    "Kitchen", "Garden", "Tools",  "Toys",   "Books",    "Music", "Shoes",  "Bags",  "Bikes",  "Camping",
    "Office",  "Lamps",  "Sports", "Beauty", "Groceries", "Pets", "Phones", "Audio", "Cameras", "Computers"};
constexpr std::array<std::string_view, 24> words{
    "light", "sturdy", "small",   "washable", "steel",  "oak",    "linen",  "blue",
    "quiet", "warm",   "fast",    "folding",  "spare",  "travel", "classic", "outdoor",
    "round", "winter", "summer",  "double",   "handle", "cover",  "set",    "case"};

/// A reproducible stream of numbers; each table has its own, so that the order of filling does not matter.
class dice {
 public:
  explicit dice(std::uint64_t seed) : state_(mix(seed)) {}
  std::uint64_t next() { return mix(state_++); }
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(next() % n); }
  double share() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// An id in 1..n; the greater `skew`, the more often small ones.
  std::uint32_t id(std::uint32_t n, double skew) { return 1 + static_cast<std::uint32_t>(n * std::pow(share(), skew)); }
  template <class Names>
  std::string_view pick(const Names& names) {
    return names[below(static_cast<std::uint32_t>(names.size()))];
  }
  std::string sentence(std::uint32_t length) {
    std::string text;
    for (std::uint32_t i = 0; i < length; ++i) text.append(i == 0 ? "" : " ").append(pick(words));
    return text;
  }

 private:
  std::uint64_t state_;
};

std::uint32_t list_price(std::uint32_t product) { return 199 + static_cast<std::uint32_t>(mix(product) % 19'800); }

/// Reports progress over all tables, whose rows cost about the same each.
class meter {
 public:
  meter(const generate_progress& progress, double total) : progress_(progress), total_(total) {}
  void doing(std::string_view what) { what_ = what; }
  void row(std::uint32_t rows = 1) {
    done_ += rows;
    if (done_ < next_) return;
    next_ = done_ + total_ / 200;
    report(done_ / total_ * rows_share);
  }
  void report(double share) const {
    if (!progress_(what_, share)) throw generation_stopped();
  }
  /// What the tables take of the whole time; the rest is for the indexes.
  static constexpr double rows_share = 0.85;

 private:
  const generate_progress& progress_;
  std::string_view what_ = "tables";
  double total_;
  double done_ = 0;
  double next_ = 0;
};

void fill_catalogue(database& db, const shop_size& size, meter& m) {
  dice d(1);
  m.doing("products");
  statement departments = db.prepare("INSERT INTO departments VALUES (?1, ?2)");
  for (std::uint32_t id = 1; id <= size.departments; ++id) {
    departments.bind(1, id).bind(2, department_names[(id - 1) % department_names.size()]).run();
  }
  statement categories = db.prepare("INSERT INTO categories VALUES (?1, ?2, ?3)");
  for (std::uint32_t id = 1; id <= size.categories; ++id) {
    const std::string name = d.sentence(2);
    categories.bind(1, id).bind(2, 1 + (id - 1) % size.departments).bind(3, std::string_view(name)).run();
  }
  statement products = db.prepare("INSERT INTO products VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)");
  for (std::uint32_t id = 1; id <= size.products; ++id) {
    const std::string name = d.sentence(3);
    const std::string description = d.sentence(60);
    products.bind(1, id).bind(2, 1 + d.below(size.categories)).bind(3, std::string_view(name));
    products.bind(4, std::string_view(description)).bind(5, list_price(id)).bind(6, d.below(500));
    products.bind(7, d.below(51)).run();
    m.row();
  }
}

void fill_users(database& db, const shop_size& size, meter& m) {
  dice d(2);
  m.doing("users");
  statement cities = db.prepare("INSERT INTO cities VALUES (?1, ?2)");
  for (std::uint32_t id = 1; id <= size.cities; ++id) {
    const std::string name = fmt::format("{}ville {}", d.pick(last_names), id);
    cities.bind(1, id).bind(2, std::string_view(name)).run();
  }
  statement users = db.prepare("INSERT INTO users VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)");
  for (std::uint32_t id = 1; id <= size.users; ++id) {
    const std::string name = fmt::format("{} {}", d.pick(first_names), d.pick(last_names));
    const std::string email = fmt::format("customer{}@example.com", id);
    const std::string street = fmt::format("{} street {}", d.pick(words), 1 + d.below(200));
    users.bind(1, id).bind(2, 1 + d.below(size.cities)).bind(3, std::string_view(name));
    users.bind(4, std::string_view(email)).bind(5, std::string_view(street)).bind(6, d.below(2'000)).run();
    m.row();
  }
}

void fill_orders(database& db, const shop_size& size, meter& m) {
  dice d(3);
  m.doing("orders");
  statement orders = db.prepare("INSERT INTO orders VALUES (?1, ?2, ?3, ?4, ?5, 1)");
  statement items = db.prepare("INSERT INTO order_items VALUES (?1, ?2, ?3, ?4, ?5)");
  const double span = static_cast<double>(shop_calendar::open_until - shop_calendar::closed_from) / size.orders;
  for (std::uint32_t id = 1; id <= size.orders; ++id) {
    const std::uint32_t lines = 1 + d.below(4);
    std::int64_t total = 0;
    for (std::uint32_t line = 1; line <= lines; ++line) {
      const std::uint32_t product = d.id(size.products, 1.5);
      const std::uint32_t quantity = 1 + d.below(8) / 6;
      total += std::int64_t{quantity} * list_price(product);
      items.bind(1, id).bind(2, line).bind(3, product).bind(4, quantity).bind(5, list_price(product)).run();
    }
    const bool closed = id < size.first_open_order();
    // Half of the span by construction: the closed year ends where the open one begins.
    const auto placed_at = closed ? shop_calendar::closed_from + static_cast<std::int64_t>((id - 1) * span)
                                  : shop_calendar::open_from + static_cast<std::int64_t>(
                                                                   (id - size.first_open_order()) * span);
    const auto status = closed ? (d.below(20) == 0 ? order_status::returned : order_status::delivered)
                               : static_cast<order_status>(d.below(order_statuses));
    orders.bind(1, id).bind(2, d.id(size.users, 1.3)).bind(3, placed_at);
    orders.bind(4, static_cast<std::int64_t>(status)).bind(5, total).run();
    m.row(1 + lines);
  }
}

void fill_reviews(database& db, const shop_size& size, meter& m) {
  dice d(4);
  m.doing("reviews");
  statement reviews = db.prepare("INSERT INTO reviews VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
  constexpr double span = shop_calendar::open_until - shop_calendar::closed_from;
  for (std::uint32_t id = 1; id <= size.reviews; ++id) {
    const std::string text = d.sentence(8 + d.below(20));
    reviews.bind(1, id).bind(2, d.id(size.products, 1.5)).bind(3, 1 + d.below(size.users));
    reviews.bind(4, shop_calendar::closed_from + static_cast<std::int64_t>(d.share() * span));
    reviews.bind(5, 1 + d.below(5)).bind(6, std::string_view(text)).run();
    m.row();
  }
}

}  // namespace

void generate_shop(const std::string& path, const shop_size& size, const generate_progress& progress) {
  database db(path, open_mode::create);
  // The file appears under its own name only when it is complete, so a journal would protect nothing.
  db.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;"
             "PRAGMA cache_size = -200000; PRAGMA temp_store = MEMORY; BEGIN");
  db.execute(shop_tables());
  meter m(progress, size.products + size.users + 3.5 * size.orders + size.reviews);
  m.report(0);
  fill_catalogue(db, size, m);
  fill_users(db, size, m);
  fill_orders(db, size, m);
  fill_reviews(db, size, m);
  m.doing("indexes");
  m.report(meter::rows_share);
  db.execute(shop_indexes());
  m.report(0.98);
  db.execute(fmt::format("INSERT INTO shop_size VALUES ({}, {}, {}, {}, {}, {}, {})", size.users, size.products,
                         size.orders, size.reviews, size.departments, size.categories, size.cities));
  db.execute("PRAGMA analysis_limit = 1000; ANALYZE; COMMIT");
  db.execute("PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = WAL");
  db.execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", shop_application_id,
                         shop_schema_version));
  m.report(1);
}

shop_size read_shop_size(const std::string& path) {
  database db(path, open_mode::existing);
  statement s = db.prepare("SELECT users, products, orders, reviews, departments, categories, cities FROM shop_size");
  if (!s.step()) throw sqlite_error(SQLITE_CORRUPT, fmt::format("database {}: it holds no shop", path));
  const auto count = [&s](int column) { return static_cast<std::uint32_t>(s.integer(column)); };
  return {count(0), count(1), count(2), count(3), count(4), count(5), count(6)};
}

}  // namespace seawall::demo
