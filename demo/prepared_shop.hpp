// The shop that a run is about: in a file that is kept, or in a PostgreSQL that holds it for as long as the run.
#pragma once

#include "options.hpp"
#include "shop_schema.hpp"

#include <atomic>
#include <memory>
#include <string>

namespace seawall::demo {

class prepared_shop {
 public:
  /// Finds or generates it, and tells people. Throws what is to be told to them, or generation_stopped. For the thread:
  /// see child.
  prepared_shop(const demo_options& options, bool terminal, const std::atomic<bool>& stop);
  /// Ends and removes what was made for this run alone. Everybody who uses the shop has let go of it.
  ~prepared_shop();
  prepared_shop(const prepared_shop&) = delete;
  prepared_shop& operator=(const prepared_shop&) = delete;

  /// For shop_place_at, in any process of the run.
  const std::string& database() const noexcept { return database_; }
  const shop_size& size() const noexcept { return size_; }

 private:
  struct places;
  void in_file(const demo_options& options, bool terminal, const std::atomic<bool>& stop);
  void in_postgres(const demo_options& options, bool terminal, const std::atomic<bool>& stop);

  std::unique_ptr<places> places_;
  std::string database_;
  shop_size size_;
};

}  // namespace seawall::demo
