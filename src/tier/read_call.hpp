// read_call: a read of the tier. Each round ends with a tracked GET, whose answer decides: before it in the same piece
// go, as the round needs them, a beat and the command that takes the lease. In a cluster, tags are asked for elsewhere:
// the answer may come later than that to the GET, and then serves the next round.
#pragma once

#include "operation.hpp"

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace seawall::tier {

class read_call final : public call<tier_read> {
 public:
  read_call(std::shared_ptr<tier::core> core, std::shared_ptr<tier_read> what);

 private:
  using outcome = tier_read::outcome;
  struct tag_query;
  /// How a round takes the lease.
  enum class claim : std::uint8_t {
    none,
    absent,   ///< If there is nothing.
    replace,  ///< If there is what was seen in the round before.
    refresh,  ///< The right to replace what there is.
  };

  void begin() override;
  void replied(step& which, resp::view reply) noexcept override;
  void round_ended() override;

  void begin_round();
  void add_claim();
  std::string new_lease();
  void judge(const footing& on, resp::view reply);
  void judge_entry(const footing& on, std::string_view bytes, const stored_header& header);
  /// Adds the commands that tell the generations of tags which are not known.
  void add_tags(const std::optional<footing>& on);
  void add_tag(tag_query& query);
  /// Calls `each` for the tags that a lease is stamped with, until it returns false.
  template <class F>
  bool for_lease_tags(F&& each) const;
  tag_record record_of(std::uint64_t tag) const { return core_->records().tag_of(what_->prefix, tag, key_); }
  /// Whether all tags of a lease are known for this answer; if so, they are its stamps.
  bool stamp_lease();
  struct tag_generation {
    std::uint64_t number;
    bool new_enough;  ///< An entry with another one is outdated, and not newer than this.
  };
  std::optional<tag_generation> generation_of(std::uint64_t tag);
  /// The answer is right only as far as this connection tells of changes.
  void depends_on(std::uint64_t connection, time_point as_of);
  /// Whether the entry's tags are what they were.
  enum class validity : std::uint8_t { valid, invalid, unknown };
  validity check_tags(const tier_entry& entry);
  tag_query& need_tag(std::uint64_t tag);
  tag_query* find_tag(std::uint64_t tag);
  void want(claim how, const footing& on);
  void take_away(std::string_view bytes, const footing& on);
  void decide(outcome is, const footing& on);
  const tier_proof* prove(const footing& on);
  void tag_replied(step& which, resp::view reply);
  std::optional<error> tag_failure() const;
  void end_without_answer();
  void end_decided();

  const std::string& key_;       // what_'s
  const core::slot_number slot_;
  claim_nonces claims_;
  step_list round_;
  /// A tag whose generation is to be read; if there was none, made first.
  struct tag_query {
    std::uint64_t tag = 0;
    std::string key{};
    core::slot_number slot = 0;
    bool missing = false;
    bool distrusted = false;              // what came last was over a connection that is not to be trusted yet
    bool again = false;                   // though it is known
    std::optional<std::uint64_t> told{};  // in this round; for a fresh read, in any
    std::uint64_t connection = 0;         // that told it
    time_point asked_at{};
    bool was_told = false;                // in some round
    struct steps {
      step beat{};
      step make{};
      step read{};
    };
    std::unique_ptr<steps> asks{};        // none as long as it need not be asked for, which is the rule
  };
  std::list<tag_query> tags_;          // those that were asked for, or are to be
  std::unique_ptr<step> beat_;         // a hit needs neither
  std::unique_ptr<step> claim_;
  step get_;
  time_point asked_at_{};
  int rounds_ = 0;
  std::uint64_t reign_ = 0;      // of the lease that this round takes
  claim taking_ = claim::none;   // in this round
  claim next_ = claim::none;
  std::string seen_;             // the first bytes of what is to be replaced
  std::vector<std::uint64_t> others_;  // connections that told the tags which the answer depends on
  time_point as_of_{};           // the answer is not older
  bool beat_sent_ = false;       // in this round
  bool claim_told_ = false;      // in this round
  bool unverified_ = false;      // the answer came over a connection that is not to be trusted yet
  bool decided_ = false;
  bool looks_again_ = false;     // the answer cannot be judged before a tag is known
  bool tag_pending_ = false;     // a change of a tag waits for its delivery
  bool has_lock_ = false;        // of refreshes
};

}  // namespace seawall::tier
