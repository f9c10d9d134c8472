// command<T>: a Redis command as a value. It knows its bytes, its traits, and how a reply becomes a T.
//
//     cmd::command<std::optional<std::string>> read = cmd::get("user:42");
//
// The same command runs blocking, asynchronously, in a pipeline and in a transaction, on every `target`.
#pragma once

#include "seawall/base/result.hpp"
#include "seawall/cmd/request.hpp"
#include "seawall/resp/command_bytes.hpp"
#include "seawall/resp/view.hpp"

#include <initializer_list>
#include <string_view>
#include <utility>

namespace seawall::cmd {

/// Thread safety: as a std::string. Not an aggregate on purpose: GCC 12 destroys aggregate temporaries inside
/// co_await twice.
template <class T>
class command {
 public:
  using result_type = T;
  /// Turns a reply that is not an error into a result.
  using decoder = result<T> (*)(resp::view reply);

  command(resp::command_bytes bytes, const cmd::traits& about, decoder decode) noexcept
      : bytes_(std::move(bytes)), traits_(about), decode_(decode) {}
  command(command&&) noexcept = default;
  command& operator=(command&&) noexcept = default;
  command clone() const { return {bytes_.clone(), traits_, decode_}; }

  const resp::command_bytes& encoded() const noexcept { return bytes_; }
  const cmd::traits& about() const noexcept { return traits_; }
  decoder decode() const noexcept { return decode_; }

  /// How long this command may take, queueing included; zero: the target's default. For a blocking command it is added
  /// to the time that the server may wait.
  duration timeout() const noexcept { return timeout_; }
  command&& with_timeout(duration longest) && noexcept {
    timeout_ = longest;
    return std::move(*this);
  }

 private:
  resp::command_bytes bytes_;
  cmd::traits traits_;
  decoder decode_;
  duration timeout_{};
};

}  // namespace seawall::cmd
