// command<T>: a Redis command as a value. It knows its bytes, its traits, and how a reply becomes a T.
//
//     cmd::command<std::optional<std::string>> read = cmd::get("user:42");
//
// The same command runs blocking, asynchronously, in a pipeline and in a transaction, on every `target`.
#pragma once

#include "seawall/base/result.hpp"
#include "seawall/cmd/decode.hpp"
#include "seawall/cmd/error.hpp"
#include "seawall/cmd/request.hpp"
#include "seawall/resp/command_bytes.hpp"
#include "seawall/resp/view.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace seawall::cmd {

class builder;

/// What a command is without the type of its result. Made by a `builder`.
/// Thread safety: as a std::string. Not an aggregate on purpose: GCC 12 destroys aggregate temporaries inside
/// co_await twice.
class any_command {
 public:
  any_command() noexcept = default;
  any_command(resp::command_bytes bytes, const cmd::traits& about) noexcept
      : bytes_(std::move(bytes)), traits_(about) {}

  any_command(any_command&&) noexcept = default;
  any_command& operator=(any_command&&) noexcept = default;
  any_command clone() const;

  const resp::command_bytes& encoded() const noexcept { return bytes_; }
  const cmd::traits& about() const noexcept { return traits_; }
  /// "GET".
  std::string_view name() const noexcept { return bytes_.arguments() == 0 ? std::string_view{} : bytes_.argument(0); }

  /// How long this command may take, queueing included; zero: the target's default. For a blocking command it is added
  /// to the time that the server may wait.
  duration timeout() const noexcept { return timeout_; }
  /// How long the server may wait before it answers; zero for all but blocking commands.
  duration server_wait() const noexcept { return server_wait_; }
  /// What a request for this command is given: both together.
  duration timeout_with(duration default_timeout) const noexcept;

  /// An argument is out of its limits: running the command fails with errc::invalid_argument, nothing is sent.
  bool valid() const noexcept { return invalid_ == nullptr; }
  /// The error of a command that is not valid; it names the command and the argument.
  error invalid() const;

  /// A script that the server may not know (EVALSHA).
  bool has_source() const noexcept { return source_ != nullptr; }
  /// The same command with the script's source in place of its digest (EVAL). Requires: has_source().
  resp::command_bytes with_source() const;

 private:
  friend class builder;

  resp::command_bytes bytes_;
  std::shared_ptr<const std::string> source_;
  const char* invalid_ = nullptr;
  duration server_wait_{};
  cmd::traits traits_;

 protected:
  duration timeout_{};
};

namespace detail {

/// The error of a command's reply: a wrong shape or undecodable bytes get the command's name in front.
error error_of(const any_command& what, error problem);
/// The error of an exception that is being handled: a codec of the user threw it.
error error_of_exception(const any_command& what);

}  // namespace detail

template <class T>
class command : public any_command {
 public:
  using result_type = T;
  /// Turns a reply that is not an error into a result.
  using decoder = result<T> (*)(resp::view reply);

  command(resp::command_bytes bytes, const cmd::traits& about, decoder decode) noexcept
      : any_command(std::move(bytes), about), decode_(decode) {}
  command(any_command&& made, decoder decode) noexcept : any_command(std::move(made)), decode_(decode) {}
  command(command&&) noexcept = default;
  command& operator=(command&&) noexcept = default;
  command clone() const { return {any_command::clone(), decode_}; }

  /// What a reply means: the T, the server's error, or why the reply is no T.
  result<T> read(resp::view reply) const {
    if (reply.is_error()) return std::unexpected(to_error(reply.text()));
    try {
      result<T> given = decode_(reply);
      if (!given) [[unlikely]] return std::unexpected(detail::error_of(*this, std::move(given.error())));
      return given;
    } catch (...) {
      return std::unexpected(detail::error_of_exception(*this));
    }
  }

  command&& with_timeout(duration longest) && noexcept {
    timeout_ = longest;
    return std::move(*this);
  }

  /// The same command, its reply read as another type.
  template <class U>
  command<U> as() && {
    return {std::move(*this), &cmd::decode<U>};
  }

 private:
  decoder decode_;
};

}  // namespace seawall::cmd
