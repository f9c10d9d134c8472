#include "seawall/cmd/raw.hpp"

namespace seawall::cmd {

command<resp::value> raw(std::span<const std::string_view> arguments) {
  builder made{arguments.empty() ? std::string_view{} : arguments.front(), traits{}};
  for (std::size_t i = 1; i < arguments.size(); ++i) made.text(arguments[i]);
  return made.look_up();
}

}  // namespace seawall::cmd
