// captured_table: what a change of a table's rows makes stale. Part of change_capture.hpp.
//
//   capture.table("products").key(products, "id");
//   capture.table("prices").key(products, "product_id").tag(lists, sql::table_tag("prices"));
//   capture.table("stock").key(stock, "shop", "product");                     // a tuple, a pair or a described struct
//   capture.table("categories").tag(lists, [](const seawall::row_image& row) {
//     return "category:" + std::string{row.text("id")};
//   });
#pragma once

#include "seawall/source/row_image.hpp"
#include "seawall/source/sql_rows.hpp"
#include "seawall/source/undelivered_of.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace seawall {
namespace detail {

/// Something to do after a commit. Steps of one mapping with the same `item` are the same.
struct capture_step {
  std::optional<std::string> item;
  std::move_only_function<bool()> apply;  // false: it is to be done again before the change counts as delivered
};

struct capture_mapping {
  std::string cache;
  std::vector<std::string> columns{};  // those that it names
  /// What one image of a row makes stale, if anything. Not set: every change makes `whole` stale.
  std::function<result<std::optional<capture_step>>(const row_image&)> row{};
  /// For a row that cannot be told, and a table that was emptied.
  std::function<bool()> whole;
  std::function<std::size_t()> undelivered;
};

template <class T>
const auto* optional_part(const T& what) {
  if constexpr (is_optional<T>) return what ? &*what : nullptr;
  else return &what;
}

template <class F>
concept of_row_image = std::invocable<const F&, const row_image&>;

}  // namespace detail

/// Thread safety: none. The caches must outlive the capture.
class captured_table {
 public:
  /// The key in these columns, of the row before and after each change. A row with NULL in one of them has no key,
  /// unless that part of the key is an optional. The columns must be part of the table's REPLICA IDENTITY.
  template <class Cache, std::convertible_to<std::string_view>... Columns>
  captured_table& key(Cache& cache, std::string_view first, const Columns&... more) {
    using K = typename Cache::key_type;
    auto one = mapping_of(cache);
    one.columns = {std::string{first}, std::string{std::string_view{more}}...};
    one.row = [&cache, columns = one.columns](const row_image& row) -> result<std::optional<detail::capture_step>> {
      const sql::rows read = rows_of(row, columns);
      if (row.missing()) return std::nullopt;
      auto found = read[0].template as<K>();
      if (!found && has_null(read)) return std::nullopt;
      if (!found) return std::unexpected(std::move(found).error());
      return detail::capture_step{item_of(row, columns),
                                  [&cache, which = *std::move(found)] { return cache.invalidate(which), true; }};
    };
    return add(std::move(one));
  }

  /// The key that a function makes of an image of the row: a key, or an optional of one.
  template <class Cache, detail::of_row_image F>
  captured_table& key(Cache& cache, F of) {
    using K = typename Cache::key_type;
    auto one = mapping_of(cache);
    one.row = [&cache, of = std::move(of)](const row_image& row) -> result<std::optional<detail::capture_step>> {
      const auto made = of(row);
      const auto* found = detail::optional_part(made);
      if (found == nullptr) return std::nullopt;
      K which = *found;
      std::optional<std::string> item;
      if constexpr (encodable<K>) {
        std::string scratch;
        item = std::string{encode(which, scratch)};
      }
      return detail::capture_step{std::move(item), [&cache, which = std::move(which)] {
                                    return cache.invalidate(which), true;
                                  }};
    };
    return add(std::move(one));
  }

  /// Every change of the table makes this tag stale.
  template <class Cache>
  captured_table& tag(Cache& cache, std::string_view tag) {
    auto one = mapping_of(cache);
    one.whole = [&cache, which = std::string{tag}] { return cache.invalidate_tag(which), true; };
    return add(std::move(one));
  }

  /// The tag that a function makes of an image of the row: a text, or an optional of one.
  template <class Cache, detail::of_row_image F>
  captured_table& tag(Cache& cache, F of) {
    auto one = mapping_of(cache);
    one.row = [&cache, of = std::move(of)](const row_image& row) -> result<std::optional<detail::capture_step>> {
      const auto made = of(row);
      const auto* found = detail::optional_part(made);
      if (found == nullptr) return std::nullopt;
      std::string which{std::string_view{*found}};
      std::string item = which;
      return detail::capture_step{std::move(item), [&cache, which = std::move(which)] {
                                    return cache.invalidate_tag(which), true;
                                  }};
    };
    return add(std::move(one));
  }

  /// Every change of the table clears the cache: for small caches of rarely changed tables.
  template <class Cache>
  captured_table& all(Cache& cache) {
    return add(mapping_of(cache));
  }

  const std::vector<detail::capture_mapping>& mappings() const noexcept { return mappings_; }

 private:
  template <class Cache>
  static detail::capture_mapping mapping_of(Cache& cache) {
    return {.cache = cache.name(),
            .whole = [&cache] { return cache.clear(); },
            .undelivered = detail::undelivered_of(cache)};
  }
  captured_table& add(detail::capture_mapping one) {
    mappings_.push_back(std::move(one));
    return *this;
  }

  static sql::rows rows_of(const row_image& row, const std::vector<std::string>& columns);
  static bool has_null(const sql::rows& read) {
    return std::ranges::any_of(read.values, [](const sql::value& one) { return one.is_null(); });
  }
  static std::string item_of(const row_image& row, const std::vector<std::string>& columns);

  std::vector<detail::capture_mapping> mappings_;
};

}  // namespace seawall
