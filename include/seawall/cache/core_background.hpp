// The members of core that load on its executor. Part of core.hpp; not to be included by itself.
#pragma once

#include "seawall/cache/core.hpp"

#include <memory>
#include <utility>

namespace seawall {

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::refresh(const K& key, std::size_t hash, time_point written, const bound_loader<K, V>& loader,
                                   const entry_policy& policy) {
  const admission opened = admit(key, hash, {.refresh = true, .replaces = written});
  if (opened.is != admitted::leads) return;
  const flight_ptr& which = opened.flight;
  if (shared()) ask_in_background(which, loader, policy, {.refresh = true, .early = which->early});
  else launch(which, loader, policy);
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::run(const flight_ptr& which, const bound_loader<K, V>& loader, const entry_policy& policy) {
  const bool needed = with_locked(*which, [](const auto& flight) {
    return flight.phase == flight_phase::loading ||
           (flight.phase == flight_phase::superseded && !flight.waiters.empty());
  });
  const detail::presence here{in_background_};
  if (!needed || closed_.load()) return forsake(which);
  const std::stop_callback on_close{closing_.get_token(), [&] { which->stop.request_stop(); }};
  load_context<V> context = context_of(*which);
  loaded<V> given = [&] {
    const detail::load_mark marked = mark(which, detail::share_current_load());
    const detail::running_load_scope scope{marked.load().get()};
    return loader(which->key, context);
  }();
  given.add(context.entry);
  complete(which, std::move(given), policy.with(context.entry));
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::launch(flight_ptr which, const bound_loader<K, V>& loader, const entry_policy& policy,
                                  std::shared_ptr<tier_question<core>> asked) {
  // A task that its executor drops without running it, or cannot take, must not leave the key hanging.
  struct job {
    std::shared_ptr<core> owner;
    flight_ptr which;
    bound_loader<K, V> loader;
    entry_policy policy;
    std::shared_ptr<tier_question<core>> asked;

    job(std::shared_ptr<core> o, flight_ptr w, const bound_loader<K, V>& l, const entry_policy& p,
        std::shared_ptr<tier_question<core>> q)
        : owner(std::move(o)), which(std::move(w)), loader(l), policy(p), asked(std::move(q)) {}
    job(job&&) = default;
    ~job() {
      if (!owner) return;
      if (asked) asked->drop();
      try {
        owner->complete(which, loaded<V>(error{errc::cancelled, "the executor dropped the load"}), policy);
      } catch (...) {  // out of memory
        owner->forsake(which);
      }
    }
    void operator()() noexcept {
      const auto self = std::exchange(owner, nullptr);
      try {
        if (!asked || self->go_on(which, *asked, loader, policy)) self->run(which, loader, policy);
      } catch (...) {  // as above
        self->forsake(which);
      }
    }
  };
  job work{this->shared_from_this(), std::move(which), loader, policy, std::move(asked)};
  try {
    if (const auto background = background_.lock()) background->post(std::move(work));
  } catch (...) {  // the executor could not take it; whoever waits is answered by the task's destructor
  }
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::ask_in_background(const flight_ptr& which, const bound_loader<K, V>& loader,
                                             const entry_policy& policy, const question_options& how) {
  // Goes on, on the executor, with the tier's answer.
  struct launcher final : waiter {
    std::shared_ptr<core> owner;
    flight_ptr which;
    bound_loader<K, V> loader;
    entry_policy policy;
    std::shared_ptr<tier_question<core>> asked{};

    launcher(std::shared_ptr<core> o, flight_ptr w, const bound_loader<K, V>& l, const entry_policy& p)
        : owner(std::move(o)), which(std::move(w)), loader(l), policy(p) {}
    void wake() noexcept override {
      const auto question = std::exchange(asked, nullptr);
      try {
        owner->launch(which, loader, policy, question);
      } catch (...) {  // out of memory
        question->drop();
        owner->forsake(which);
      }
    }
  };
  const auto next = std::make_shared<launcher>(this->shared_from_this(), which, loader, policy);
  next->asked = prepare_question(which, next, how);
  tier().tier().read(next->asked);
}

template <class K, class V, class Hash, class Eq>
bool core<K, V, Hash, Eq>::go_on(const flight_ptr& which, tier_question<core>& asked, const bound_loader<K, V>& loader,
                                 const entry_policy& policy) {
  if (which->kept && !asked.takes_lease) return go_on_kept(which, asked, loader, policy);
  switch (asked.is) {
    case tier_read::outcome::hit:
      if (answer value = decode(asked)) settle_hit(which, asked, *std::move(value), policy);
      else forsake(which);
      return false;
    case tier_read::outcome::held: forsake(which); return false;
    case tier_read::outcome::leased: asked.accept_lease(); break;
    case tier_read::outcome::failed:
      if (!which->kept) break;
      forsake(which);
      return false;
  }
  return !begin_load(which, nullptr);
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::close() {
  closed_.store(true);
  closing_.request_stop();
  if (kept_) kept_->stop();
  for (std::size_t running = in_background_.load(); running != 0; running = in_background_.load()) {
    in_background_.wait(running);
  }
  sweeper_.stop();
}

}  // namespace seawall
