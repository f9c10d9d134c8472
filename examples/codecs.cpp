// A struct that is stored as JSON, one as MessagePack, their errors, and the hash of their shapes.
#include <seawall/base/schema_hash.hpp>
#include <seawall/json.hpp>
#include <seawall/msgpack.hpp>

#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

namespace shop {

enum class plan { free, paid };
BOOST_DESCRIBE_ENUM(plan, free, paid)

struct user {
  std::string name;
  int age = 0;
  plan pays = plan::free;
  std::optional<std::string> mail;  // an older entry may lack it
};
BOOST_DESCRIBE_STRUCT(user, (), (name, age, pays, mail))

struct photo {
  std::int64_t owner = 0;
  std::vector<std::byte> pixels;
};
BOOST_DESCRIBE_STRUCT(photo, (), (owner, pixels))

struct basket {
  std::vector<std::string> products;
};
BOOST_DESCRIBE_STRUCT(basket, (), (products))

}  // namespace shop

template <>
struct seawall::codec<shop::user> : seawall::json_codec<shop::user> {};

template <>
struct seawall::codec<shop::photo> : seawall::msgpack_codec<shop::photo> {};

template <>
struct seawall::codec<shop::basket> : seawall::json_codec<shop::basket> {
  static constexpr std::uint32_t schema = 1;  // changed by hand, when older entries are to be misses
};

int main() {
  std::string scratch;
  const std::string ada{seawall::encode(shop::user{"Ada", 36, shop::plan::paid, {}}, scratch)};
  std::cout << ada << '\n';  // {"name":"Ada","age":36,"pays":"paid"}

  const auto wrong = seawall::codec<shop::user>::decode(R"({"name":"Ada","age":"36"})");
  std::cout << wrong.error().message() << '\n';  // cannot read user.age as int32_t: found "36"

  const auto newer = seawall::codec<shop::user>::decode(R"({"name":"Ada","age":36,"pays":"free","shoe_size":38})");

  std::string packed{seawall::encode(shop::photo{7, {std::byte{1}, std::byte{2}}}, scratch)};
  const auto photo = seawall::codec<shop::photo>::decode(packed);

  static_assert(seawall::schema_hash<shop::user>() != seawall::schema_hash<shop::photo>());
  static_assert(seawall::schema_hash<shop::basket>() == 1);

  const bool right = ada == R"({"name":"Ada","age":36,"pays":"paid"})" && newer && newer->age == 36 && photo &&
                     photo->pixels.size() == 2 &&
                     wrong.error().message() == "cannot read user.age as int32_t: found \"36\"";
  return right ? 0 : 1;
}
