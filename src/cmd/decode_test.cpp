#include "seawall/cmd/decode.hpp"

#include "seawall/cmd/builder.hpp"
#include "seawall/cmd/error.hpp"
#include "test_commands.hpp"

#include <map>
#include <set>
#include <stdexcept>

namespace seawall::cmd {
namespace {

struct user {
  std::string name;
  friend bool operator==(const user&, const user&) = default;
};
struct thrower {};

}  // namespace
}  // namespace seawall::cmd

template <>
struct seawall::codec<seawall::cmd::user> {
  static void encode(const seawall::cmd::user& u, std::string& out) { out += "user:" + u.name; }
  static seawall::result<seawall::cmd::user> decode(std::string_view bytes) {
    if (!bytes.starts_with("user:")) return seawall::undecodable("user", bytes);
    return seawall::cmd::user{std::string{bytes.substr(5)}};
  }
};
template <>
struct seawall::codec<seawall::cmd::thrower> {
  static void encode(const seawall::cmd::thrower&, std::string&) { throw std::runtime_error{"cannot"}; }
  static seawall::result<seawall::cmd::thrower> decode(std::string_view) { throw std::runtime_error{"cannot"}; }
};

namespace seawall::cmd {
namespace {

template <class T>
result<T> from(std::string_view text) {
  const std::string bytes = frame(text);
  return decode<T>(resp::view{bytes});
}
template <class T>
std::string why_not(std::string_view text) {
  const result<T> given = from<T>(text);
  return given ? "it is one" : given.error().message();
}

TEST(Decode, Numbers) {
  EXPECT_EQ(from<int>(":7"), 7);
  EXPECT_EQ(from<int>("$2 -7"), -7);
  EXPECT_EQ(from<std::uint8_t>(":255"), 255);
  EXPECT_EQ(from<std::uint64_t>("$20 18446744073709551615"), 18446744073709551615U);
  EXPECT_EQ(from<double>(",1.5"), 1.5);
  EXPECT_EQ(from<double>(":2"), 2);
  EXPECT_EQ(from<float>("$4 -inf"), -std::numeric_limits<float>::infinity());
  EXPECT_EQ(from<bool>("#t"), true);
  EXPECT_EQ(from<bool>(":0"), false);
  EXPECT_EQ(from<bool>("$1 1"), true);
  EXPECT_EQ(why_not<std::uint8_t>(":256"), "expected an integer, the server answered an integer");
  EXPECT_EQ(why_not<std::int8_t>("$3 128"), "cannot read 3 bytes as int8_t: \"128\"");
  EXPECT_EQ(why_not<double>("*0"), "expected a number, the server answered an array");
}

TEST(Decode, Strings) {
  EXPECT_EQ(from<std::string>("+OK"), "OK");
  EXPECT_EQ(from<std::string>("=7 txt:abc"), "abc");
  EXPECT_EQ(from<std::string>(",1.5"), "1.5");
  EXPECT_EQ(why_not<std::string>("_"), "expected a string, the server answered null");
  EXPECT_EQ(why_not<std::string>("%0"), "expected a string, the server answered a map");
  EXPECT_EQ(why_not<std::string>("~0"), "expected a string, the server answered a set");
  EXPECT_EQ(why_not<std::string>(":1"), "expected a string, the server answered an integer");
  EXPECT_EQ(why_not<ok>(":1"), "expected OK, the server answered an integer");
  EXPECT_EQ(from<user>("$8 user:ann"), user{"ann"});
  EXPECT_EQ(why_not<user>("$3 ann"), "cannot read 3 bytes as user: \"ann\"");
}

TEST(Decode, Containers) {
  using map = std::map<std::string, int>;
  using pairs = std::vector<std::pair<std::string, int>>;
  EXPECT_EQ(from<std::vector<int>>("*2 :1 :2"), (std::vector{1, 2}));
  EXPECT_EQ(from<std::vector<int>>("_"), std::vector<int>{});
  EXPECT_EQ((from<std::set<int>>("~2 :2 :1")), (std::set{1, 2}));
  EXPECT_EQ(from<map>("%1 $1 a :1"), (map{{"a", 1}}));
  EXPECT_EQ(from<map>("*2 $1 a :1"), (map{{"a", 1}}));
  EXPECT_EQ(from<map>("*1 *2 $1 a :1"), (map{{"a", 1}}));
  EXPECT_EQ(from<pairs>("*1 *2 $1 a :1"), (pairs{{"a", 1}}));
  EXPECT_EQ((from<std::map<std::string, std::vector<int>>>("%1 $1 a *2 :1 :2")),
            (std::map<std::string, std::vector<int>>{{"a", {1, 2}}}));
  EXPECT_EQ(why_not<map>("*1 $1 a"), "expected pairs, the server answered an array");
  EXPECT_EQ(why_not<map>("*1 *3 $1 a :1 :2"), "expected 2 elements, the server answered 3");
  EXPECT_EQ(why_not<std::vector<int>>("*2 :1 -WRONGTYPE"), "WRONGTYPE");
  EXPECT_EQ(why_not<std::vector<int>>("$1 a"), "expected an array, the server answered a string");
}

TEST(Decode, Tuples) {
  using three = std::tuple<std::string, int, std::optional<double>>;
  EXPECT_EQ(from<three>("*3 $1 a :1 _"), (three{"a", 1, std::nullopt}));
  EXPECT_EQ((from<std::array<int, 2>>("*2 :1 :2")), (std::array{1, 2}));
  EXPECT_EQ((from<std::pair<int, bool>>("*2 :1 #f")), (std::pair{1, false}));
  EXPECT_EQ(why_not<three>("*2 $1 a :1"), "expected 3 elements, the server answered 2");
  EXPECT_EQ(why_not<three>("*3 $1 a $1 b _"), "cannot read 1 bytes as int32_t: \"b\"");
  EXPECT_EQ(from<scored<user>>("*2 $8 user:ann ,1"), (scored<user>{{"ann"}, 1}));
}

TEST(Decode, AnythingIsAValue) {
  const auto reply = from<resp::value>("*2 :1 $1 a");
  ASSERT_TRUE(reply);
  EXPECT_EQ((**reply)[1].text(), "a");
}

TEST(Decode, ACodecThatThrowsIsAnError) {
  const command<std::optional<thrower>> read = builder{"GET"}.key("k");
  const std::string bytes = frame("$1 a");
  const auto given = read.read(resp::view{bytes});
  ASSERT_FALSE(given);
  EXPECT_EQ(given.error().message(), "GET: the codec threw: cannot");
  EXPECT_NE(given.error().cause(), nullptr);
  const command<ok> write = builder{"SET"}.key("k").value(thrower{});
  EXPECT_EQ(bytes_of(write), "SET: the codec of the value threw");
  const command<ok> good = builder{"SET"}.key("k").value(user{"ann"});
  EXPECT_EQ(bytes_of(good), "SET k user:ann");
}

TEST(Decode, ACloneIsTheSameCommand) {
  const command<std::int64_t> first = builder{"INCR"}.key("k");
  const auto second = first.clone().with_timeout(std::chrono::seconds{1});
  EXPECT_EQ(second.encoded().bytes(), first.encoded().bytes());
  EXPECT_EQ(second.about(), first.about());
  EXPECT_EQ(reads(second, ":1"), 1);
  EXPECT_EQ(first.timeout(), duration::zero());
  EXPECT_EQ(second.timeout(), std::chrono::seconds{1});
}

TEST(Errors, AreClassifiedByTheirFirstWord) {
  const std::pair<const char*, errc> cases[] = {
      {"ERR unknown command", errc::server},
      {"WRONGTYPE Operation", errc::wrong_type},
      {"NOSCRIPT No matching script", errc::no_script},
      {"NOAUTH", errc::no_auth},
      {"WRONGPASS invalid", errc::wrong_pass},
      {"NOPERM no", errc::no_permission},
      {"READONLY You can't", errc::read_only},
      {"LOADING Redis", errc::loading},
      {"BUSY Redis", errc::busy},
      {"BUSYGROUP exists", errc::busy_group},
      {"NOGROUP No such key", errc::no_group},
      {"OOM command", errc::out_of_memory},
      {"MISCONF Redis", errc::misconfigured},
      {"NOREPLICAS Not enough", errc::no_replicas},
      {"MASTERDOWN Link", errc::master_down},
      {"MOVED 1 h:1", errc::moved},
      {"ASK 1 h:1", errc::ask},
      {"TRYAGAIN Multiple", errc::try_again},
      {"CLUSTERDOWN The", errc::cluster_down},
      {"CROSSSLOT Keys", errc::cross_slot},
      {"EXECABORT Transaction", errc::exec_abort},
      {"NOPROTO unsupported", errc::no_proto},
      {"BUSYKEY Target", errc::server},
      {"", errc::server},
  };
  for (const auto& [text, code] : cases) {
    EXPECT_EQ(classify(text), code) << text;
    EXPECT_EQ(to_error(text).code(), code);
    if (*text != '\0') { EXPECT_EQ(to_error(text).message(), text); }
  }
}

TEST(Errors, HaveASentenceEach) {
  std::set<std::string> sentences;
  for (const errc code : {errc::server, errc::no_proto, errc::unexpected_reply, errc::unreachable,
                          errc::connection_lost, errc::queue_full, errc::too_many_redirects, errc::watch_failed}) {
    const boost::system::error_code as_code = code;
    EXPECT_EQ(as_code.category().name(), std::string_view{"seawall.cmd"});
    EXPECT_TRUE(sentences.insert(as_code.message()).second) << as_code.message();
  }
}

}  // namespace
}  // namespace seawall::cmd
