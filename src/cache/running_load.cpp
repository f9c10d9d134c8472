#include "seawall/cache/running_load.hpp"

namespace seawall::detail {
namespace {

constinit thread_local const running_load* innermost = nullptr;

}  // namespace

const running_load* current_load() noexcept {
  const running_load* load = innermost;
  while (load && !load->is_running()) load = load->outer();
  return load;
}

std::shared_ptr<const running_load> share_current_load() {
  const running_load* load = current_load();
  return load ? load->shared_from_this() : nullptr;
}

running_load_scope::running_load_scope(const running_load* load) noexcept : before_(std::exchange(innermost, load)) {}

running_load_scope::~running_load_scope() { innermost = before_; }

}  // namespace seawall::detail
