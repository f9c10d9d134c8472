#include "postgres_shop.hpp"

#include "query.hpp"
#include "say.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <random>
#include <span>
#include <utility>
#include <vector>

namespace seawall::demo {
namespace {

using namespace std::chrono_literals;

/// Transactions at a time of one process: more would only wait for each other's rows and for the log.
constexpr std::size_t most_writers = 8;
/// How often a transaction is tried that others were in the way of.
constexpr unsigned tries = 10;
/// Rows that go to the server at a time.
constexpr std::size_t batch_rows = 5'000;

template <class T>
T need(result<T> from) {
  if (!from) throw postgres_failure(std::move(from).error());
  if constexpr (!std::is_void_v<T>) return *std::move(from);
}

std::shared_ptr<postgres::database> open_pool(const std::string& url, std::size_t readers, std::size_t writers,
                                              bool lazy) {
  return need(postgres::open({.url = url,
                              .writers = writers,
                              .readers = readers,
                              .pool_timeout = 30s,
                              .statement_timeout = 10min,
                              .application_name = "seawall-demo",
                              .max_rows = 10'000'000,
                              .lazy = lazy}));
}

class postgres_shop;

/// Its rows are all there after the first step.
class postgres_query final : public query_engine {
 public:
  postgres_query(postgres_shop& of, std::string_view sql) : of_(of), sql_(in_postgres(sql)) {}

  void bind(int index, std::int64_t value) override {
    const auto place = static_cast<std::size_t>(index);
    if (given_.size() < place) given_.resize(place);
    given_[place - 1].held = value;
  }
  bool step() override;
  void reset() noexcept override {
    found_ = {};
    next_ = 0;
  }
  std::int64_t integer(int column) const override {
    const std::int64_t* const number = at(column).integer();
    return number != nullptr ? *number : 0;
  }
  std::string_view text(int column) const override {
    const std::string* const text = at(column).text();
    return text != nullptr ? std::string_view{*text} : std::string_view{};
  }

 private:
  const sql::value& at(int column) const { return found_[next_ - 1].at(static_cast<std::size_t>(column)); }

  postgres_shop& of_;
  const std::string sql_;
  std::vector<sql::value> given_;
  sql::rows found_;
  std::size_t next_ = 0;  // the row after the one that is read; 0: not run yet
};

class postgres_shop final : public shop_connection {
 public:
  explicit postgres_shop(postgres::database& db) : db_(db) {}

  query prepare(std::string_view sql) override { return query(std::make_unique<postgres_query>(*this, sql)); }
  // No transaction: its begin and end would be two more round trips, which a service would not pay for a page. Each
  // statement sees at least what the one before it saw, and an answer's version is read first: the answer is at least
  // as new as it says.
  void begin_read() override {}
  void end_read() override {}
  void abandon_read() noexcept override {}

  void write(const std::function<void()>& statements) override {
    const auto all = [&](sql::transaction& t) -> result<void> {
      inside_ = &t;
      try {
        statements();
      } catch (const postgres_failure& failed) {
        inside_ = nullptr;
        return std::unexpected(failed.why);
      } catch (...) {
        inside_ = nullptr;
        throw;
      }
      inside_ = nullptr;
      return {};
    };
    need(db_.transact(all, {.retries = tries}));
  }
  bool one_writer() const noexcept override { return false; }

  result<sql::rows> run(std::string_view sql, std::span<const sql::value> given) {
    if (inside_ != nullptr) return inside_->run(sql, given, sql::access::write);
    return db_.run(sql, given, sql::access::read);
  }

 private:
  postgres::database& db_;
  sql::transaction* inside_ = nullptr;
};

bool postgres_query::step() {
  if (next_ == 0) found_ = need(of_.run(sql_, given_));
  return next_++ < found_.size();
}

class postgres_place final : public shop_place {
 public:
  postgres_place(const std::string& url, std::size_t clients)
      : db_(open_pool(url, clients, std::min(clients, most_writers), true)) {}
  std::unique_ptr<shop_connection> connect() override { return std::make_unique<postgres_shop>(*db_); }

 private:
  const std::shared_ptr<postgres::database> db_;
};

/// Collects the rows of a table column by column, and sends them as arrays.
class postgres_sink final : public row_sink {
 public:
  postgres_sink(postgres::database& db, std::string_view table, std::string_view kinds)
      : db_(db), columns_(kinds.size()), given_(kinds.size()) {
    std::string arrays;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      arrays += fmt::format("{}${}::{}[]", i == 0 ? "" : ", ", i + 1, kinds[i] == 't' ? "text" : "integer");
    }
    insert_ = fmt::format("INSERT INTO {} SELECT * FROM unnest({})", table, arrays);
  }

  void add(std::span<const cell> row) override {
    for (std::size_t i = 0; i < row.size(); ++i) {
      sql::value& to = columns_[i].emplace_back();
      if (row[i].is_text) to.held = std::string(row[i].text);
      else to.held = row[i].number;
    }
    if (columns_[0].size() == batch_rows) finish();
  }
  void finish() override {
    if (columns_[0].empty()) return;
    for (std::size_t i = 0; i < columns_.size(); ++i) given_[i].held = std::exchange(columns_[i], {});
    need(db_.run(insert_, given_, sql::access::write));
  }

 private:
  postgres::database& db_;
  std::string insert_;
  std::vector<sql::list> columns_;
  std::vector<sql::value> given_;
};

class postgres_filler final : public shop_filler {
 public:
  explicit postgres_filler(postgres::database& db) : db_(db) {}
  std::unique_ptr<row_sink> into(std::string_view table, std::string_view kinds) override {
    return std::make_unique<postgres_sink>(db_, table, kinds);
  }

 private:
  postgres::database& db_;
};

void replace_all(std::string& in, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = in.find(from, at)) != std::string::npos; at += to.size()) {
    in.replace(at, from.size(), to);
  }
}

/// The schema's text, a statement at a time. SQLite only notes foreign keys, and so they are left out: checking each
/// row of the shop would take longer than everything else.
std::vector<std::string> statements_of(std::string text) {
  replace_all(text, " WITHOUT ROWID", "");
  constexpr std::string_view reference = " REFERENCES ";
  for (std::size_t at = 0; (at = text.find(reference, at)) != std::string::npos;) {
    text.erase(at, text.find_first_of(",)", at) - at);
  }
  std::vector<std::string> all;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find(';', from), text.size());
    std::string one = text.substr(from, end - from);
    // Its columns have no types; a shop in a schema of its own is never looked for.
    if (one.find("CREATE") != std::string::npos && one.find("shop_size") == std::string::npos) {
      all.push_back(std::move(one));
    }
    from = end + 1;
  }
  return all;
}

std::string random_name() {
  std::random_device source;
  return fmt::format("seawall_demo_{:08x}{:08x}", source(), source());
}

}  // namespace

std::string in_postgres(std::string_view sqlite) {
  std::string sql(sqlite);
  replace_all(sql, "?", "$");
  replace_all(sql, "strftime('%Y-%m', o.placed_at, 'unixepoch')",
              "to_char(to_timestamp(o.placed_at) AT TIME ZONE 'UTC', 'YYYY-MM')");
  return sql;
}

std::string with_setting(std::string_view url, std::string_view name, std::string_view value) {
  const std::string setting = fmt::format("-c%20{}%3D{}", name, value);
  std::string all(url);
  const std::size_t mark = all.find('?');
  if (mark == std::string::npos) return all + "?options=" + setting;
  for (std::size_t at = mark; at != std::string::npos; at = all.find('&', at + 1)) {
    constexpr std::string_view key = "options=";
    if (std::string_view(all).substr(at + 1).starts_with(key)) {
      return all.insert(at + 1 + key.size(), setting + "%20");  // of two the first would be lost
    }
  }
  return all + "&options=" + setting;
}

std::unique_ptr<shop_place> postgres_shop_place(const std::string& url, std::size_t clients) {
  return std::make_unique<postgres_place>(url, clients);
}

postgres_schema::postgres_schema(std::string url) : url_(std::move(url)), name_(random_name()) {
  auto opened = postgres::open({.url = with_setting(with_setting(url_, "search_path", name_), "synchronous_commit",
                                                    "off"),
                                .writers = 1, .readers = 1, .statement_timeout = 10min,
                                .application_name = "seawall-demo"});
  if (!opened) throw std::runtime_error("--database: " + opened.error().message());
  db_ = *std::move(opened);
  if (const auto version = db_->query_one<std::string>("SHOW server_version"); version && *version) {
    server_ = "PostgreSQL " + **version;
  }
  if (const auto made = db_->execute("CREATE SCHEMA " + name_); !made) {
    throw std::runtime_error(fmt::format("--database: the demo makes a schema of its own there, and drops it in the "
                                         "end: {}; let the role do that (GRANT CREATE ON DATABASE ... TO ...), or "
                                         "name another database", made.error().message()));
  }
}

postgres_schema::~postgres_schema() {
  if (kept_) return;
  if (const auto dropped = db_->execute(fmt::format("DROP SCHEMA {} CASCADE", name_)); !dropped) {
    say("The schema {} could not be dropped and is left behind: {}\n", name_, dropped.error().message());
  }
}

void postgres_schema::fill(const shop_size& size, const generate_progress& progress) {
  for (const std::string& create : statements_of(shop_tables())) need(db_->execute(create));
  postgres_filler filler(*db_);
  fill_shop(filler, size, progress);
  for (const std::string& create : statements_of(shop_indexes())) need(db_->execute(create));
  if (!progress("indexes", 0.95)) throw generation_stopped();
  // The first queries would do this work else, and the straight front would look slower than it is.
  for (const char* table : {"departments", "categories", "cities", "products", "users", "orders", "order_items",
                            "reviews"}) {
    need(db_->execute(fmt::format("VACUUM (ANALYZE) {}", table)));
  }
  progress("indexes", 1);
}

}  // namespace seawall::demo
