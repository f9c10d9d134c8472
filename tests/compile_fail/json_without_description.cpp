// expect-error: describe it (BOOST_DESCRIBE_STRUCT
#include <seawall/json.hpp>

enum class plan { free, paid };
#ifdef SEAWALL_COMPILE_FAIL_GOOD
BOOST_DESCRIBE_ENUM(plan, free, paid)
#endif

struct user {
  std::vector<plan> plans;
};
BOOST_DESCRIBE_STRUCT(user, (), (plans))

std::string written(const user& value) {
  std::string out;
  seawall::json_codec<user>::encode(value, out);
  return out;
}
