#include "seawall/cmd/command.hpp"

#include <fmt/format.h>

#include <exception>

namespace seawall::cmd {

any_command any_command::clone() const {
  any_command copy{bytes_.clone(), traits_};
  copy.source_ = source_;
  copy.invalid_ = invalid_;
  copy.server_wait_ = server_wait_;
  copy.timeout_ = timeout_;
  return copy;
}

duration any_command::timeout_with(duration default_timeout) const noexcept {
  if (server_wait_ == duration::zero()) return timeout_;
  const duration own = timeout_ == duration::zero() ? default_timeout : timeout_;
  return server_wait_ >= forever - own ? forever : server_wait_ + own;
}

error any_command::invalid() const {
  return {seawall::errc::invalid_argument, fmt::format("{}: {}", name(), invalid_ == nullptr ? "valid" : invalid_)};
}

resp::command_bytes any_command::with_source() const {
  const bool read_only = name() == "EVALSHA_RO";
  resp::command_bytes made;
  made.reserve(source_->size() + bytes_.bytes().size(), bytes_.arguments());
  made.append(read_only ? "EVAL_RO" : "EVAL").append(*source_);
  std::size_t index = 0;
  // A command is an array of strings, so a view walks it.
  for (const resp::view argument : resp::view{bytes_.bytes()}) {
    if (index++ >= 2) made.append(argument.text());
  }
  return made;
}

namespace detail {

error error_of(const any_command& what, error problem) {
  const bool of_shape = problem.code() == make_error_code(errc::unexpected_reply);
  if (!of_shape && problem.code() != make_error_code(seawall::errc::undecodable)) return problem;
  return {problem.code(), fmt::format("{}: {}", what.name(), problem.message()), problem.cause()};
}

error error_of_exception(const any_command& what) {
  const std::exception_ptr cause = std::current_exception();
  std::string text = "an unknown exception";
  try {
    std::rethrow_exception(cause);
  } catch (const std::exception& thrown) {
    text = thrown.what();
  } catch (...) {  // the text says so
  }
  return {seawall::errc::undecodable, fmt::format("{}: the codec threw: {}", what.name(), text), cause};
}

}  // namespace detail
}  // namespace seawall::cmd
