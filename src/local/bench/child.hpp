// Measurements in a process of their own, so that nothing the benchmark did before shows in them; and resident memory.
#pragma once

#include <fmt/format.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
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

}  // namespace seawall::bench
