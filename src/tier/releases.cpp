#include "releases.hpp"

#include "operation.hpp"
#include "scripts.hpp"
#include "seawall/resp/value.hpp"

#include <array>
#include <utility>

namespace seawall::tier {
namespace {

class release_call final : public operation {
 public:
  release_call(std::shared_ptr<tier::core> core, cmd::any_command what)
      : operation(std::move(core)), what_(std::move(what)) {}

 private:
  void begin() override {
    const admission let = core_->admit({});
    permit_ = let.permit;
    if (let.refused) return finish();
    deadline_ = after(let.now, core_->options().budget);
    release_.set(*this, std::move(what_));
    send(std::array{&release_});
  }

  void round_ended() override {
    if (send_sources(std::array{&release_})) return;
    const auto core = core_;
    const auto permit = permit_;
    const std::optional<error> failure = release_.failure();
    finish();
    core->ended(permit, failure ? &*failure : nullptr, false);
  }

  cmd::any_command what_;
  breaker::permit permit_{};
  step release_;
};

}  // namespace

void release_by(const std::shared_ptr<core>& of, cmd::any_command what) {
  operation::start(std::make_unique<release_call>(of, std::move(what)));
}

void release_lease(const std::shared_ptr<core>& of, std::string key, const tier_nonce& lease) {
  release_by(of, cmd::command<resp::value>{cmd::eval(release_script(), key, bytes_of(lease))});
}

void release_lock(const std::shared_ptr<core>& of, std::string key) { release_by(of, unlock_command(*of, key)); }

cmd::any_command unlock_command(const core& of, std::string_view key) {
  const std::string lock = lock_key_of(key);
  const redis::capabilities can = of.can();
  if (can.delifeq) return cmd::command<resp::value>{cmd::builder{"DELIFEQ"}.key(lock).text(of.token())};
  if (can.delex) return cmd::command<resp::value>{cmd::builder{"DELEX"}.key(lock).text("IFEQ").text(of.token())};
  // With its source, which is short: a second sending would come after the next read of the same caller.
  return cmd::command<resp::value>{
      cmd::builder{"EVAL"}.text(unlock_script().source()).keys_and_values(lock, of.token())};
}

}  // namespace seawall::tier
