#include "prepared_shop.hpp"

#include "postgres_shop.hpp"
#include "query.hpp"
#include "redis_place.hpp"
#include "report.hpp"
#include "say.hpp"
#include "shop_file.hpp"
#include "temporary_directory.hpp"

#include <seawall_bench/private_postgres.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <utility>

namespace seawall::demo {
namespace {

namespace fs = std::filesystem;

void need_space(const fs::path& in, const shop_size& size) {
  constexpr std::uint64_t empty_server = 150'000'000;
  const std::uint64_t wanted = empty_server + 5 * shop_bytes(size);
  std::error_code code;
  const fs::space_info space = fs::space(in, code);
  if (code || space.available >= wanted) return;
  throw std::runtime_error(fmt::format("a private PostgreSQL needs about {} MB in {}, and {} MB are left; free some, "
                                       "set TMPDIR, or name a server with --database URL", wanted / 1'000'000,
                                       in.string(), space.available / 1'000'000));
}

/// As a service on a few cores would have it, and no slower than need be: as with SQLite a commit does not wait for
/// the disk; all data are in memory, where indexes cost little; its many clients are the parallelism.
bench::postgres_setup setup_for(const demo_options& options) {
  const auto sessions = static_cast<std::size_t>(options.processes) * (static_cast<std::size_t>(options.threads) + 10);
  return {.by_socket = true,
          .connections = std::max<std::size_t>(100, sessions + 20),
          .settings = {"shared_buffers=256MB", "max_wal_size=4GB", "synchronous_commit=off", "jit=off",
                       "random_page_cost=1.1", "max_parallel_workers_per_gather=0",
                       "max_parallel_maintenance_workers=0"}};
}

/// Progress of making the shop, with a sentence before it.
class announced_progress {
 public:
  announced_progress(std::string announcement, bool terminal, const std::atomic<bool>& stop)
      : announcement_(std::move(announcement)), bar_(terminal), stop_(stop) {}
  generate_progress function() {
    return [this](std::string_view what, double share) {
      if (!announcement_.empty()) say("{}\n", std::exchange(announcement_, {}));
      bar_.show(what, share);
      return !stop_;
    };
  }
  void end(bool generated) {
    bar_.end();
    if (!generated) return;
    say("  done in {:.1f} s\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count());
  }

 private:
  std::string announcement_;
  progress_bar bar_;
  const std::atomic<bool>& stop_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void tell(std::string_view where, const shop_size& size) {
  say("Database: {}: {} orders, {} users, {} products, {} reviews\n", where, grouped(size.orders), grouped(size.users),
      grouped(size.products), grouped(size.reviews));
}

}  // namespace

/// What holds the shop; the last one goes first.
struct prepared_shop::places {
  std::optional<shop_file> file;
  std::optional<temporary_directory> directory;
  std::optional<bench::private_postgres> server;
  std::optional<postgres_schema> schema;
};

prepared_shop::prepared_shop(const demo_options& options, bool terminal, const std::atomic<bool>& stop)
    : places_(std::make_unique<places>()), size_(shop_size::scaled(options.scale)) {
  if (options.postgres || is_postgres(options.database)) in_postgres(options, terminal, stop);
  else in_file(options, terminal, stop);
}

prepared_shop::~prepared_shop() = default;

void prepared_shop::in_file(const demo_options& options, bool terminal, const std::atomic<bool>& stop) {
  announced_progress progress(fmt::format("Generating the shop's database {} (once; later runs use it again)",
                                          options.database), terminal, stop);
  const bool own_place = options.database == demo_options::default_database;
  const shop_file& file = places_->file.emplace(open_shop(options.database, size_, own_place, progress.function()));
  progress.end(file.generated);
  database_ = file.path;
  tell(file.path, size_);
}

void prepared_shop::in_postgres(const demo_options& options, bool terminal, const std::atomic<bool>& stop) {
  std::string url = options.database;
  if (options.postgres) {
    const fs::path& in = places_->directory.emplace("PostgreSQL", "name a server with --database URL").path();
    // The server may run as another user, whose way leads through here.
    fs::permissions(in, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
    need_space(in, size_);
    const auto& server = places_->server.emplace(in, setup_for(options));
    url = server.url();
    say("Server:   PostgreSQL for this run alone: pid {}, {}\n", server.pid(), server.url_of_port());
  }
  if (stop) throw generation_stopped();
  postgres_schema& schema = places_->schema.emplace(url);
  if (options.postgres) schema.leave();
  announced_progress progress(fmt::format("Generating the shop in the schema {} (dropped in the end)", schema.name()),
                              terminal, stop);
  schema.fill(size_, progress.function());
  progress.end(true);
  database_ = schema.url();
  tell(fmt::format("{}, {}", schema.server(), options.postgres ? "private" : without_password(url)), size_);
}

}  // namespace seawall::demo
