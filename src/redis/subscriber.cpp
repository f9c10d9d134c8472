#include "subscriber.hpp"

#include "cluster_slot_map.hpp"
#include "retry.hpp"
#include "seawall/cmd/error.hpp"
#include "seawall/redis/client.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <utility>

namespace seawall::redis {
namespace {

// So many redirections in a row are followed at once; then there is a pause before each.
constexpr int quick_redirects = 4;

// The next attempt would be refused, too.
bool is_final(const boost::system::error_code& code) {
  return code == cmd::errc::no_auth || code == cmd::errc::wrong_pass || code == cmd::errc::no_permission ||
         code == cmd::errc::no_proto;
}

}  // namespace

// --- any thread -----------------------------------------------------------------------------------------------------

subscriber::subscriber(std::shared_ptr<core> with, message_handler handler, subscription_options how)
    : core_(std::move(with)), services_(core_->shared()),
      timeout_(how.timeout == duration::zero() ? services_.options.command_timeout : how.timeout),
      gate_(std::move(handler), std::move(how.on_gap), services_.options.log),
      backoff_(services_.options.backoff, services_.random), timer_(services_.executor) {}

void subscriber::post(work_item what) {
  boost::asio::post(services_.executor, [self = shared_from_this(), what = std::move(what)] { what(*self); });
  if (net::loop* const own = core_->own_loop()) own->nudge();
}

// On the executor, work is done at once; in another handler of its context, soon.
void subscriber::run_and_wait(const std::shared_ptr<waiter>& until, work_item what) {
  if (until->detached) {
    return boost::asio::dispatch(services_.executor,
                                 [self = shared_from_this(), what = std::move(what)] { what(*self); });
  }
  post(std::move(what));
  core_->wait(until->done);
}

result<void> subscriber::add(const topics& more) {
  if (auto valid = check_topics(more); !valid) return valid;
  const auto waits = std::make_shared<waiter>();
  waits->detached = core_->must_not_wait();
  waits->deadline = after(services_.clock->now(), timeout_);
  if (waits->detached) {
    const std::lock_guard lock{status_mutex_};
    ++status_.missing;  // until `begin` has counted
  }
  run_and_wait(waits, [more, waits](subscriber& self) { self.begin(more, waits); });
  if (waits->done.load(std::memory_order_acquire) && waits->failure) return std::unexpected(*waits->failure);
  return {};
}

result<void> subscriber::remove(const topics& those) {
  if (auto valid = check_topics(those); !valid) return valid;
  const auto waits = std::make_shared<waiter>();
  waits->detached = core_->must_not_wait();
  run_and_wait(waits, [those, waits](subscriber& self) {
    for_each_name(those, [&](topic_kind kind, const std::string& name) { self.drop(kind, name); });
    self.wake();
    waits->end();
  });
  return {};
}

result<void> subscriber::active() const {
  const std::lock_guard lock{status_mutex_};
  if (status_.missing == 0) return {};
  const auto waiting = make_error_code(boost::system::errc::operation_in_progress);
  return std::unexpected(error{status_.why ? status_.why->code() : waiting,
                               fmt::format("{} topics of the subscription are not heard: {}", status_.missing,
                                           status_.why ? status_.why->message() : "not confirmed yet")});
}

void subscriber::stop() {
  gate_.shut();
  post([](subscriber& self) { self.on_close(error{errc::closed, "the subscription has ended"}); });
}

// --- the executor ---------------------------------------------------------------------------------------------------

void subscriber::on_close(const error& why) {
  if (closed_) return;
  closed_ = why;
  for (const auto& one : std::exchange(waiters_, {})) one->end(&why);
  entries_.clear();
  for (const auto& [where, link] : std::exchange(links_, {})) link->retire();
  plain_ = nullptr;
  timer_.cancel();
  missing_ = 1;
  tell_status(&why);
}

void subscriber::begin(const topics& more, const std::shared_ptr<waiter>& waits) {
  if (closed_) return waits->end(&*closed_);
  for_each_name(more, [&](topic_kind kind, const std::string& name) {
    entry* const fresh = entries_.insert(kind, name);
    if (!fresh) return;
    ++missing_;
    waits->added.emplace_back(kind, name);
    if (!waits->detached) fresh->waits = waits;
  });
  waits->left = waits->added.size();
  if (entries_.size() > topics::most) {
    const error full{errc::invalid_argument,
                     fmt::format("channels, patterns and sharded: a subscription has at most {} names", topics::most)};
    for (const auto& [kind, name] : waits->added) drop(kind, name);
    return waits->end(&full);
  }
  tell_status(nullptr);
  if (waits->left == 0) return waits->end();
  if (!waits->detached) waiters_.push_back(waits);
  wake();
}

void subscriber::drop(topic_kind kind, std::string_view name) {
  entry* const gone = entries_.find(kind, name);
  if (!gone) return;
  if (gone->at) gone->at->unsubscribe(kind, name);
  if (gone->now_in != entry::state::confirmed) --missing_;
  const auto waits = gone->counted ? nullptr : gone->waits;
  entries_.erase(kind, name);
  tell_status(nullptr);
  if (waits && --waits->left == 0) finish(waits, nullptr);
}

void subscriber::finish(const std::shared_ptr<waiter>& waits, const error* failure) {
  if (std::erase(waiters_, waits) == 0) return;
  for (const auto& [kind, name] : waits->added) {
    entry* const one = entries_.find(kind, name);
    if (!one || one->waits != waits) continue;
    if (failure) drop(kind, name);
    else one->waits.reset();
  }
  wake();
  waits->end(failure);
}

void subscriber::tell_status(const error* why) {
  const std::lock_guard lock{status_mutex_};
  status_.missing = missing_;
  if (why) status_.why = *why;
  if (missing_ == 0) status_.why.reset();
}

// Topics that fail together wait together.
time_point subscriber::after_pause() {
  const time_point now = services_.clock->now();
  if (pause_until_ <= now) pause_until_ = after(now, backoff_.next());
  return pause_until_;
}

void subscriber::interrupt(entry& which, const error& why, time_point due) {
  if (which.now_in == entry::state::confirmed) {
    ++missing_;
    which.lost_at = services_.clock->now();
  }
  which.now_in = entry::state::unplaced;
  which.at = nullptr;
  which.due = due;
  which.why = why;
  tell_status(&why);
  wake();
}

// --- what links tell ------------------------------------------------------------------------------------------------

void subscriber::on_message(subscriber_link& from, const message& what) {
  const entry* const wanted = entries_.find(what.kind, what.kind == topic_kind::pattern ? what.pattern : what.channel);
  if (wanted && wanted->at == &from) gate_.hand_out(what);
}

void subscriber::on_confirmed(subscriber_link& by, topic_kind kind, std::string_view name, std::uint64_t order) {
  entry* const one = entries_.find(kind, name);
  if (!one || one->at != &by || one->order != order || one->now_in == entry::state::confirmed) return;
  one->now_in = entry::state::confirmed;
  one->redirects = one->tries = 0;
  one->hint.reset();
  --missing_;
  backoff_.reset();
  tell_status(nullptr);
  const time_point lost_at = std::exchange(one->lost_at, never);
  const auto why = std::exchange(one->why, std::nullopt);
  const auto waits = one->waits;
  if (waits && !std::exchange(one->counted, true) && --waits->left == 0) finish(waits, nullptr);
  // Last: the handler may remove the topic.
  if (lost_at != never) {
    gate_.tell({.topic = name, .kind = kind, .lasted = services_.clock->now() - lost_at, .why = *why});
  }
}

void subscriber::on_refused(subscriber_link& by, topic_kind kind, std::string_view name, std::uint64_t order,
                            std::string_view error_text) {
  entry* const one = entries_.find(kind, name);
  if (!one || one->at != &by || one->order != order) return;
  const auto code = cmd::classify(error_text);
  const error why{code, fmt::format("{}: {} ({})", by.address().text(), error_text, name)};
  const remedy cure = remedy_for(code);
  if (cure == remedy::none && one->waits) {
    const auto waits = one->waits;
    return finish(waits, &why);
  }
  if (cure == remedy::none) services_.log(log_level::warning, "{}", why.message());
  if (cure == remedy::moved) {
    if (const auto to = read_redirection(error_text, by.address())) one->hint = to->to;
  }
  const bool quick = one->hint && one->redirects < quick_redirects;
  if (quick) ++one->redirects;
  interrupt(*one, why, quick ? services_.clock->now() : after_pause());
}

void subscriber::on_taken_away(subscriber_link& by, topic_kind kind, std::string_view name) {
  entry* const one = entries_.find(kind, name);
  if (!one || one->at != &by || one->now_in != entry::state::confirmed) return;
  const error why{cmd::errc::moved,
                  fmt::format("{} serves {} no longer: its slot has moved", by.address().text(), name)};
  interrupt(*one, why, services_.clock->now());
}

void subscriber::on_lost(subscriber_link& which, const error& why) {
  const time_point due = after_pause();
  std::vector<std::shared_ptr<waiter>> hopeless;
  entries_.for_each([&](topic_kind, std::string_view, entry& one) {
    if (one.at != &which) return;
    if (one.tries < 255) ++one.tries;
    if (one.waits && is_final(why.code())) hopeless.push_back(one.waits);
    interrupt(one, why, due);
  });
  for (const auto& one : hopeless) finish(one, &why);
  if (plain_ == &which) plain_ = nullptr;
  const auto held = links_.extract(which.address());
  which.retire();
}

// --- the handle -----------------------------------------------------------------------------------------------------

result<subscription> subscription::make(std::shared_ptr<redis::core> with, const topics& what, message_handler handler,
                                        subscription_options how) {
  if (!handler) return fail(errc::invalid_argument, "handler is empty");
  if (how.timeout < duration::zero()) return fail(errc::invalid_argument, "timeout is negative");
  subscription made{std::make_shared<subscriber>(std::move(with), std::move(handler), std::move(how))};
  made.subscriber_->start();
  if (auto done = made.add(what); !done) return std::unexpected(done.error());
  return made;
}

result<subscription> client::subscribe(const topics& what, message_handler handler, subscription_options how) {
  return subscription::make(core(), what, std::move(handler), std::move(how));
}

subscription& subscription::operator=(subscription&& other) noexcept {
  if (const auto before = std::exchange(subscriber_, std::move(other.subscriber_))) before->stop();
  return *this;
}

subscription::~subscription() {
  if (subscriber_) subscriber_->stop();
}

result<void> subscription::add(const topics& more) { return subscriber_->add(more); }
result<void> subscription::remove(const topics& those) { return subscriber_->remove(those); }
result<void> subscription::active() const { return subscriber_->active(); }

}  // namespace seawall::redis
