// async_operation: the state of an asynchronous command between initiation and completion. Part of async.hpp.
#pragma once

#include "seawall/cmd/pending.hpp"
#include "seawall/cmd/transaction_request.hpp"

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/recycling_allocator.hpp>

#include <memory>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace seawall::cmd::detail {

/// How deep this thread is in calls of `target::submit` and `target::cancel`: an end that comes from inside one must
/// not run the handler there, since the caller is still in its initiation.
inline constinit thread_local int calls_into_target = 0;

struct call_into_target {
  call_into_target() noexcept { ++calls_into_target; }
  ~call_into_target() { --calls_into_target; }
  call_into_target(const call_into_target&) = delete;
  call_into_target& operator=(const call_into_target&) = delete;
};

/// Whether Asio's cancellation asks this command to end.
constexpr bool ends(boost::asio::cancellation_type asked, effect what) noexcept {
  using enum boost::asio::cancellation_type;
  const auto accepted = what == effect::read ? terminal | partial | total : terminal | partial;
  return (asked & accepted) != none;
}

/// The part that all operations share: the handler, its memory, its executor and its cancellation slot.
/// `Derived` has `again()` (true: another round was submitted), `take()`, `cancel(type)`.
template <class Derived, class Handler>
class operation {
 public:
  using given_allocator = boost::asio::associated_allocator_t<Handler>;
  // Without an allocator of the handler's own: memory that Asio keeps for each thread.
  using base_allocator = std::conditional_t<std::is_same_v<given_allocator, std::allocator<void>>,
                                            boost::asio::recycling_allocator<void>, given_allocator>;

  operation(const operation&) = delete;
  operation& operator=(const operation&) = delete;

 protected:
  using executor_type = boost::asio::associated_executor_t<Handler>;
  using own_allocator = typename std::allocator_traits<base_allocator>::template rebind_alloc<Derived>;

  operation(target& where, Handler&& handler) noexcept
      : where_(&where), work_(boost::asio::get_associated_executor(handler)), handler_(std::move(handler)) {}
  ~operation() = default;

  static base_allocator allocator_of(const Handler& handler) noexcept {
    if constexpr (std::is_same_v<given_allocator, base_allocator>) {
      return boost::asio::get_associated_allocator(handler);
    } else {
      return base_allocator{};
    }
  }

  template <class... Args>
  static Derived* make(target& where, Handler&& handler, Args&&... args) {
    own_allocator memory{allocator_of(handler)};
    Derived* const space = std::allocator_traits<own_allocator>::allocate(memory, 1);
    return std::construct_at(space, where, std::move(handler), std::forward<Args>(args)...);
  }

  void connect_cancellation() {
    auto slot = boost::asio::get_associated_cancellation_slot(handler_);
    if (!slot.is_connected()) return;
    connected_ = true;
    slot.template emplace<canceller>(static_cast<Derived&>(*this));
  }

  /// The operation has ended on whatever thread this is: the handler's executor takes over.
  void finish() {
    const executor_type executor = work_.get_executor();
    if (calls_into_target == 0) boost::asio::dispatch(executor, completion{static_cast<Derived*>(this)});
    else boost::asio::post(executor, completion{static_cast<Derived*>(this)});
  }

  target* where_;

 private:
  struct canceller {
    explicit canceller(Derived& owner) noexcept : of(&owner) {}
    void operator()(boost::asio::cancellation_type asked) { of->cancel(asked); }
    Derived* of;
  };

  /// Completes the operation on its executor, or destroys it with the queue of an executor that ends first.
  class completion {
   public:
    using allocator_type = base_allocator;

    explicit completion(Derived* of) noexcept : of_(of) {}
    completion(completion&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    ~completion() {
      if (of_ != nullptr) destroy(of_);
    }
    allocator_type get_allocator() const noexcept { return allocator_of(of_->handler_); }
    void operator()() { complete(std::exchange(of_, nullptr)); }

   private:
    Derived* of_;
  };

  static void destroy(Derived* of) noexcept {
    own_allocator memory{allocator_of(of->handler_)};
    std::destroy_at(of);
    std::allocator_traits<own_allocator>::deallocate(memory, of, 1);
  }

  static void complete(Derived* of) {
    if (of->again()) return;
    if (of->connected_) boost::asio::get_associated_cancellation_slot(of->handler_).clear();
    auto outcome = of->take();
    const auto work = std::move(of->work_);
    Handler handler = std::move(of->handler_);
    // The handler's next operation finds this memory free.
    own_allocator memory{allocator_of(handler)};
    std::destroy_at(of);
    std::allocator_traits<own_allocator>::deallocate(memory, of, 1);
    std::move(handler)(std::move(outcome));
  }

  boost::asio::executor_work_guard<executor_type> work_;
  Handler handler_;
  bool connected_ = false;
};

/// One command.
template <class Handler, class T>
class async_single final : public pending_command<T>, public operation<async_single<Handler, T>, Handler> {
  using base = operation<async_single, Handler>;
  friend base;

 public:
  async_single(target& where, Handler&& handler, command<T>&& what)
      : base(where, std::move(handler)), command_(std::move(what)) {}

  static void start(target& where, Handler&& handler, command<T>&& what) {
    async_single* const made = base::make(where, std::move(handler), std::move(what));
    made->prepare(made->command_, where);
    const call_into_target inside;
    if (!made->command_.valid()) return made->finish();
    made->connect_cancellation();
    where.submit(*made);
  }

  void on_end(const error* failure) noexcept override {
    if (failure != nullptr) {
      this->wants_source_ = false;
      this->set_failure(*failure);
    }
    if (this->gate.end()) this->finish();
  }

 private:
  bool again() {
    if (!this->wants_source()) [[likely]] return false;
    if (cancelled_) {
      this->set_failure(error{seawall::errc::cancelled});
      return false;
    }
    this->use_source();
    const call_into_target inside;
    this->where_->submit(*this);
    return true;
  }

  void cancel(boost::asio::cancellation_type asked) {
    if (!ends(asked, command_.about().effect)) return;
    cancelled_ = true;
    if (!this->gate.begin_cancel()) return;
    const call_into_target inside;
    this->where_->cancel(*this);
    if (this->gate.end_cancel()) this->finish();
  }

  command<T> command_;
  bool cancelled_ = false;  // touched on the handler's executor only
};

/// Several commands: `Members` is a batch_tuple or batch_list, `Commands` a tuple or vector.
template <class Handler, class Members, class Commands>
class async_batch final : public batch, public operation<async_batch<Handler, Members, Commands>, Handler> {
  using base = operation<async_batch, Handler>;
  friend base;

 public:
  async_batch(target& where, Handler&& handler, Commands&& what)
      : base(where, std::move(handler)), commands_(std::move(what)) {}

  static void start(target& where, Handler&& handler, Commands&& what) {
    async_batch* const made = base::make(where, std::move(handler), std::move(what));
    made->prepare(made->commands_);
    const call_into_target inside;
    made->connect_cancellation();
    if (!made->submit(where, made->members_.all())) made->finish();
  }

 private:
  template <class... T>
  void prepare(const std::tuple<command<T>...>& what) {
    std::apply([this](const auto&... one) { members_.prepare(*this, *this->where_, one...); }, what);
  }
  template <class T>
  void prepare(const std::vector<command<T>>& what) {
    members_.prepare(*this, *this->where_, std::span<const command<T>>{what});
  }

  void all_ended() override { this->finish(); }

  bool again() {
    if (cancelled_) {
      for (pending* one : members_.all()) {
        if (one->wants_source()) one->set_failure(error{seawall::errc::cancelled});
      }
      return false;
    }
    const call_into_target inside;
    return this->submit_sources(*this->where_, members_.all());
  }

  void cancel(boost::asio::cancellation_type asked) {
    if (!ends(asked, effect::write_once)) return;
    cancelled_ = true;
    const call_into_target inside;
    if (batch::cancel(*this->where_, members_.all())) this->finish();
  }

  typename Members::outcome take() { return members_.take(); }

  Commands commands_;
  Members members_;
  bool cancelled_ = false;  // touched on the handler's executor only
};

/// MULTI ... EXEC: `Request` is a transaction_tuple or transaction_list.
template <class Handler, class Request, class Commands>
class async_transaction final : public Request,
                                public operation<async_transaction<Handler, Request, Commands>, Handler> {
  using base = operation<async_transaction, Handler>;
  friend base;

 public:
  async_transaction(target& where, Handler&& handler, Commands&& what)
      : base(where, std::move(handler)), commands_(std::move(what)) {}

  static void start(target& where, Handler&& handler, Commands&& what) {
    async_transaction* const made = base::make(where, std::move(handler), std::move(what));
    const call_into_target inside;
    if (!made->prepare_all(made->commands_)) return made->finish();
    made->connect_cancellation();
    where.submit(*made);
  }

  void on_end(const error* failure) noexcept override {
    if (failure != nullptr) this->set_failure(*failure);
    if (this->gate.end()) this->finish();
  }

 private:
  template <class... T>
  bool prepare_all(const std::tuple<command<T>...>& what) {
    return std::apply([this](const auto&... one) { return this->prepare(one...); }, what);
  }
  template <class T>
  bool prepare_all(const std::vector<command<T>>& what) {
    return !what.empty() && this->prepare(std::span<const command<T>>{what});
  }

  bool again() noexcept { return false; }

  void cancel(boost::asio::cancellation_type asked) {
    if (!ends(asked, this->traits.effect) || !this->gate.begin_cancel()) return;
    const call_into_target inside;
    this->where_->cancel(*this);
    if (this->gate.end_cancel()) this->finish();
  }

  Commands commands_;
};

}  // namespace seawall::cmd::detail
