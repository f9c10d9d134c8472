#include "shop_generate.hpp"

#include "request.hpp"
#include "sqlite.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <initializer_list>
#include <span>
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

/// A table that is filled with rows of braces.
class rows_of {
 public:
  rows_of(shop_filler& to, std::string_view table, std::string_view kinds) : sink_(to.into(table, kinds)) {}
  void add(std::initializer_list<cell> row) { sink_->add({row.begin(), row.size()}); }
  void finish() { sink_->finish(); }

 private:
  std::unique_ptr<row_sink> sink_;
};

void fill_catalogue(shop_filler& to, const shop_size& size, meter& m) {
  dice d(1);
  m.doing("products");
  rows_of departments(to, "departments", "it");
  for (std::uint32_t id = 1; id <= size.departments; ++id) {
    departments.add({id, department_names[(id - 1) % department_names.size()]});
  }
  departments.finish();
  rows_of categories(to, "categories", "iit");
  for (std::uint32_t id = 1; id <= size.categories; ++id) {
    const std::string name = d.sentence(2);
    categories.add({id, 1 + (id - 1) % size.departments, name});
  }
  categories.finish();
  rows_of products(to, "products", "iittiiii");
  for (std::uint32_t id = 1; id <= size.products; ++id) {
    const std::string name = d.sentence(3);
    const std::string description = d.sentence(60);
    // Each throw of the dice by itself: their order is that of the statements.
    const std::uint32_t category = 1 + d.below(size.categories);
    const std::uint32_t stock = d.below(500);
    const std::uint32_t rating = d.below(51);
    products.add({id, category, name, description, list_price(id), stock, rating, 1});
    m.row();
  }
  products.finish();
}

void fill_users(shop_filler& to, const shop_size& size, meter& m) {
  dice d(2);
  m.doing("users");
  rows_of cities(to, "cities", "it");
  for (std::uint32_t id = 1; id <= size.cities; ++id) {
    const std::string name = fmt::format("{}ville {}", d.pick(last_names), id);
    cities.add({id, name});
  }
  cities.finish();
  rows_of users(to, "users", "iitttii");
  for (std::uint32_t id = 1; id <= size.users; ++id) {
    const std::string name = fmt::format("{} {}", d.pick(first_names), d.pick(last_names));
    const std::string email = fmt::format("customer{}@example.com", id);
    const std::string street = fmt::format("{} street {}", d.pick(words), 1 + d.below(200));
    const std::uint32_t city = 1 + d.below(size.cities);
    const std::uint32_t points = d.below(2'000);
    users.add({id, city, name, email, street, points, 1});
    m.row();
  }
  users.finish();
}

void fill_orders(shop_filler& to, const shop_size& size, meter& m) {
  dice d(3);
  m.doing("orders");
  rows_of orders(to, "orders", "iiiiii");
  rows_of items(to, "order_items", "iiiii");
  const double span = static_cast<double>(shop_calendar::open_until - shop_calendar::closed_from) / size.orders;
  for (std::uint32_t id = 1; id <= size.orders; ++id) {
    const std::uint32_t lines = 1 + d.below(4);
    std::int64_t total = 0;
    for (std::uint32_t line = 1; line <= lines; ++line) {
      const std::uint32_t product = d.id(size.products, 1.5);
      const std::uint32_t quantity = 1 + d.below(8) / 6;
      total += std::int64_t{quantity} * list_price(product);
      items.add({id, line, product, quantity, list_price(product)});
    }
    const bool closed = id < size.first_open_order();
    // Half of the span by construction: the closed year ends where the open one begins.
    const auto placed_at = closed ? shop_calendar::closed_from + static_cast<std::int64_t>((id - 1) * span)
                                  : shop_calendar::open_from + static_cast<std::int64_t>(
                                                                   (id - size.first_open_order()) * span);
    const auto status = closed ? (d.below(20) == 0 ? order_status::returned : order_status::delivered)
                               : static_cast<order_status>(d.below(order_statuses));
    orders.add({id, d.id(size.users, 1.3), placed_at, static_cast<std::int64_t>(status), total, 1});
    m.row(1 + lines);
  }
  orders.finish();
  items.finish();
}

void fill_reviews(shop_filler& to, const shop_size& size, meter& m) {
  dice d(4);
  m.doing("reviews");
  rows_of reviews(to, "reviews", "iiiiit");
  constexpr double span = shop_calendar::open_until - shop_calendar::closed_from;
  for (std::uint32_t id = 1; id <= size.reviews; ++id) {
    const std::string text = d.sentence(8 + d.below(20));
    const std::uint32_t product = d.id(size.products, 1.5);
    const std::uint32_t user = 1 + d.below(size.users);
    const auto written_at = shop_calendar::closed_from + static_cast<std::int64_t>(d.share() * span);
    const std::uint32_t stars = 1 + d.below(5);
    reviews.add({id, product, user, written_at, stars, text});
    m.row();
  }
  reviews.finish();
}

class sqlite_sink final : public row_sink {
 public:
  sqlite_sink(database& db, std::string_view table, std::size_t columns) {
    std::string places;
    for (std::size_t i = 1; i <= columns; ++i) places += fmt::format("{}?{}", i == 1 ? "" : ", ", i);
    insert_ = db.prepare(fmt::format("INSERT INTO {} VALUES ({})", table, places));
  }
  void add(std::span<const cell> row) override {
    for (int place = 1; const cell& one : row) {
      if (one.is_text) insert_.bind(place++, one.text);
      else insert_.bind(place++, one.number);
    }
    insert_.run();
  }
  void finish() override {}

 private:
  statement insert_;
};

class sqlite_filler final : public shop_filler {
 public:
  explicit sqlite_filler(database& db) : db_(db) {}
  std::unique_ptr<row_sink> into(std::string_view table, std::string_view kinds) override {
    return std::make_unique<sqlite_sink>(db_, table, kinds.size());
  }

 private:
  database& db_;
};

}  // namespace

void fill_shop(shop_filler& to, const shop_size& size, const generate_progress& progress) {
  meter m(progress, size.products + size.users + 3.5 * size.orders + size.reviews);
  m.report(0);
  fill_catalogue(to, size, m);
  fill_users(to, size, m);
  fill_orders(to, size, m);
  fill_reviews(to, size, m);
  m.doing("indexes");
  m.report(meter::rows_share);
}

void generate_shop(const std::string& path, const shop_size& size, const generate_progress& progress) {
  database db(path, open_mode::create);
  // The file appears under its own name only when it is complete, so a journal would protect nothing.
  db.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;"
             "PRAGMA cache_size = -200000; PRAGMA temp_store = MEMORY; BEGIN");
  db.execute(shop_tables());
  sqlite_filler filler(db);
  fill_shop(filler, size, progress);
  db.execute(shop_indexes());
  const auto report = [&progress](double share) {
    if (!progress("indexes", share)) throw generation_stopped();
  };
  report(0.98);
  db.execute(fmt::format("INSERT INTO shop_size VALUES ({}, {}, {}, {}, {}, {}, {})", size.users, size.products,
                         size.orders, size.reviews, size.departments, size.categories, size.cities));
  db.execute("PRAGMA analysis_limit = 1000; ANALYZE; COMMIT");
  db.execute("PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = WAL");
  db.execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", shop_application_id,
                         shop_schema_version));
  report(1);
}

shop_size read_shop_size(const std::string& path) {
  database db(path, open_mode::existing);
  statement s = db.prepare("SELECT users, products, orders, reviews, departments, categories, cities FROM shop_size");
  if (!s.step()) throw sqlite_error(SQLITE_CORRUPT, fmt::format("database {}: it holds no shop", path));
  const auto count = [&s](int column) { return static_cast<std::uint32_t>(s.integer(column)); };
  return {count(0), count(1), count(2), count(3), count(4), count(5), count(6)};
}

}  // namespace seawall::demo
