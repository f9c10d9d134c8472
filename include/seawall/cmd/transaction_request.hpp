// transaction_request: MULTI, the commands, EXEC as one request. Part of run.hpp and async.hpp.
#pragma once

#include "seawall/cmd/command.hpp"
#include "seawall/cmd/pending.hpp"
#include "seawall/cmd/request.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace seawall::cmd::detail {

/// The request without the types of its results. Scripts are sent with their source: an unknown digest would not undo
/// the commands before it.
class transaction_request : public request {
 public:
  /// Fills in the request; false: a command is not valid, which is the outcome.
  /// Requires: the commands stay where they are until the end.
  bool prepare(std::span<const any_command* const> what);

  void on_reply(std::size_t index, resp::view reply) noexcept final;
  void set_failure(const error& failure) { failure_ = failure; }

  end_gate gate;

 protected:
  /// The answers, in order, as many as commands.
  virtual void read_answers(resp::view answers) = 0;

  std::optional<error> failure_;

 private:
  void read_queued(std::size_t index, resp::view reply);
  void read_exec(resp::view reply);

  std::string text_;
  std::span<const any_command* const> what_;
  std::optional<error> refused_;
};

template <class Base, class... T>
class transaction_tuple : public Base {
 public:
  using outcome = result<std::tuple<result<T>...>>;

  bool prepare(const command<T>&... what) {
    what_ = {&what...};
    return Base::prepare(what_);
  }
  outcome take() {
    if (this->failure_) return std::unexpected(*std::move(this->failure_));
    return *std::move(answers_);
  }

 protected:
  void read_answers(resp::view answers) final {
    auto at = answers.begin();
    std::size_t index = 0;
    // Braces keep the order.
    answers_.emplace(std::tuple<result<T>...>{read_one<T>(index, at)...});
  }

 private:
  template <class One>
  result<One> read_one(std::size_t& index, resp::view::iterator& at) {
    const auto* what = static_cast<const command<One>*>(what_[index++]);
    const resp::view answer = *at;
    ++at;
    return what->read(answer);
  }

  std::array<const any_command*, sizeof...(T)> what_{};
  std::optional<std::tuple<result<T>...>> answers_;
};

template <class Base, class T>
class transaction_list : public Base {
 public:
  using outcome = result<std::vector<result<T>>>;

  bool prepare(std::span<const command<T>> what) {
    for (const command<T>& one : what) what_.push_back(&one);
    return Base::prepare(what_);
  }
  outcome take() {
    if (this->failure_) return std::unexpected(*std::move(this->failure_));
    return std::move(answers_);
  }

 protected:
  void read_answers(resp::view answers) final {
    answers_.clear();
    answers_.reserve(what_.size());
    std::size_t index = 0;
    for (const resp::view answer : answers) {
      answers_.push_back(static_cast<const command<T>*>(what_[index++])->read(answer));
    }
  }

 private:
  std::vector<const any_command*> what_;
  std::vector<result<T>> answers_;
};

}  // namespace seawall::cmd::detail
