// result<T>: a value or an error. Nothing in Seawall throws at its users; exceptions of user code are caught at the
// boundary and become errors.
#pragma once

#include <boost/system/error_code.hpp>

#include <exception>
#include <expected>
#include <string>
#include <type_traits>
#include <utility>

namespace seawall {

/// What can go wrong inside the layer itself. A loader's own error keeps the loader's own code.
enum class errc {
  timed_out = 1,      ///< The caller's deadline passed before an answer was there.
  load_timed_out,     ///< The load ran longer than its own deadline and was given up.
  cancelled,          ///< The caller's asynchronous operation was cancelled.
  overloaded,         ///< The cap on concurrent loads is reached and nothing stale may be served.
  recursive_load,     ///< A loader asked the cache for the key that it is loading.
  loader_failed,      ///< The loader threw an exception, or answered something unusable.
  invalid_argument,   ///< An option or an argument is out of its limits; the message names it.
  closed,             ///< The cache is being destroyed.
  undecodable,        ///< Bytes are not what the type's codec writes; the message names the type.
  too_old,            ///< The source has no value of the version that the caller must not be behind.
};

}  // namespace seawall

template <>
struct boost::system::is_error_code_enum<seawall::errc> : std::true_type {};

namespace seawall {

/// The category of `errc`; its name is "seawall".
const boost::system::error_category& error_category() noexcept;

inline boost::system::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

/// An error: a code to branch on and a sentence for people. Cheap to move; a copy copies the message.
class error {
 public:
  error(boost::system::error_code code, std::string message = {}, std::exception_ptr cause = nullptr)
      : code_(code), message_(std::move(message)), cause_(std::move(cause)) {}
  error(errc code, std::string message = {}, std::exception_ptr cause = nullptr)
      : error(make_error_code(code), std::move(message), std::move(cause)) {}

  const boost::system::error_code& code() const noexcept { return code_; }
  /// The sentence given at construction, or the code's own text.
  std::string message() const { return message_.empty() ? code_.message() : message_; }
  /// The exception a loader threw, if this error was one; rethrow it to see its type.
  const std::exception_ptr& cause() const noexcept { return cause_; }

  friend bool operator==(const error& e, errc code) noexcept { return e.code_ == make_error_code(code); }

 private:
  boost::system::error_code code_;
  std::string message_;
  std::exception_ptr cause_;
};

template <class T>
using result = std::expected<T, error>;

/// Shorthand for the failing side of a `result`.
inline std::unexpected<error> fail(errc code, std::string message = {}) {
  return std::unexpected(error{code, std::move(message)});
}

}  // namespace seawall
