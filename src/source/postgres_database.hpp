#pragma once

#include "postgres_pool.hpp"

#include <memory>
#include <string_view>

namespace seawall::postgres {

class postgres_database final : public database {
 public:
  explicit postgres_database(std::shared_ptr<settings> how);

  result<sql::rows> run(std::string_view statement, std::span<const sql::value> given, sql::access how) override;
  connection_stats stats() const override { return pool_->stats(); }
  result<void> try_out();

 protected:
  result<sql::connection*> take(sql::access how) override;
  void give_back(sql::connection& which, sql::access how) noexcept override;

 private:
  void start(detail::order&& what) override;  // postgres_async.cpp

  const std::shared_ptr<settings> how_;
  const std::shared_ptr<pool> pool_;  // shared: asynchronous operations may outlive the database
};

}  // namespace seawall::postgres
