// Statements on Asio, on sound servers and others.
#include "seawall/source/postgres_async.hpp"

#include "postgres_support.hpp"
#include "seawall/async.hpp"
#include "seawall/testing.hpp"
#include "servers/certificates.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace seawall {
namespace postgres_test {

struct unreadable {};

}  // namespace postgres_test

template <>
struct codec<postgres_test::unreadable> {
  static void encode(const postgres_test::unreadable&, std::string&) {}
  static result<postgres_test::unreadable> decode(std::string_view) { throw std::runtime_error("thrown by the codec"); }
};

namespace postgres_test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using asio::use_awaitable;
using sql::errc;
using numbers = result<std::vector<std::int64_t>>;

TEST_F(OnPostgres, QueriesAndChangesInACoroutine) {
  asio::io_context io;
  const std::vector ids{3, 1};
  const auto work = [&]() -> asio::awaitable<void> {
    const auto some =
        co_await postgres::async_query<std::int64_t>(*db, "SELECT n FROM t WHERE id = ANY($1) ORDER BY id", ids,
                                                     use_awaitable);
    EXPECT_TRUE(some) << text_of(some);
    EXPECT_THAT(some.value_or(std::vector<std::int64_t>{}), ElementsAre(10, 30));
    const auto changed =
        co_await postgres::async_execute(*db, "UPDATE t SET n = $1 WHERE id = $2", 11, 1, use_awaitable);
    EXPECT_TRUE(changed && changed->rows == 1) << text_of(changed);
    const auto bad = co_await postgres::async_query<int>(*db, "SELECT * FROM nowhere", use_awaitable);
    EXPECT_THAT(text_of(bad), HasSubstr("42P01"));
    const auto unmapped = co_await postgres::async_query<int>(*db, "SELECT note FROM t WHERE id = 1", use_awaitable);
    EXPECT_TRUE(failed_with(unmapped, errc::mapping));
    const auto thrown =
        co_await postgres::async_query<unreadable>(*db, "SELECT note FROM t WHERE id = 3", use_awaitable);
    EXPECT_THAT(text_of(thrown), HasSubstr("thrown by the codec"));
    const auto no_argument =
        co_await postgres::async_query<int>(*db, "SELECT $1", ~std::uint64_t{0}, use_awaitable);
    EXPECT_TRUE(failed_with(no_argument, errc::argument));
    (void)co_await postgres::async_execute(*db, "BEGIN", use_awaitable);  // ends with its connection
  };
  asio::co_spawn(io, work(), asio::detached);
  io.run();
  EXPECT_THAT(stored(), ElementsAre(11, 20, 30));
  EXPECT_EQ(db->stats().in_use, 0U);
}

TEST_F(OnPostgres, ALoaderThatIsACoroutine) {
  asio::io_context io;
  cache<int, std::int64_t> cached{{.name = "t", .executor = std::make_shared<manual_executor>()}};
  const auto load = postgres::async_row<std::int64_t>(db, "SELECT n FROM t WHERE id = $1");
  const auto work = [&]() -> asio::awaitable<void> {
    const auto there = co_await cached.async_get_or_load(2, load, use_awaitable);
    EXPECT_TRUE(there && *there && **there == 20) << text_of(there);
    const auto absent = co_await cached.async_get_or_load(9, load, use_awaitable);
    EXPECT_TRUE(absent && !*absent) << text_of(absent);
  };
  asio::co_spawn(io, work(), asio::detached);
  io.run();
  EXPECT_TRUE(cached.contains(2));
}

TEST_F(OnPostgres, ManyShareAFewConnectionsAndOneThread) {
  asio::io_context io;
  const auto two = opened(at(shared_server(), 1, 2));
  std::vector<std::int64_t> got;
  for (int i = 0; i != 20; ++i) {
    postgres::async_query<std::int64_t>(*two, "SELECT $1::int8", i, asio::bind_executor(io, [&](numbers answer) {
                                          if (answer) got.push_back(answer->front());
                                        }));
  }
  io.run();
  std::ranges::sort(got);
  EXPECT_EQ(got.size(), 20U);
  EXPECT_EQ(got.back(), 19);
  EXPECT_EQ(two->stats().made, 3U);
}

TEST_F(OnPostgres, WaitingAndRunningOnesAreCancelledAndTheLineHasItsEnd) {
  asio::io_context io;
  auto how = at(shared_server(), 1, 1);
  how.pool_timeout = 30ms;
  const auto one = opened(how);
  std::vector<std::pair<std::string, boost::system::error_code>> ended;
  const auto ask = [&](std::string name, asio::cancellation_slot slot) {
    postgres::async_query<std::int64_t>(
        *one, "SELECT 1::int8 FROM pg_sleep(60)",
        asio::bind_cancellation_slot(slot, asio::bind_executor(io, [&, name](numbers answer) {
                                       ended.emplace_back(name, answer ? boost::system::error_code{}
                                                                       : answer.error().code());
                                     })));
  };
  asio::cancellation_signal running;
  asio::cancellation_signal waiting;
  ask("running", running.slot());
  ask("waiting", waiting.slot());
  ask("late", {});
  const auto until = [&](auto condition) {
    while (!condition()) io.run_one();
  };
  until([&] { return one->stats().waiting == 2; });
  waiting.emit(asio::cancellation_type::terminal);
  until([&] { return ended.size() == 2; });
  running.emit(asio::cancellation_type::terminal);
  io.run();
  using pair = std::pair<std::string, boost::system::error_code>;
  EXPECT_THAT(ended, ElementsAre(pair{"waiting", seawall::errc::cancelled}, pair{"late", errc::locked},
                                 pair{"running", seawall::errc::cancelled}));
  EXPECT_EQ(one->stats().in_use, 0U);
  EXPECT_TRUE(one->query<int>("SELECT 1"));
}

TEST_F(OnPostgres, AContextThatIsDestroyedGivesItsConnectionsBack) {
  const auto one = opened(at(shared_server(), 1, 1));
  {
    asio::io_context io;
    for (int i = 0; i != 2; ++i) {
      postgres::async_query<int>(*one, "SELECT 1 FROM pg_sleep(60)", asio::bind_executor(io, [](auto) { FAIL(); }));
    }
    while (one->stats().waiting != 1) io.run_one();
  }
  EXPECT_EQ(one->stats().in_use, 0U);
  EXPECT_EQ(one->stats().waiting, 0U);
  EXPECT_TRUE(one->query<int>("SELECT 1"));
}

TEST(Tls, VerifiedForThreadsAndCoroutines) {
  SEAWALL_NEEDS_POSTGRES();
  const auto server = postgres_server::start({.tls = true});
  const auto& files = servers::test_certificates();
  const auto with = [&](const std::filesystem::path& authority) {
    return postgres::open({.url = server->url() + "?sslmode=verify-full&sslrootcert=" + authority.string()});
  };
  const auto wrong = with(files.other_authority);
  EXPECT_TRUE(failed_with(wrong, errc::unreachable));
  EXPECT_THAT(text_of(wrong), HasSubstr("certificate verify failed; sslrootcert names"));
  const auto db = with(files.authority);
  ASSERT_TRUE(db) << text_of(db);
  EXPECT_EQ((*db)->query_one<bool>("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").value(), true);
  // Longer than a record of TLS and than the buffers of both sides.
  asio::io_context io;
  std::optional<result<std::vector<std::string>>> got;
  postgres::async_query<std::string>(**db, "SELECT repeat($1, 1000)", std::string(3'000, 'x'),
                                     asio::bind_executor(io, [&](auto answer) { got = std::move(answer); }));
  io.run();
  ASSERT_TRUE(got && *got);
  EXPECT_EQ((*got)->front().size(), 3'000'000U);
}

TEST(AsyncFaults, ServersThatHangAndDie) {
  SEAWALL_NEEDS_POSTGRES();
  const auto server = postgres_server::start();
  auto how = at(*server);
  how.statement_timeout = 100ms;
  how.connect_timeout = 100ms;
  how.lazy = true;
  const auto db = opened(how);
  const auto ask = [&] {
    asio::io_context io;
    std::optional<numbers> got;
    postgres::async_query<std::int64_t>(*db, "SELECT 1::int8",
                                        asio::bind_executor(io, [&](numbers answer) { got = std::move(answer); }));
    io.run();
    return *std::move(got);
  };
  EXPECT_TRUE(ask()) << text_of(ask());
  server->pause();
  EXPECT_TRUE(failed_with(ask(), seawall::errc::timed_out));
  EXPECT_TRUE(failed_with(ask(), errc::unreachable));
  server->resume();
  servers::wait_until("the back-off is over", [&] { return ask().has_value(); });
  server->restart();
  EXPECT_TRUE(ask()) << "the dead connection is replaced";
  server->kill();
  EXPECT_TRUE(failed_with(ask(), errc::unreachable));
}

}  // namespace
}  // namespace postgres_test
}  // namespace seawall
