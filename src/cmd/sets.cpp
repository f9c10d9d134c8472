#include "seawall/cmd/sets.hpp"

namespace seawall::cmd {

command<std::int64_t> scard(std::string_view key) { return builder{"SCARD"}.key(key); }

}  // namespace seawall::cmd
