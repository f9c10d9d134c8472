// Measurements in a process of their own, so that nothing the benchmark did before shows in them; resident memory; and
// latencies.
#pragma once

#include <fmt/format.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace seawall::bench {

/// Runs `measure`, which answers a vector of figures, in a forked child. Must be called while this process has one
/// thread. Throws std::runtime_error when the child failed.
template <class F>
std::vector<double> in_child(F&& measure) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw std::runtime_error("no pipe could be made for a child process");
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no child process could be started");
  if (child == 0) {
    int code = 1;
    try {
      const std::vector<double> figures = measure();
      const auto size = static_cast<ssize_t>(figures.size() * sizeof(double));
      code = write(ends[1], figures.data(), static_cast<std::size_t>(size)) == size ? 0 : 1;
    } catch (const std::exception& e) {
      fmt::print(stderr, "error: {}\n", e.what());
    }
    _exit(code);
  }
  close(ends[1]);
  std::array<double, 64> figures{};
  std::size_t bytes = 0;
  char* const into = reinterpret_cast<char*>(figures.data());
  while (bytes != sizeof(figures)) {
    const ssize_t got = read(ends[0], into + bytes, sizeof(figures) - bytes);
    if (got <= 0) break;
    bytes += static_cast<std::size_t>(got);
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw std::runtime_error(fmt::format("a measurement in a child process failed (status {})", status));
  }
  return {figures.begin(), figures.begin() + static_cast<std::ptrdiff_t>(bytes / sizeof(double))};
}

/// Of this process, in bytes.
inline double resident_bytes() {
  std::ifstream in("/proc/self/statm");
  double all = 0;
  double resident = 0;
  in >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// How long operations took: buckets 1/32 of a power of two wide, so a figure is at most 3 % too low.
class latencies {
 public:
  void add(std::chrono::nanoseconds time) noexcept {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
    ++counts_[std::min(bucket_of(ns), counts_.size() - 1)];
    ++count_;
    max_ = std::max(max_, ns);
  }

  void add(const latencies& other) noexcept {
    for (std::size_t i = 0; i != counts_.size(); ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
  }

  /// The latency that `share` of the operations did not exceed.
  double microseconds(double share) const noexcept {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_));
    std::uint64_t below = 0;
    for (std::size_t i = 0; i != counts_.size(); ++i) {
      below += counts_[i];
      if (below > wanted) return 1e-3 * static_cast<double>(least_of(i));
    }
    return max_microseconds();
  }
  double max_microseconds() const noexcept { return 1e-3 * static_cast<double>(max_); }

 private:
  static constexpr std::size_t bits = 5;
  static constexpr std::size_t parts = std::size_t{1} << bits;

  static std::size_t bucket_of(std::uint64_t ns) noexcept {
    if (ns < parts) return static_cast<std::size_t>(ns);
    const auto shift = static_cast<std::size_t>(std::bit_width(ns)) - 1 - bits;
    return (shift << bits) + static_cast<std::size_t>(ns >> shift);
  }
  static std::uint64_t least_of(std::size_t bucket) noexcept {
    if (bucket < 2 * parts) return bucket;
    const std::size_t shift = (bucket >> bits) - 1;
    return static_cast<std::uint64_t>(parts + (bucket & (parts - 1))) << shift;
  }

  std::array<std::uint64_t, 36 * parts> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace seawall::bench
