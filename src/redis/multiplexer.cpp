#include "multiplexer.hpp"

#include "seawall/cmd/error.hpp"
#include "seawall/resp/error.hpp"
#include "seawall/resp/value.hpp"
#include "seawall/resp/writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace seawall::redis {
namespace {

constexpr std::size_t write_batch = std::size_t{256} << 10;
constexpr std::size_t read_buffer = std::size_t{64} << 10;
constexpr std::size_t read_least = std::size_t{16} << 10;
constexpr std::string_view asking_bytes = "*1\r\n$6\r\nASKING\r\n";

// Buffers that one large value made large are given back.
constexpr std::size_t keep_capacity = std::size_t{1} << 20;

}  // namespace

std::optional<error> multiplexer::push(request& asked, bool asking) {
  if (alive_ >= limits_.commands) {
    return error{cmd::errc::queue_full, fmt::format("{} commands wait already (the limit)", limits_.commands)};
  }
  if (bytes_ + asked.bytes.size() > limits_.bytes && alive_ != 0) {
    return error{cmd::errc::queue_full, fmt::format("{} bytes of commands wait already, {} more do not fit (limit {})",
                                                    bytes_, asked.bytes.size(), limits_.bytes)};
  }
  if (tail_ - head_ == ring_.size()) grow();
  at(tail_) = {&asked, asked.replies, asking ? 1U : 0U};
  asked.book.ticket = tail_++;
  ++alive_;
  bytes_ += asked.bytes.size();
  earliest_ = std::min(earliest_, asked.book.deadline);
  return std::nullopt;
}

void multiplexer::grow() {
  std::vector<entry> larger(ring_.size() * 2);
  for (std::uint64_t i = head_; i != tail_; ++i) larger[i & (larger.size() - 1)] = at(i);
  ring_ = std::move(larger);
}

std::span<const char> multiplexer::unwritten() {
  if (out_begin_ == out_.size()) {
    out_.clear();
    out_begin_ = 0;
    if (out_.capacity() > keep_capacity) out_.shrink_to_fit();
    for (; sent_ != tail_ && out_.size() < write_batch; ++sent_) {
      const entry& next = at(sent_);
      if (!next.who) continue;
      if (next.skip != 0) out_ += asking_bytes;
      out_ += next.who->bytes;
    }
    if (head_ != sent_ && !at(head_).who) compact_requests();
  }
  return {out_.data() + out_begin_, out_.size() - out_begin_};
}

void multiplexer::written(std::size_t n) noexcept { out_begin_ += n; }

std::span<char> multiplexer::read_space() {
  const std::size_t held = in_end_ - in_begin_;
  const std::size_t wanted = std::max(read_buffer, std::max(scanner_.needed(), held + read_least));
  const bool too_small = in_capacity_ - in_end_ < read_least || in_capacity_ - in_begin_ < scanner_.needed();
  if (too_small && in_capacity_ >= wanted) {
    std::memmove(in_.get(), in_.get() + in_begin_, held);
  } else if (too_small) {
    // Doubling, since a reply of many elements does not say how long it will be.
    const std::size_t capacity = std::max(wanted, std::min(in_capacity_ * 2, held * 4));
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (held != 0) std::memcpy(larger.get(), in_.get() + in_begin_, held);
    in_ = std::move(larger);
    in_capacity_ = capacity;
  }
  if (too_small) {
    in_begin_ = 0;
    in_end_ = held;
  }
  return {in_.get() + in_end_, in_capacity_ - in_end_};
}

result<void> multiplexer::received(std::size_t n) {
  in_end_ += n;
  while (in_begin_ != in_end_) {
    const std::string_view rest{in_.get() + in_begin_, in_end_ - in_begin_};
    if (rest.size() < scanner_.needed()) return {};
    const auto length = scanner_.scan(rest);
    if (!length) return std::unexpected(length.error());
    if (*length == 0) return {};
    in_begin_ += *length;
    const std::string_view frame = rest.substr(0, *length);
    const auto handled = scanner_.streamed() ? dispatch(resp::view{std::string_view{resp::normalized(frame)}})
                                             : dispatch(resp::view{frame});
    if (!handled) return handled;
  }
  in_begin_ = in_end_ = 0;
  if (in_capacity_ > keep_capacity) {
    in_.reset();
    in_capacity_ = 0;
  }
  return {};
}

result<void> multiplexer::dispatch(const resp::view& reply) {
  if (reply.kind() == resp::kind::push) {
    listener_.on_push(reply);
    return {};
  }
  if (head_ == sent_) {
    return std::unexpected(error{resp::errc::protocol,
                                 "a reply came that no command asked for: " + resp::describe(reply)});
  }
  entry& front = at(head_);
  if (front.skip != 0) {
    --front.skip;
    return {};
  }
  deliver(reply);
  return {};
}

void multiplexer::deliver(const resp::view& reply) {
  const std::uint64_t ticket = head_;
  request* const who = at(ticket).who;
  if (who && reply.is_error() && (who->book.flags & refusals_are_extra) != 0) return who->on_reply(0, reply);
  const bool last = --at(ticket).left == 0;
  if (who) {
    if (reply.is_error()) {
      if (who->replies > 1) {
        // Whoever takes the request over may do so only when all its replies are in.
        if (held_error_.empty()) held_error_ = reply.raw();
      } else {
        const std::size_t size = who->bytes.size();
        if (listener_.take_over(*who, reply)) {
          bytes_ -= size;
          --alive_;
          at(ticket).who = nullptr;
          return finish_head();
        }
      }
    }
    who->generation = generation_;
    who->on_reply(who->replies - at(ticket).left - 1, reply);
  }
  if (last) finish_head();
}

// The request at the head has all its replies.
void multiplexer::finish_head() {
  request* const who = at(head_).who;
  if (who) drop_entry(at(head_));
  ++head_;
  compact_requests();
  if (!held_error_.empty()) [[unlikely]] {
    const std::string refused = std::exchange(held_error_, {});
    if (who && listener_.take_over(*who, resp::view{std::string_view{refused}})) return;
  }
  if (who) listener_.on_end(*who, nullptr);
}

// Entries that were given up before they were written have no replies to wait for.
void multiplexer::compact_requests() noexcept {
  while (head_ != sent_ && !at(head_).who && at(head_).left == 0 && at(head_).skip == 0) ++head_;
  if (head_ == tail_) earliest_ = never;
}

void multiplexer::drop_entry(entry& of) noexcept {
  bytes_ -= of.who->bytes.size();
  --alive_;
  of.who = nullptr;
}

bool multiplexer::forget(request& asked) noexcept {
  const std::uint64_t ticket = asked.book.ticket;
  entry& here = at(ticket);
  drop_entry(here);
  const bool was_written = ticket < sent_;
  if (!was_written) here.left = here.skip = 0;
  return was_written;
}

void multiplexer::expire(time_point now, const std::function<void(request&, bool written)>& each) {
  std::vector<std::pair<request*, bool>> due;
  time_point next = never;
  for (std::uint64_t i = head_; i != tail_; ++i) {
    request* const who = at(i).who;
    if (!who) continue;
    if (who->book.deadline <= now) due.emplace_back(who, forget(*who));
    else next = std::min(next, who->book.deadline);
  }
  earliest_ = next;
  for (const auto& [who, was_written] : due) each(*who, was_written);
}

void multiplexer::disconnected(const std::function<bool(request&)>& again, const error& failure) {
  std::vector<request*> lost;
  for (std::uint64_t i = head_; i != sent_; ++i) {
    entry& here = at(i);
    here.left = here.skip = 0;
    if (!here.who) continue;
    if (again(*here.who)) {
      here.left = here.who->replies;
    } else {
      lost.push_back(here.who);
      drop_entry(here);
    }
  }
  sent_ = head_;
  out_.clear();
  out_begin_ = 0;
  in_begin_ = in_end_ = 0;
  scanner_.reset();
  held_error_.clear();
  for (request* who : lost) listener_.on_end(*who, &failure);
}

void multiplexer::fail_all(const error& failure) {
  disconnected([](request&) { return false; }, failure);
  for (request* who : take_waiting()) listener_.on_end(*who, &failure);
}

std::vector<request*> multiplexer::take_waiting() {
  std::vector<request*> taken;
  for (std::uint64_t i = sent_; i != tail_; ++i) {
    entry& here = at(i);
    if (!here.who) continue;
    taken.push_back(here.who);
    drop_entry(here);
  }
  tail_ = sent_;
  if (head_ == tail_) earliest_ = never;
  return taken;
}

}  // namespace seawall::redis
