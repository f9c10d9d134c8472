// TLS, passwords, ACL users, Unix sockets, databases.
#include "client_support.hpp"
#include "seawall/net/connector.hpp"
#include "servers/certificates.hpp"

namespace seawall::redis {
namespace {

using servers::redis_server;
using servers::test_certificates;
using servers::tls_mode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class redis_login : public testing::Test {
 protected:
  void SetUp() override { SEAWALL_NEEDS_SERVER(); }
};
using redis_tls = redis_login;

client connected(options how) { return client::connect(std::move(how)).value(); }

std::string secure_url(const redis_server& of) { return "rediss://127.0.0.1:" + std::to_string(of.tls_port()); }

TEST_F(redis_tls, a_certificate_of_a_trusted_authority_for_the_address_is_accepted) {
  auto server = redis_server::start({.tls = tls_mode::on});
  auto redis = connected({.url = secure_url(*server), .tls = {.ca_file = test_certificates().authority}});
  const std::string value(3'000'000, 'x');
  ASSERT_EQ(redis.run(cmd::set("k", value)), true);
  EXPECT_EQ(text_of(redis.run(cmd::get("k"))), value);
}

TEST_F(redis_tls, a_name_is_verified_too) {
  auto server = redis_server::start({.tls = tls_mode::on});
  auto redis = connected({.url = "rediss://localhost:" + std::to_string(server->tls_port()),
                          .tls = {.ca_file = test_certificates().authority}});
  EXPECT_TRUE(redis.check());
}

TEST_F(redis_tls, a_certificate_for_another_name_is_refused_at_once) {
  auto server = redis_server::start({.tls = tls_mode::wrong_name});
  auto redis = connected({.url = secure_url(*server), .tls = {.ca_file = test_certificates().authority},
                          .command_timeout = std::chrono::seconds{20}});
  const auto outcome = redis.check();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), net::connect_errc::tls_name_mismatch);
  EXPECT_THAT(failure_of(outcome), AllOf(HasSubstr("127.0.0.1:"), HasSubstr("not for this name")));
  auto named = connected({.url = secure_url(*server),
                          .tls = {.ca_file = test_certificates().authority, .server_name = "elsewhere.test"}});
  EXPECT_TRUE(named.check());
}

TEST_F(redis_tls, an_unknown_authority_is_refused_at_once) {
  auto server = redis_server::start({.tls = tls_mode::on});
  auto redis = connected({.url = secure_url(*server), .tls = {.ca_file = test_certificates().other_authority},
                          .command_timeout = std::chrono::seconds{20}});
  const auto outcome = redis.check();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), net::connect_errc::tls_untrusted);
  EXPECT_TRUE(connected({.url = secure_url(*server), .tls = {.verify = false}}).check());
}

TEST_F(redis_tls, a_client_shows_its_certificate) {
  auto server = redis_server::start({.tls = tls_mode::mutual});
  const auto& files = test_certificates();
  auto redis = connected({.url = secure_url(*server),
                          .tls = {.ca_file = files.authority, .certificate_file = files.client,
                                  .key_file = files.client_key}});
  EXPECT_TRUE(redis.check());
  auto without = connected({.url = secure_url(*server), .tls = {.ca_file = files.authority}});
  EXPECT_FALSE(without.check());
}

TEST_F(redis_tls, a_server_without_tls_is_named) {
  auto server = redis_server::start();
  auto redis = connected({.url = "rediss://127.0.0.1:" + std::to_string(server->port()),
                          .command_timeout = std::chrono::milliseconds{500}});
  EXPECT_THAT(failure_of(redis.check()), AllOf(HasSubstr(std::to_string(server->port())), HasSubstr("TLS")));
}

TEST(redis_tls_options, files_that_cannot_be_read_are_named_before_anything_connects) {
  const auto refused = client::connect({.url = "rediss://db", .tls = {.ca_file = "no/such/file.pem"}});
  EXPECT_THAT(failure_of(refused), AllOf(HasSubstr("no/such/file.pem"), HasSubstr("No such file")));
  const auto half = client::connect({.url = "rediss://db", .tls = {.certificate_file = "a.pem"}});
  EXPECT_THAT(failure_of(half), HasSubstr("belong together"));
}

TEST_F(redis_login, a_wrong_password_is_an_error_at_once_and_never_shown) {
  auto server = redis_server::start({.password = "right"});
  auto redis = connected({.url = url_of(server->port()), .password = "wr0ng",
                          .command_timeout = std::chrono::seconds{20}});
  const auto outcome = redis.run(cmd::get("k"));
  EXPECT_EQ(outcome.error().code(), cmd::errc::wrong_pass);
  EXPECT_THAT(failure_of(outcome), AllOf(HasSubstr(std::to_string(server->port())), Not(HasSubstr("wr0ng"))));
  EXPECT_FALSE(redis.run(cmd::get("k")));
}

TEST_F(redis_login, a_missing_password_is_an_error_at_once) {
  auto server = redis_server::start({.password = "right"});
  auto redis = connected({.url = url_of(server->port()), .command_timeout = std::chrono::seconds{20}});
  EXPECT_EQ(redis.run(cmd::get("k")).error().code(), cmd::errc::no_auth);
}

TEST_F(redis_login, logs_in_as_an_acl_user_with_few_rights) {
  auto server = redis_server::start({.users = {"ada on >secret ~app:* +get +set +hello +client|setname"}});
  auto redis = connected({.url = "redis://ada:secret@127.0.0.1:" + std::to_string(server->port()),
                          .client_name = "web"});
  EXPECT_EQ(redis.run(cmd::set("app:k", "v")), true);
  EXPECT_EQ(redis.run(cmd::set("other", "v")).error().code(), cmd::errc::no_permission);
  EXPECT_THAT(server->run({"CLIENT", "LIST"}).text, HasSubstr("name=web"));
}

TEST_F(redis_login, a_unix_socket_and_a_database) {
  auto server = redis_server::start({.unix_socket = true});
  auto redis = connected({.url = "unix://" + server->unix_socket().string() + "?db=3"});
  EXPECT_EQ(redis.run(cmd::set("k", "v")), true);
  EXPECT_THAT(server->info("db3"), HasSubstr("keys=1"));
  EXPECT_THAT(failure_of(connected({.url = url_of(server->port()) + "/99"}).check()), HasSubstr("SELECT 99"));
}

TEST_F(redis_login, a_url_that_is_wrong_is_refused_before_anything_connects) {
  EXPECT_THAT(failure_of(client::connect({.url = "http://db"})), HasSubstr("redis://"));
}

}  // namespace
}  // namespace seawall::redis
