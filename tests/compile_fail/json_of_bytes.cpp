// expect-error: std::vector<std::byte> has no form in JSON: use msgpack_codec
#include <seawall/json.hpp>
#include <seawall/msgpack.hpp>

struct photo {
  std::vector<std::byte> pixels;
};
BOOST_DESCRIBE_STRUCT(photo, (), (pixels))

#ifdef SEAWALL_COMPILE_FAIL_GOOD
using chosen = seawall::msgpack_codec<photo>;
#else
using chosen = seawall::json_codec<photo>;
#endif

std::string written(const photo& value) {
  std::string out;
  chosen::encode(value, out);
  return out;
}
