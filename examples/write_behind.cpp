// Write-behind: a write is acknowledged when the local log has it, and reaches the database in a batch a moment later.
// Reads through the cache see it at once; after a crash, opening the same directory applies what is left.
#include "seawall/cache.hpp"
#include "seawall/json.hpp"
#include "seawall/write_behind.hpp"

#include <boost/describe/class.hpp>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

using namespace std::chrono_literals;

struct product {
  std::string title;
  int price = 0;
};
BOOST_DESCRIBE_STRUCT(product, (), (title, price))

template <>
struct seawall::codec<product> : seawall::json_codec<product> {};

using product_operation = seawall::write_operation<int, product>;

// Stands for a table with a column for the version of each row.
class product_table {
 public:
  struct row {
    std::optional<product> value;  // nothing: removed; the row stays and keeps its version
    std::uint64_t version = 0;
  };

  // With a database, in one transaction:
  //   INSERT INTO products (id, title, price, removed, version) VALUES (...)
  //   ON CONFLICT (id) DO UPDATE SET ... , version = excluded.version WHERE products.version < excluded.version
  seawall::result<void> apply(std::span<const product_operation> batch) {
    const std::lock_guard lock{mutex_};
    for (const product_operation& operation : batch) {
      if (operation.value && operation.value->price < 0) {
        return seawall::fail(seawall::errc::invalid_argument, "a price is negative");
      }
    }
    for (const product_operation& operation : batch) {
      row& at = rows_[operation.key];
      if (at.version < operation.sequence) at = {operation.value, operation.sequence};
    }
    return {};
  }

  std::optional<product> find(int id) {
    const std::lock_guard lock{mutex_};
    return rows_[id].value;
  }

 private:
  std::mutex mutex_;
  std::map<int, row> rows_;
};

int main() {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("write_behind_example_" + std::to_string(::getpid()));
  product_table table;
  seawall::cache<int, product> products{{.name = "products", .ttl = 10min}};

  auto writes = seawall::write_behind<int, product>::open({
      .name = "products",
      .write = [&](std::span<const product_operation> batch) { return table.apply(batch); },
      .log = {.directory = folder.string()},
      .batch = {.most = 500, .linger = 20ms},
      .is_permanent = [](const seawall::error& failure) { return failure == seawall::errc::invalid_argument; },
      .cache = &products,
  });
  if (!writes) {
    std::cerr << writes.error().message() << '\n';
    return 1;
  }
  const auto find_product = [&](int id) { return table.find(id); };

  auto done = writes->put(7, product{"lamp", 30});
  if (!done) {
    std::cerr << "not saved: " << done.error().message() << '\n';
    return 1;
  }
  const auto lamp = writes->get_or_load(products, 7, find_product);  // whether the table has it yet or not
  if (!lamp || !*lamp || (*lamp)->price != 30) return 1;

  if (!writes->remove(7)) return 1;
  const auto gone = writes->get_or_load(products, 7, find_product);
  if (!gone || *gone) return 1;

  auto flushed = writes->flush(10s, [](std::size_t applied, std::size_t of) {
    std::cout << applied << " of " << of << " applied\n";
  });
  if (!flushed || table.find(7)) return 1;

  // What the source refuses is kept until somebody has looked at it.
  if (!writes->put(8, product{"chair", -5}) || !writes->flush(10s)) return 1;
  for (const auto& letter : writes->dead_letters()) {
    std::cout << "product " << letter.key.value_or(0) << " was refused: " << letter.reason << '\n';
    if (!writes->put(8, product{"chair", 5})) return 1;
    if (!writes->discard(letter.sequence)) return 1;
  }

  if (!writes->close(10s)) return 1;
  const bool right = table.find(8) && table.find(8)->price == 5;
  std::filesystem::remove_all(folder);
  return right ? 0 : 1;
}
