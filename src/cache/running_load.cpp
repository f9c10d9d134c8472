#include "seawall/cache/running_load.hpp"

#include <utility>

namespace seawall::detail {
namespace {

constinit thread_local const running_load* innermost = nullptr;

}  // namespace

const running_load* current_load() noexcept { return innermost; }

running_load_scope::running_load_scope(const running_load* load) noexcept : before_(std::exchange(innermost, load)) {}

running_load_scope::~running_load_scope() { innermost = before_; }

}  // namespace seawall::detail
