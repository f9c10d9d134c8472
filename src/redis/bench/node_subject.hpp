// The clients of npm. Each runs in a Node.js process of its own, which lives as long as the benchmark, so that the
// rounds of all subjects alternate and its compiler has settled: src/redis/peers/redis_peer.mjs.
#pragma once

#include "subject.hpp"

#include <fmt/format.h>
#include <seawall_bench/child_process.hpp>

#include <cstdint>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace seawall::bench {

class node_subject final : public subject {
 public:
  /// `node`: the program. `modules`: a folder node_modules that has the client. Throws std::runtime_error with the
  /// cause when the client does not connect.
  node_subject(std::string name, const std::string& node, const std::filesystem::path& modules, std::uint16_t port)
      : name_(std::move(name)),
        child_(node, {"node", SEAWALL_BENCH_PEERS "/redis_peer.mjs", std::filesystem::absolute(modules).string(), name_,
                      std::to_string(port), std::to_string(key_count), std::to_string(timed_get)}) {
    if (const std::string said = hear(20); said != "ready") fail(said);
  }

  std::string name() const override { return name_; }

  measured measure(const redis_case& which, double seconds) override {
    const char* const kind = which.kind == call_kind::get        ? "get"
                             : which.kind == call_kind::pipeline ? "pipeline"
                                                                 : "single";
    if (!child_.say(fmt::format("{} {} {}", kind, which.callers, seconds))) fail("its process ended");
    const std::string said = hear(seconds + 20);
    std::istringstream in(said);
    measured row;
    if (in >> row.ops >> row.ops_per_s >> row.client_cpu_s >> row.p50_us >> row.p99_us) return row;
    fail(said);
  }

 private:
  std::string hear(double seconds) { return child_.hear(seconds).value_or("its process ended or said nothing"); }
  [[noreturn]] void fail(const std::string& cause) const {
    throw std::runtime_error(fmt::format("{}: {}", name_, cause));
  }

  std::string name_;
  child_process child_;
};

}  // namespace seawall::bench
