// pending: commands on their way, for whoever drives them: run.hpp blocks, async.hpp completes tokens.
#pragma once

#include "seawall/cmd/command.hpp"
#include "seawall/cmd/request.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace seawall::cmd::detail {

/// Lets a cancellation and the end of a request meet: whoever comes second accounts for the end. `target::cancel` is
/// never called after `on_end` has returned, and a request outlives both.
class end_gate {
 public:
  /// For `on_end`: whether the caller accounts for the end; else a cancellation that is running does.
  bool end() noexcept { return phase_.exchange(ended, std::memory_order_acq_rel) != cancelling; }

  /// For a canceller; `false`: the end has come already, there is nothing to cancel.
  bool begin_cancel() noexcept {
    std::uint8_t expected = idle;
    return phase_.compare_exchange_strong(expected, cancelling, std::memory_order_acq_rel);
  }
  /// After `target::cancel` has returned: whether the end came meanwhile, so that the canceller accounts for it.
  bool end_cancel() noexcept {
    std::uint8_t expected = cancelling;
    return !phase_.compare_exchange_strong(expected, cancelled, std::memory_order_acq_rel);
  }

  /// For another round. Requires: ended, and nobody cancels meanwhile.
  void reopen() noexcept { phase_.store(idle, std::memory_order_relaxed); }

 private:
  enum : std::uint8_t { idle, cancelling, cancelled, ended };
  std::atomic<std::uint8_t> phase_{idle};
};

/// A request for one command. A NOSCRIPT answer to a script whose source is there is no outcome: `wants_source`.
class pending : public request {
 public:
  /// Fills in the request. Requires: `what` stays where it is until the end.
  void prepare(const any_command& what, const target& where);

  const any_command& what() const noexcept { return *what_; }
  bool wants_source() const noexcept { return wants_source_; }
  /// Gets ready for a second submission, with the script's source.
  void use_source();

  virtual void set_failure(const error& failure) = 0;

  end_gate gate;

 protected:
  bool is_missing_script(resp::view reply) const noexcept;

  const any_command* what_ = nullptr;
  bool wants_source_ = false;

 private:
  std::unique_ptr<resp::command_bytes> with_source_;
};

template <class T>
class pending_command : public pending {
 public:
  void on_reply(std::size_t, resp::view reply) noexcept override {
    if (reply.is_error() && what_->has_source() && is_missing_script(reply)) [[unlikely]] {
      wants_source_ = true;
      return;
    }
    wants_source_ = false;
    outcome_.emplace(static_cast<const command<T>*>(what_)->read(reply));
  }
  void set_failure(const error& failure) override { outcome_.emplace(std::unexpect, failure); }

  /// Requires: ended.
  result<T> take() { return *std::move(outcome_); }

 private:
  std::optional<result<T>> outcome_;
};

/// Commands that are sent in one piece, and the moment when the last of them has ended.
class batch {
 public:
  /// Links and submits those that are to be sent; the others have their outcome. Returns false, having sent nothing,
  /// when there are none. `all_ended` may run before this returns, and end the batch.
  bool submit(target& where, std::span<pending* const> all);
  /// Submits those again whose script the server did not know. As `submit`.
  bool submit_sources(target& where, std::span<pending* const> all);
  /// Cancels what has not ended. Returns whether this saw the last end: `all_ended` is not called then.
  bool cancel(target& where, std::span<pending* const> all);

  void one_ended() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) all_ended();
  }

 protected:
  ~batch() = default;
  virtual void all_ended() = 0;

 private:
  template <class Wanted>
  bool submit_those(target& where, std::span<pending* const> all, Wanted wanted);

  std::atomic<std::size_t> left_{0};
};

template <class T>
class batch_member final : public pending_command<T> {
 public:
  batch* owner = nullptr;

  void on_end(const error* failure) noexcept override {
    if (failure != nullptr) {
      this->wants_source_ = false;
      this->set_failure(*failure);
    }
    if (this->gate.end()) owner->one_ended();
  }
};

/// The members of a batch of different types.
template <class... T>
class batch_tuple {
 public:
  using outcome = std::tuple<result<T>...>;

  void prepare(batch& owner, const target& where, const command<T>&... what) {
    std::apply([&](auto&... member) { (set_up(member, owner, where, what), ...); }, members_);
    std::apply([&](auto&... member) { pointers_ = {&member...}; }, members_);
  }
  std::span<pending* const> all() const noexcept { return pointers_; }
  outcome take() {
    return std::apply([](auto&... member) { return outcome{member.take()...}; }, members_);
  }

 private:
  static void set_up(auto& member, batch& owner, const target& where, const any_command& what) {
    member.owner = &owner;
    member.prepare(what, where);
  }

  std::tuple<batch_member<T>...> members_;
  std::array<pending*, sizeof...(T)> pointers_{};
};

/// The members of a batch of one type.
template <class T>
class batch_list {
 public:
  using outcome = std::vector<result<T>>;

  void prepare(batch& owner, const target& where, std::span<const command<T>> what) {
    members_ = std::vector<batch_member<T>>(what.size());
    pointers_.reserve(what.size());
    for (std::size_t i = 0; i < what.size(); ++i) {
      members_[i].owner = &owner;
      members_[i].prepare(what[i], where);
      pointers_.push_back(&members_[i]);
    }
  }
  std::span<pending* const> all() const noexcept { return pointers_; }
  outcome take() {
    outcome given;
    given.reserve(members_.size());
    for (auto& member : members_) given.push_back(member.take());
    return given;
  }

 private:
  std::vector<batch_member<T>> members_;
  std::vector<pending*> pointers_;
};

}  // namespace seawall::cmd::detail
