#include "commit_record.hpp"

namespace seawall::demo {
namespace {

constexpr std::size_t head_bytes = 64;

std::array<std::size_t, 3> counts_of(const shop_size& size) {
  return {std::size_t{size.products} + 1, std::size_t{size.users} + 1, std::size_t{size.orders} + 1};
}

void raise(std::atomic<std::uint32_t>& least, std::uint32_t to) noexcept {
  std::uint32_t now = least.load();
  while (now < to && !least.compare_exchange_weak(now, to)) {
  }
}

}  // namespace

std::size_t commit_record::bytes(const shop_size& size) {
  const auto counts = counts_of(size);
  return head_bytes + (counts[0] + counts[1] + counts[2]) * sizeof(row_state) + history * sizeof(entry);
}

commit_record::commit_record(std::byte* memory, const shop_size& size)
    : counts_(counts_of(size)),
      next_(reinterpret_cast<std::atomic<std::uint32_t>*>(memory)),
      rows_(reinterpret_cast<row_state*>(memory + head_bytes)),
      log_(reinterpret_cast<entry*>(memory + head_bytes + rows() * sizeof(row_state))) {}

std::size_t commit_record::index_of(const row& r) const noexcept {
  const auto in = static_cast<std::size_t>(r.in);
  std::size_t first = 0;
  for (std::size_t t = 0; t < in; ++t) first += counts_[t];
  return first + (r.id < counts_[in] ? r.id : 0);
}

void commit_record::seed(const row_version& r) {
  row_state& state = rows_[index_of(r.which)];
  state.newest = mark(r.version, 0).word_;
  state.started = r.version;
}

void commit_record::starting(const row_version& r) noexcept { raise(rows_[index_of(r.which)].started, r.version); }

std::uint32_t commit_record::started(const row& r) const noexcept { return rows_[index_of(r)].started; }

commit_record::mark commit_record::newest(const row& r) const noexcept { return mark(rows_[index_of(r)].newest); }

void commit_record::acknowledged(const row_version& r, std::int64_t now_ns) noexcept {
  auto& newest = rows_[index_of(r.which)].newest;
  std::uint64_t seen = newest.load();
  // A newer version was acknowledged first: whoever must have that one, must not have this one either.
  if (mark(seen).version() >= r.version) return;
  std::uint32_t position = next_->fetch_add(1) + 1;
  if (position == 0) position = next_->fetch_add(1) + 1;  // 0 marks the versions before the run
  entry& written = log_[position % history];
  written.position = 0;  // readers of the overwritten entry notice
  written.at = now_ns;
  do {
    if (mark(seen).version() >= r.version) return;
    written.before = seen;
    written.position = position;
  } while (!newest.compare_exchange_weak(seen, mark(r.version, position).word_));
}

std::int64_t commit_record::first_newer(mark from, std::uint32_t version) const noexcept {
  std::int64_t at = 0;
  while (from.version() > version) {
    const entry& found = log_[from.position() % history];
    const bool was_there = from.position() != 0 && found.position == from.position();
    const mark before{found.before.load()};
    at = found.at;
    if (!was_there || found.position != from.position()) return 0;
    from = before;
  }
  return at;
}

}  // namespace seawall::demo
