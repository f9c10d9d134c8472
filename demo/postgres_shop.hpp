// The shop in a PostgreSQL, over Seawall's own layer for it.
#pragma once

#include "shop_generate.hpp"
#include "shop_schema.hpp"

#include <seawall/source/postgres.hpp>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace seawall::demo {

/// What the database said, as Seawall has it.
struct postgres_failure : std::runtime_error {
  explicit postgres_failure(error what) : std::runtime_error(what.message()), why(std::move(what)) {}
  error why;
};

/// A query of the shop as PostgreSQL reads it.
std::string in_postgres(std::string_view sqlite);

/// The URL with one more setting for its sessions, beside those that it has.
std::string with_setting(std::string_view url, std::string_view name, std::string_view value);

/// A schema of the run's own, with a random name. Nothing else in the database is touched.
class postgres_schema {
 public:
  /// Makes it, empty. Throws std::runtime_error, which names the way out.
  explicit postgres_schema(std::string url);
  /// Drops it; says so if that is not possible.
  ~postgres_schema();
  postgres_schema(const postgres_schema&) = delete;
  postgres_schema& operator=(const postgres_schema&) = delete;

  const std::string& name() const noexcept { return name_; }
  /// Of a session to which the tables in it are the only ones.
  std::string url() const { return with_setting(url_, "search_path", name_); }
  /// "PostgreSQL 15.6".
  const std::string& server() const noexcept { return server_; }
  /// Makes the tables and fills them. Throws postgres_failure, or generation_stopped.
  void fill(const shop_size& size, const generate_progress& progress);
  /// The server ends with the run: there is nothing to drop.
  void leave() noexcept { kept_ = true; }

 private:
  const std::string url_;
  const std::string name_;
  std::string server_;
  bool kept_ = false;
  std::shared_ptr<postgres::database> db_;
};

}  // namespace seawall::demo
