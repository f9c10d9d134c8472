#include "cluster_scan.hpp"

#include "cluster_machine.hpp"
#include "seawall/base/hash.hpp"
#include "seawall/cmd/error.hpp"
#include "seawall/resp/value.hpp"
#include "seawall/resp/writer.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>
#include <vector>

namespace seawall::redis {
namespace {

constexpr std::uint64_t most_cursor = (std::uint64_t{1} << scan_place::cursor_bits) - 1;

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Calls each(slot, shard) for the first slot of each shard, in ascending order, until it returns false.
template <class Each>
void for_each_first_slot(const slot_map& map, Each each) {
  std::vector<bool> seen(map.shards().size());
  for (slot_number slot = 0; slot < slot_count; ++slot) {
    const std::uint16_t shard = map.shard_of(slot);
    if (shard == slot_map::nobody || seen[shard]) continue;
    seen[shard] = true;
    if (!each(slot, map.shards()[shard])) return;
  }
}

}  // namespace

std::optional<scan_place> scan_place::read(std::string_view text) {
  const auto number = number_of(text);
  if (!number || *number >> (cursor_bits + 14 + 8) != 0) return std::nullopt;
  return scan_place{static_cast<std::uint8_t>(*number >> (cursor_bits + 14)),
                    static_cast<slot_number>((*number >> cursor_bits) % slot_count), *number & most_cursor};
}

std::uint64_t scan_place::number() const noexcept {
  return (std::uint64_t{primaries} << (cursor_bits + 14)) | (std::uint64_t{slot} << cursor_bits) | cursor;
}

std::uint8_t primaries_print(const slot_map& map) {
  std::string all;
  for_each_first_slot(map, [&](slot_number slot, const slot_map::shard& shard) {
    all += fmt::format("{} {}\n", slot, shard.primary.text());
    return true;
  });
  return static_cast<std::uint8_t>(hash_bytes(all.data(), all.size()));
}

std::optional<slot_number> next_primary(const slot_map& map, slot_number slot) {
  std::optional<slot_number> next;
  for_each_first_slot(map, [&](slot_number first, const slot_map::shard&) {
    if (first <= slot) return true;
    next = first;
    return false;
  });
  return next;
}

slot_number first_primary(const slot_map& map) {
  slot_number found = 0;
  for_each_first_slot(map, [&](slot_number first, const slot_map::shard&) {
    found = first;
    return false;
  });
  return found;
}

class cluster_scan::step final : public request {
 public:
  explicit step(cluster_scan& of) : of_(of) {
    traits = of.whole_.traits;
    timeout = of.whole_.timeout;
    book.deadline = of.whole_.book.deadline;
    book.flags = cluster_machine::internal | cluster_machine::keyed | cluster_machine::primary_only;
  }
  void on_reply(std::size_t, resp::view reply) noexcept override { of_.replied(reply); }
  void on_end(const error* why) noexcept override { of_.ended(why); }

  resp::command_bytes command;

 private:
  cluster_scan& of_;
};

cluster_scan::cluster_scan(request& whole, const slot_map& map, ender& ends, std::function<void(cluster_scan&)> done)
    : whole_(whole), map_(map), ends_(ends), done_(std::move(done)) {}

cluster_scan::~cluster_scan() = default;

void cluster_scan::run(const std::function<void(request&)>& send) {
  const resp::view given{whole_.bytes};
  const auto place = scan_place::read(given[1].text());
  if (!place) return fail(error{errc::invalid_argument, "SCAN: this cursor is none that an earlier step returned"});
  place_ = *place;
  if (*place == scan_place{}) {
    place_ = {primaries_print(map_), first_primary(map_), 0};
  } else if (place->primaries != primaries_print(map_)) {
    return fail(error{cmd::errc::moved, "SCAN: the primaries of the cluster have changed since this walk began, which "
                                        "may have passed keys by; begin anew with cursor 0"});
  }
  whole_.book.where = static_cast<holder*>(this);
  step_ = std::make_unique<step>(*this);
  std::size_t at = 0;
  for (const resp::view word : given) {
    if (at++ == 1) step_->command.append(std::to_string(place_.cursor));
    else step_->command.append(word.text());
  }
  step_->bytes = step_->command.bytes();
  step_->book.slot = place_.slot;
  send(*step_);
}

bool cluster_scan::forget(request&) {
  const bool written = static_cast<holder*>(step_->book.where)->forget(*step_);
  done_(*this);
  return written;
}

void cluster_scan::fail(const error& why) {
  ends_.end(whole_, &why);
  done_(*this);
}

void cluster_scan::replied(resp::view reply) {
  failure_.reset();
  reply_ = reply.raw();
  if (reply.is_error()) return;
  const auto cursor = number_of(reply[0].text());
  if (reply.size() != 2 || !cursor || *cursor > most_cursor) {
    failure_.emplace(cmd::errc::unexpected_reply, "SCAN: no cursor that can be used came: " + resp::describe(reply));
    return;
  }
  std::uint64_t number = 0;
  if (*cursor != 0) {
    number = scan_place{place_.primaries, place_.slot, *cursor}.number();
  } else if (const auto next = next_primary(map_, place_.slot)) {
    number = scan_place{place_.primaries, *next, 0}.number();
  }
  reply_.clear();
  resp::reply_writer to{reply_};
  to.array(2);
  to.bulk_string(std::to_string(number));
  reply_ += reply[1].raw();
}

void cluster_scan::ended(const error* failure) {
  whole_.generation = step_->generation;
  if (!failure && failure_) failure = &*failure_;
  if (!failure) whole_.on_reply(0, resp::view{std::string_view{reply_}});
  ends_.end(whole_, failure);
  done_(*this);
}

}  // namespace seawall::redis
