// expect-error: seawall::hash: specialise std::hash for the key type, or give it a hash_value()
#include <seawall/cache.hpp>

#include <string>

struct user_id {
  int shard;
  int number;
  friend bool operator==(const user_id&, const user_id&) = default;
#ifdef SEAWALL_COMPILE_FAIL_GOOD
  friend std::size_t hash_value(const user_id& id) { return static_cast<std::size_t>(id.shard ^ id.number); }
#endif
};

seawall::value_ptr<std::string> find(seawall::cache<user_id, std::string>& cache) { return cache.get(user_id{1, 2}); }
