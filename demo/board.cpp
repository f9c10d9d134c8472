#include "board.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <stdexcept>

namespace seawall::demo {
namespace {

constexpr std::uint64_t board_magic = 0x5357'4244'454d'4f31;
constexpr std::size_t alignment = 128;

constexpr std::size_t aligned(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

}  // namespace

void shared_text::set(std::string_view text) noexcept {
  const std::size_t length = std::min(text.size(), most);
  std::memcpy(text_.data(), text.data(), length);
  length_ = static_cast<std::uint32_t>(length);
}

std::string shared_text::get() const { return {text_.data(), length_.load()}; }

struct board::layout {
  explicit layout(const board_shape& shape)
      : slots(aligned(sizeof(head))),
        counters(slots + aligned(shape.processes * sizeof(process_slot))),
        commits(counters + std::size_t{shape.processes} * shape.threads * sizeof(client_counters)),
        end(commits + commit_record::bytes(shape.shop)) {}
  std::size_t slots, counters, commits, end;
};

board::board(shared_memory memory, const board_shape& shape)
    : memory_(std::move(memory)),
      head_(reinterpret_cast<head*>(memory_.data())),
      slots_(reinterpret_cast<process_slot*>(memory_.data() + layout(shape).slots)),
      counters_(reinterpret_cast<client_counters*>(memory_.data() + layout(shape).counters)),
      commits_(memory_.data() + layout(shape).commits, shape.shop) {}

board::board(const board_shape& shape) : board(shared_memory::create(layout(shape).end), shape) {
  head_->shape = shape;
  std::random_device entropy;
  head_->run = std::uint64_t{entropy()} << 32 | entropy();
  head_->magic = board_magic;
}

std::unique_ptr<board> board::attach(int descriptor) {
  auto memory = shared_memory::attach(descriptor);
  if (memory.size() < sizeof(head)) throw std::runtime_error("the shared memory is no board");
  const auto* found = reinterpret_cast<const head*>(memory.data());
  const board_shape shape = found->shape;
  if (found->magic != board_magic || memory.size() < layout(shape).end) {
    throw std::runtime_error("the shared memory is no board of this program");
  }
  return std::unique_ptr<board>(new board(std::move(memory), shape));
}

void board::begin_phase(phase_kind kind, std::uint64_t requests) {
  const auto& shape = head_->shape;
  for (std::size_t i = 0; i < std::size_t{shape.processes} * shape.threads; ++i) {
    std::destroy_at(&counters_[i]);
    std::construct_at(&counters_[i]);
  }
  for (std::size_t i = 0; i < shape.processes; ++i) {
    for (auto& share : slots_[i].shares) share = 0;
  }
  head_->kind = kind;
  head_->limit = requests > 0 ? requests : ~std::uint64_t{0};
  head_->next = 0;
  head_->ended = false;
  ++head_->phase;
}

bool board::everybody_ready() const noexcept {
  return std::all_of(slots_, slots_ + head_->shape.processes, [](const process_slot& p) { return p.ready || p.lost; });
}

bool board::everybody_done() const noexcept {
  return std::all_of(slots_, slots_ + head_->shape.processes,
                     [now = phase()](const process_slot& p) { return p.done == now || p.lost; });
}

std::uint64_t board::untold() const noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < head_->shape.processes; ++i) sum += slots_[i].untold;
  return sum;
}

figures board::total() const {
  figures sum;
  const auto& shape = head_->shape;
  for (std::size_t i = 0; i < std::size_t{shape.processes} * shape.threads; ++i) sum.add(counters_[i]);
  for (std::size_t i = 0; i < shape.processes; ++i) {
    for (std::size_t k = 0; k < tier_shares::count; ++k) sum.answered.at(k) += slots_[i].shares[k];
  }
  return sum;
}

}  // namespace seawall::demo
