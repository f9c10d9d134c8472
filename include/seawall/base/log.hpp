// The library's only way to say something: a function handed in by the user. Without one it is silent.
#pragma once

#include <functional>
#include <string_view>

namespace seawall {

enum class log_level { debug, info, warning, error };

/// Called from any thread, never under a lock of the library. The text lives until the call returns.
using log_hook = std::function<void(log_level, std::string_view text)>;

}  // namespace seawall
