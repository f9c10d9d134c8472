#include "seawall/cmd/transaction_request.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace seawall::cmd::detail {
namespace {

constexpr std::string_view multi = "*1\r\n$5\r\nMULTI\r\n";
constexpr std::string_view exec = "*1\r\n$4\r\nEXEC\r\n";

}  // namespace

bool transaction_request::prepare(std::span<const any_command* const> what) {
  what_ = what;
  for (const any_command* one : what) {
    if (!one->valid()) {
      failure_ = one->invalid();
      return false;
    }
  }
  text_ = multi;
  traits = {};
  traits.effect = effect::read;
  for (const any_command* one : what) {
    const cmd::traits& about = one->about();
    if (about.first_key != 0 && traits.first_key == 0) {
      const effect so_far = traits.effect;
      traits = about;
      traits.effect = so_far;
      keyed_at = static_cast<std::uint32_t>(text_.size());
    }
    // The enumerators are in this order: what may be repeated less comes later.
    traits.effect = std::max(traits.effect, about.effect);
    timeout = std::max(timeout, one->timeout());
    if (one->has_source()) text_ += one->with_source().bytes();
    else text_ += one->encoded().bytes();
  }
  text_ += exec;
  // Within MULTI nothing blocks, and the whole is complete on any connection.
  traits.blocking = traits.connection_state = traits.splittable = false;
  bytes = text_;
  replies = static_cast<std::uint32_t>(what.size()) + 2;
  return true;
}

void transaction_request::on_reply(std::size_t index, resp::view reply) noexcept {
  if (index == 0) {
    failure_.reset();
    refused_.reset();
  }
  if (index == what_.size() + 1) read_exec(reply);
  else read_queued(index, reply);
}

void transaction_request::read_queued(std::size_t index, resp::view reply) {
  if (!reply.is_error() || refused_) return;
  const std::string who =
      index == 0 ? "MULTI" : fmt::format("command {} of the transaction, {},", index, what_[index - 1]->name());
  refused_ = error{classify(reply.text()), fmt::format("{} was refused: {}", who, reply.text())};
}

void transaction_request::read_exec(resp::view reply) {
  if (reply.is_error()) {
    failure_ = refused_ ? std::move(*refused_) : to_error(reply.text());
  } else if (reply.is_null()) {
    failure_ = error{make_error_code(errc::watch_failed)};
  } else if (!reply.is_aggregate()) {
    failure_ = unexpected_reply("EXEC: an array", reply).error();
  } else if (reply.size() != what_.size()) {
    failure_ = unexpected_size(what_.size(), reply).error();
  } else {
    read_answers(reply);
  }
}

}  // namespace seawall::cmd::detail
