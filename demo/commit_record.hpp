// What was written to the shop, by whichever process, and when it was invalidated everywhere.
//
// Each row has a list of its acknowledged versions, the newest first, with the time of each. The times are those of
// CLOCK_MONOTONIC, which all processes of a machine share. The lists live in one ring of `history` records: what was
// overwritten there counts as old as the run.
//
// It lives in memory that processes share. Lock-free: a process that is killed at any point leaves it usable.
// Thread safety: all calls, from any threads of any processes; `seed` before them.
#pragma once

#include "request.hpp"
#include "shop_queries.hpp"
#include "shop_schema.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace seawall::demo {

class commit_record {
 public:
  static constexpr std::uint32_t history = 1U << 20;

  /// A version of a row as the record has it.
  class mark {
   public:
    constexpr mark() = default;
    constexpr mark(std::uint32_t version, std::uint32_t position) : word_(std::uint64_t{version} << 32 | position) {}
    constexpr std::uint32_t version() const noexcept { return static_cast<std::uint32_t>(word_ >> 32); }

   private:
    friend class commit_record;
    constexpr explicit mark(std::uint64_t word) : word_(word) {}
    constexpr std::uint32_t position() const noexcept { return static_cast<std::uint32_t>(word_); }
    std::uint64_t word_ = 0;
  };

  static std::size_t bytes(const shop_size& size);
  /// Over so many bytes, which are all 0 for a record that begins, and outlive it. Aligned to 64.
  commit_record(std::byte* memory, const shop_size& size);

  /// The version that a row has before anything starts. Ids beyond the size are ignored.
  void seed(const row_version& r);
  /// A writer is about to commit this version.
  void starting(const row_version& r) noexcept;
  /// This version is committed, and everything derived from it invalidated for all processes.
  void acknowledged(const row_version& r, std::int64_t now_ns) noexcept;

  /// The newest version whose write has started.
  std::uint32_t started(const row& r) const noexcept;
  /// The newest acknowledged version.
  mark newest(const row& r) const noexcept;
  /// When the oldest version above `version` was acknowledged, of those up to `from`, which is above it; 0 if that is
  /// not known any more.
  std::int64_t first_newer(mark from, std::uint32_t version) const noexcept;

  std::size_t rows_of(table in) const noexcept { return counts_[static_cast<std::size_t>(in)]; }
  /// Rows of all tables, numbered; index 0 of each table stands for every id that the shop does not have.
  std::size_t index_of(const row& r) const noexcept;
  std::size_t rows() const noexcept { return counts_[0] + counts_[1] + counts_[2]; }

 private:
  struct row_state {
    std::atomic<std::uint64_t> newest;
    std::atomic<std::uint32_t> started;
    std::uint32_t unused;
  };
  struct entry {
    std::atomic<std::uint64_t> position;  // whose entry it is; 0 while it is written
    std::atomic<std::uint64_t> before;
    std::atomic<std::int64_t> at;
  };
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "shared by processes");

  std::array<std::size_t, 3> counts_;
  std::atomic<std::uint32_t>* next_;
  row_state* rows_;
  entry* log_;
};

}  // namespace seawall::demo
