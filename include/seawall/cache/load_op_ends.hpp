// The steps of load_op that end a call. Part of load_op.hpp; not to be included by itself.
#pragma once

#include "seawall/cache/load_op.hpp"

#include <string>
#include <utility>

namespace seawall {

// The flight has its answer, which no longer changes.
template <class Core>
step load_op<Core>::settled() {
  const auto ended = std::exchange(joined_, nullptr);
  // A load that was begun for such a caller has passed over what was too old before it asked the source.
  const bool asked_for = ended->at_least >= how_.at_least;
  const bool newer = !*ended->answer || ended->version >= how_.at_least || (asked_for && ended->version == 0);
  const bool good = ended->accepted && joined_at_ < ended->good_until;
  // What others have loaded for themselves says nothing about the source, however often it is too old.
  const bool not_for_this = *ended->answer && !newer && !asked_for;
  if (not_for_this || (!good && retries_left_ > 0)) {
    if (retries_left_ > 0) --retries_left_;
    return again();
  }
  if (!good) lose_stale();
  else lose_stale_of(*ended);
  if (!*ended->answer) return fail_with(ended->answer->error());
  if (!newer) return behind(ended->version);
  if (ended->from_source) tell(served_from::source, why_, ended->version);
  else tell(served_from::shared, why_, ended->version, age_of(ended->written));
  // What the tier does not have for sure, others need not find.
  const bool linear = good && (!alone_ || ended->stored);
  if (!linear) core_->count(core_->class_of(key_), cache_counter::unlinearized_reads);
  if (!good && !ended->from_source) return finish_unkept(**ended->answer, ended->version);
  return finish(**ended->answer);
}

// The shared tier's value, which this process does not keep. What it has may be older, as another flight has stored it;
// readers that come later must not be served that.
template <class Core>
step load_op<Core>::finish_unkept(value_ptr<V> value, std::uint64_t version) {
  if (!alone_ && core_->shared()) core_->drop_older(key_, hash_, version, false);
  return finish(std::move(value));
}

template <class Core>
step load_op<Core>::finish_loaded(value_ptr<V> value, std::uint64_t version, bool linear) {
  tell(served_from::source, why_, version);
  if (!linear) core_->count(core_->class_of(key_), cache_counter::unlinearized_reads);
  return finish(std::move(value));
}

template <class Core>
step load_op<Core>::behind(std::uint64_t version) {
  return fail_with(error{errc::too_old, "cache '" + core_->options().name + "': the source answered with version " +
                                            std::to_string(version) + ", and " + std::to_string(how_.at_least) +
                                            " was asked for"});
}

template <class Core>
step load_op<Core>::refused(const error& why) {
  const std::size_t key_class = core_->class_of(key_);
  if (why == errc::overloaded) core_->count(key_class, cache_counter::overload_rejections);
  else if (!(why == errc::recursive_load) && !(why == errc::closed)) {
    core_->count(key_class, cache_counter::backoff_rejections);
  }
  return fail_with(why);
}

template <class Core>
step load_op<Core>::serve_in_hand(served_why why) {
  tell(served_from::shared, why, seen_.version, age_of(seen_.written));
  count_once(cache_counter::stale_served);
  return finish_unkept(std::exchange(in_hand_, nullptr), seen_.version);
}

template <class Core>
step load_op<Core>::serve_spare(spare_value<V> there) {
  tell(served_from::shared, served_why::stale_while_refresh, there.version, age_of(there.written));
  count_once(cache_counter::stale_served);
  return finish_unkept(std::move(there.value), there.version);
}

template <class Core>
step load_op<Core>::time_out() {
  if (in_hand_) return serve_in_hand();
  core_->count(core_->class_of(key_), cache_counter::caller_timeouts);
  return fail_with(error{errc::timed_out, "cache '" + core_->options().name + "': the caller's deadline passed"});
}

// The load was asked to stop and did: what counts is why it was asked.
template <class Core>
step load_op<Core>::given_up() {
  if (out_of_time()) return time_out();
  return fail_with(core_->load_timed_out());
}

// A failure is answered with what is there, as far as the entry's own policy allows.
template <class Core>
step load_op<Core>::fail_with(const error& why) {
  if (in_hand_) return serve_in_hand();
  lookup<V> found = look();
  if (found.is != standing::missing) return serve(std::move(found), served_why::stale_on_error);
  if (on_error_) {
    in_hand_ = std::exchange(on_error_, nullptr);
    return serve_in_hand(served_why::stale_on_error);
  }
  tell(served_from::nobody, served_why::failed);
  count_miss();
  outcome_.emplace(std::unexpected(why));
  disarm();
  return step::done;
}

template <class Core>
step load_op<Core>::serve(lookup<V> found, served_why if_stale) {
  const bool stale = found.is == standing::stale || found.is == standing::on_error;
  tell(served_from::process, stale ? if_stale : served_why::hit, found.version, age_of(found.written));
  if (stale) count_once(cache_counter::stale_served);
  else if (!missed_) count_once(found.value ? cache_counter::hits : cache_counter::negative_hits);
  return finish(std::move(found.value));
}

template <class Core>
step load_op<Core>::finish(value_ptr<V> value) {
  count_miss();
  outcome_.emplace(std::move(value));
  disarm();
  return step::done;
}

}  // namespace seawall
