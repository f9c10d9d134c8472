// The machine behind get_many: one load_op for each key that is not fresh; those that lead are loaded by one call of
// the bulk loader, those that joined other flights wait. Same protocol and thread safety as load_op.
#pragma once

#include "seawall/cache/load_op.hpp"

#include <concepts>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace seawall {

template <class Core>
struct bulk_request {
  typename Core::key_type key;
  std::size_t hash;
  lookup<typename Core::value_type> found;
};

template <class Core>
class bulk_op {
 public:
  using K = typename Core::key_type;
  using V = typename Core::value_type;
  using answer = typename Core::answer;

  bulk_op(std::shared_ptr<Core> core, std::vector<bulk_request<Core>> wanted, std::shared_ptr<waiter> self,
          typename load_op<Core>::settings how)
      : wanted_(std::move(wanted)) {
    // One call of the bulk loader is one load for the source, so it takes one permit, not one for each key.
    how.batch = &permits_;
    for (auto& one : wanted_) ops_.emplace_back(core, one.key, one.hash, std::make_shared<relay>(self), how);
    steps_.resize(ops_.size());
  }

  step start() {
    for (std::size_t i = 0; i != ops_.size(); ++i) steps_[i] = ops_[i].start(std::move(wanted_[i].found));
    return next();
  }

  /// The keys that the bulk loader is to load, after step::run_loader.
  std::span<const K> batch() const noexcept { return batch_; }

  /// Its answers, in the order of batch().
  step loaded(std::vector<seawall::loaded<V>> given) {
    for (std::size_t i = 0; i != batch_ops_.size(); ++i) {
      const std::size_t op = batch_ops_[i];
      steps_[op] = ops_[op].loaded(std::move(given[i]));
    }
    return next();
  }

  step woken() {
    for (std::size_t i = 0; i != ops_.size(); ++i) {
      if (steps_[i] == step::wait || steps_[i] == step::ask) steps_[i] = ops_[i].woken();
    }
    return next();
  }

  /// The outcomes in the order of the request, after step::done.
  std::vector<answer> take() {
    std::vector<answer> answers;
    answers.reserve(ops_.size());
    for (auto& op : ops_) answers.push_back(op.take());
    return answers;
  }

  /// The marks of the batch's loads, each inside the one before it: the last is for the scope around the bulk loader.
  std::vector<detail::load_mark> marks() const {
    std::vector<detail::load_mark> chain;
    chain.reserve(batch_ops_.size());
    std::shared_ptr<const detail::running_load> outer = detail::share_current_load();
    for (const std::size_t op : batch_ops_) {
      chain.push_back(ops_[op].mark(outer));
      outer = chain.back().load();
    }
    return chain;
  }

 private:
  // Each operation waits as itself: two that wait for one flight must not leave it together.
  struct relay final : waiter {
    explicit relay(std::shared_ptr<waiter> target) : to(std::move(target)) {}
    void wake() noexcept override { to->wake(); }
    const std::shared_ptr<waiter> to;
  };

  step next() {
    batch_.clear();
    batch_ops_.clear();
    bool waits = false;
    bool asks = false;
    for (std::size_t i = 0; i != ops_.size(); ++i) {
      waits |= steps_[i] == step::wait;
      asks |= steps_[i] == step::ask;
      if (steps_[i] != step::run_loader) continue;
      batch_.push_back(ops_[i].key());
      batch_ops_.push_back(i);
    }
    if (asks) return step::wait;  // what the shared tier does not have is loaded together
    if (!batch_.empty()) return step::run_loader;
    permits_ = {};
    return waits ? step::wait : step::done;
  }

  std::vector<bulk_request<Core>> wanted_;
  load_permits permits_;  // outlives the operations
  std::deque<load_op<Core>> ops_;
  std::vector<step> steps_;
  std::vector<K> batch_;
  std::vector<std::size_t> batch_ops_;
};

namespace detail {

template <class Answer, class K>
concept map_of = requires(Answer& answer, const K& key) {
  answer.find(key) == answer.end();
  answer.find(key)->second;
};

template <class V, class T>
std::vector<loaded<V>> to_loaded_many(T&& answer, const auto& keys) {
  using type = std::remove_cvref_t<T>;
  std::vector<loaded<V>> many;
  many.reserve(keys.size());
  const auto fail_all = [&](const error& why) {
    many.clear();
    for (std::size_t i = 0; i != keys.size(); ++i) many.emplace_back(why);
    return std::move(many);
  };
  if constexpr (is_result<type>) {
    if (!answer) return fail_all(answer.error());
    return to_loaded_many<V>(*std::forward<T>(answer), keys);
  } else if constexpr (map_of<type, typename std::remove_cvref_t<decltype(keys)>::value_type>) {
    for (const auto& key : keys) {
      const auto found = answer.find(key);
      if (found == answer.end()) many.emplace_back(not_found);
      else many.push_back(to_loaded<V>(std::move(found->second)));
    }
    return many;
  } else {
    static_assert(std::ranges::sized_range<type>,
                  "a bulk loader returns a vector in the order of the keys, or a map from keys, or a result of these");
    if (std::ranges::size(answer) != keys.size()) {
      return fail_all(error{errc::loader_failed, "the bulk loader was asked for " + std::to_string(keys.size()) +
                                                     " keys and answered " +
                                                     std::to_string(std::ranges::size(answer))});
    }
    for (auto& one : answer) many.push_back(to_loaded<V>(std::move(one)));
    return many;
  }
}

/// Calls a bulk loader; whatever happens, there is one answer for each key.
template <class V, class Loader, class K>
std::vector<loaded<V>> call_bulk_loader(Loader& loader, std::span<const K> keys) {
  try {
    return to_loaded_many<V>(loader(keys), keys);
  } catch (...) {
    std::vector<loaded<V>> many;
    const error why = current_failure();
    for (std::size_t i = 0; i != keys.size(); ++i) many.emplace_back(why);
    return many;
  }
}

}  // namespace detail
}  // namespace seawall
