// TLS to all nodes of a cluster, also to those that only the slot map names.
#include "cluster_support.hpp"
#include "seawall/net/connector.hpp"
#include "servers/certificates.hpp"

namespace seawall::redis {
namespace {

using servers::cluster;
using servers::key_in;

TEST(cluster_tls, all_nodes_are_reached_by_tls_and_verified) {
  SEAWALL_NEEDS_SERVER();
  auto nodes = cluster::start({.replicas = 0, .tls = true});
  auto how = cluster_options_for(*nodes);
  how.url.insert(how.url.find('+'), "s");
  how.tls.ca_file = servers::test_certificates().authority;
  auto redis = client_with(how);
  for (const std::uint16_t slot : {1, 8'000, 16'000}) {
    EXPECT_EQ(redis.run(cmd::set(key_in(slot), slot)), true);
    EXPECT_EQ(text_of(redis.run(cmd::get(key_in(slot)))), std::to_string(slot));
  }
  EXPECT_EQ(redis.stats().connects, 3U);
  EXPECT_EQ(redis.stats().redirects, 0U);
  // MOVED and ASK name TLS ports, too.
  auto move = nodes->move_slot(1, 2);
  move.begin();
  EXPECT_EQ(text_of(redis.run(cmd::get(key_in(1, "new")))), "(nil)");
  move.keys();
  move.finish();
  EXPECT_EQ(text_of(redis.run(cmd::get(key_in(1)))), "1");
  EXPECT_GE(redis.stats().redirects, 2U);

  how.tls.ca_file = servers::test_certificates().other_authority;
  how.command_timeout = 20s;
  EXPECT_EQ(client_with(how).check().error().code(), net::connect_errc::tls_untrusted);
}

}  // namespace
}  // namespace seawall::redis
