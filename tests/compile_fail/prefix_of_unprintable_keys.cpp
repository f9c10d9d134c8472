// expect-error: seawall: invalidate_prefix compares keys as they are printed, so their type needs a codec
#include <seawall/cache.hpp>

#include <string>

struct user_id {
  int number;
  friend bool operator==(const user_id&, const user_id&) = default;
  friend std::size_t hash_value(const user_id& id) { return static_cast<std::size_t>(id.number); }
};

#ifdef SEAWALL_COMPILE_FAIL_GOOD
template <>
struct seawall::codec<user_id> {
  static void encode(const user_id& id, std::string& out) { out += "user:" + std::to_string(id.number); }
};
#endif

bool forget(seawall::cache<user_id, std::string>& cache) { return cache.invalidate_prefix("user:1").has_value(); }
