// The shop in an SQLite file: a connection for each client.
#include "query.hpp"
#include "sqlite.hpp"

namespace seawall::demo {
namespace {

class sqlite_query final : public query_engine {
 public:
  explicit sqlite_query(statement prepared) : statement_(std::move(prepared)) {}
  void bind(int index, std::int64_t value) override { statement_.bind(index, value); }
  bool step() override { return statement_.step(); }
  void reset() noexcept override { statement_.reset(); }
  std::int64_t integer(int column) const override { return statement_.integer(column); }
  std::string_view text(int column) const override { return statement_.text(column); }

 private:
  statement statement_;
};

class sqlite_shop final : public shop_connection {
 public:
  explicit sqlite_shop(const std::string& path) : db_(path, open_mode::existing) {
    // What a service would set: the log beside the file, no sync per commit (a power cut may lose the last commits,
    // never the file), pages read through the page cache without a copy.
    db_.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 10000;"
                "PRAGMA mmap_size = 4294967296; PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY");
    begin_ = db_.prepare("BEGIN");
    begin_write_ = db_.prepare("BEGIN IMMEDIATE");
    commit_ = db_.prepare("COMMIT");
    rollback_ = db_.prepare("ROLLBACK");
  }

  query prepare(std::string_view sql) override { return query(std::make_unique<sqlite_query>(db_.prepare(sql))); }
  void begin_read() override { begin_.run(); }
  void end_read() override { commit_.run(); }
  void abandon_read() noexcept override {
    try {
      if (db_.in_transaction()) rollback_.run();
    } catch (const sqlite_error&) {
      // The error that brought us here is the one to report; SQLite rolls back when the connection closes.
    }
  }
  void write(const std::function<void()>& statements) override {
    begin_write_.run();
    try {
      statements();
      commit_.run();
    } catch (...) {
      abandon_read();
      throw;
    }
  }
  bool one_writer() const noexcept override { return true; }
  // A long log makes reads slower.
  void tidy() override { db_.execute("PRAGMA wal_checkpoint(TRUNCATE)"); }

 private:
  database db_;
  statement begin_, begin_write_, commit_, rollback_;
};

class sqlite_place final : public shop_place {
 public:
  explicit sqlite_place(std::string path) : path_(std::move(path)) {}
  std::unique_ptr<shop_connection> connect() override { return std::make_unique<sqlite_shop>(path_); }

 private:
  const std::string path_;
};

}  // namespace

std::unique_ptr<shop_place> shop_place_at(const std::string& database, std::size_t clients) {
  if (is_postgres(database)) return postgres_shop_place(database, clients);
  return std::make_unique<sqlite_place>(database);
}

}  // namespace seawall::demo
