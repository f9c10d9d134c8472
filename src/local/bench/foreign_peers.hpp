// The peers in other languages. Each is a small program of ours under src/local/peers that runs the same workload in a
// child process and prints lines "THREADS METRIC VALUE". One that is not installed is named on stderr, once, with the
// packages that bring it.
#pragma once

#include "workload.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace seawall::bench {

struct foreign_row {
  int threads = 1;
  std::string metric;
  double value = 0;
};

struct foreign_peer {
  std::string name;
  std::string command;  ///< What comes before the name of the case.
};

class foreign_peers {
 public:
  /// Looks for what there is, and makes it ready to run. `folder`: for what is compiled and written on the way.
  foreign_peers(std::filesystem::path folder, const std::vector<std::uint32_t>& ranks)
      : folder_(std::move(folder)), requests_(folder_ / "requests.u32") {
    std::filesystem::create_directories(folder_);
    std::ofstream out(requests_, std::ios::binary);
    out.write(reinterpret_cast<const char*>(ranks.data()),
              static_cast<std::streamsize>(ranks.size() * sizeof(std::uint32_t)));
    if (!out.flush()) throw std::runtime_error(fmt::format("{} cannot be written", requests_.string()));
    find_caffeine();
    find_lru_cache();
  }
  ~foreign_peers() {
    std::error_code ignored;
    std::filesystem::remove(requests_, ignored);
  }
  foreign_peers(const foreign_peers&) = delete;
  foreign_peers& operator=(const foreign_peers&) = delete;

  const std::vector<foreign_peer>& all() const noexcept { return all_; }

  /// Throws std::runtime_error when the program fails.
  std::vector<foreign_row> run(const foreign_peer& peer, const std::string& name, double seconds) const {
    const std::string command =
        fmt::format("{} '{}' {} 1,2 '{}'", peer.command, name, seconds, requests_.string());
    const std::string said = output_of(command);
    std::vector<foreign_row> rows;
    std::istringstream in(said);
    for (foreign_row row; in >> row.threads >> row.metric >> row.value;) rows.push_back(row);
    if (rows.empty()) throw std::runtime_error(fmt::format("no row came from: {}", command));
    return rows;
  }

 private:
  static std::string output_of(const std::string& command) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
    std::string said;
    std::array<char, 4096> block{};
    while (pipe) {
      const std::size_t got = std::fread(block.data(), 1, block.size(), pipe.get());
      if (got == 0) break;
      said.append(block.data(), got);
    }
    return said;
  }

  static bool there(const std::string& program) { return !output_of("command -v " + program).empty(); }

  void find_caffeine() {
    const std::string jar = "/usr/share/java/caffeine.jar";
    if (!std::filesystem::exists(jar) || !there("java") || !there("javac")) {
      fmt::print(stderr, "no Caffeine beside us: install libcaffeine-java and default-jdk-headless\n");
      return;
    }
    const std::string classes = (folder_ / "peers").string();
    const std::string compile = fmt::format("javac -d '{0}' -cp {1} '{2}/CaffeinePeer.java' && echo done", classes, jar,
                                            SEAWALL_BENCH_PEERS);
    if (output_of(compile).empty()) throw std::runtime_error("CaffeinePeer.java does not compile");
    all_.push_back({"caffeine", fmt::format("java -Xms3g -Xmx3g -cp '{}:{}' CaffeinePeer", classes, jar)});
  }

  void find_lru_cache() {
    const std::filesystem::path modules = std::filesystem::absolute(folder_ / "npm" / "node_modules");
    if (!std::filesystem::exists(modules / "lru-cache") || !there("node")) {
      fmt::print(stderr, "no lru-cache beside us: install nodejs and npm, then run: npm install --no-save --prefix {} "
                         "lru-cache@11\n", (folder_ / "npm").string());
      return;
    }
    all_.push_back({"lru-cache", fmt::format("node --expose-gc --max-old-space-size=3000 '{}/lru_cache_peer.mjs' '{}'",
                                             SEAWALL_BENCH_PEERS, modules.string())});
  }

  std::filesystem::path folder_;
  std::filesystem::path requests_;
  std::vector<foreign_peer> all_;
};

}  // namespace seawall::bench
