#include "shop_schema.hpp"

#include <algorithm>

namespace seawall::demo {

shop_size shop_size::scaled(double share) {
  const shop_size full;
  const auto part = [share](std::uint32_t rows, std::uint32_t least) {
    return std::max(least, static_cast<std::uint32_t>(rows * share));
  };
  shop_size size;
  size.users = part(full.users, 50);
  size.products = part(full.products, 40);
  size.orders = part(full.orders, 300);
  size.reviews = part(full.reviews, 60);
  size.departments = full.departments;
  size.categories = std::max(part(full.categories, 0), full.departments);
  size.cities = part(full.cities, 3);
  return size;
}

std::string shop_tables() {
  return R"sql(
    CREATE TABLE shop_size (users, products, orders, reviews, departments, categories, cities);
    CREATE TABLE departments (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE categories (
      id INTEGER PRIMARY KEY, department_id INTEGER NOT NULL REFERENCES departments, name TEXT NOT NULL);
    CREATE TABLE cities (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE products (
      id INTEGER PRIMARY KEY, category_id INTEGER NOT NULL REFERENCES categories, name TEXT NOT NULL,
      description TEXT NOT NULL, price_cents INTEGER NOT NULL, stock INTEGER NOT NULL, rating INTEGER NOT NULL,
      version INTEGER NOT NULL);
    CREATE TABLE users (
      id INTEGER PRIMARY KEY, city_id INTEGER NOT NULL REFERENCES cities, name TEXT NOT NULL, email TEXT NOT NULL,
      street TEXT NOT NULL, loyalty_points INTEGER NOT NULL, version INTEGER NOT NULL);
    CREATE TABLE orders (
      id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users, placed_at INTEGER NOT NULL,
      status INTEGER NOT NULL, total_cents INTEGER NOT NULL, version INTEGER NOT NULL);
    CREATE TABLE order_items (
      order_id INTEGER NOT NULL REFERENCES orders, line INTEGER NOT NULL,
      product_id INTEGER NOT NULL REFERENCES products, quantity INTEGER NOT NULL, price_cents INTEGER NOT NULL,
      PRIMARY KEY (order_id, line)) WITHOUT ROWID;
    CREATE TABLE reviews (
      id INTEGER PRIMARY KEY, product_id INTEGER NOT NULL REFERENCES products,
      user_id INTEGER NOT NULL REFERENCES users, written_at INTEGER NOT NULL, stars INTEGER NOT NULL,
      text TEXT NOT NULL);
  )sql";
}

std::string shop_indexes() {
  return R"sql(
    CREATE INDEX users_by_city ON users (city_id);
    CREATE INDEX orders_by_user ON orders (user_id, placed_at);
    CREATE INDEX reviews_by_product ON reviews (product_id, written_at);
    CREATE INDEX products_by_category ON products (category_id, rating);
  )sql";
}

}  // namespace seawall::demo
