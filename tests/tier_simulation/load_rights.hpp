// load_rights: which processes have the right to load a key, as the primary has it: the lease in the key's place (of
// plain values: beside it), or the right to replace an entry, which lies beside it.
#pragma once

#include "sim_server.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace simulation {

class load_rights {
 public:
  static constexpr int keys = 2;
  static constexpr int most_processes = 4;

  explicit load_rights(bool plain);

  /// A process from its start to its end; the one that is started in its place is another life.
  static constexpr int process_of(int life) { return life % most_processes; }
  static constexpr int next_life(int life) { return life + most_processes; }

  /// Which life's command has changed what is there; nobody's, when something else did.
  struct change {
    std::optional<int> by{};
    bool gives_up = false;  // a right of its own that goes is one that its load needs no longer
  };
  /// After each change. What is wrong: a right was taken from its holder before its end, by one of the same reign.
  std::optional<std::string> look(const sim_node::data& there, std::int64_t now_ms, const change& what);

  /// A load begins: whether its process has a right that no load has begun by, or has lost one, which it need not know.
  bool use(int life, int key);
  /// The lives of the process before this one have ended; what they have sent may still arrive.
  void begins(int life);

 private:
  enum kind : std::uint8_t { to_fill, to_replace };
  static constexpr std::array kinds{to_fill, to_replace};
  struct right {
    std::string name;
    std::string bytes{};  // nonce and reign, or the token of the process; empty: nobody has it
    std::int64_t ends_ms = 0;
    std::optional<int> holder{};  // a life
    bool unused = false;
  };

  std::string bytes_of(kind which, std::string_view there) const;

  const bool plain_;
  std::array<std::array<right, kinds.size()>, keys> rights_;
  std::array<int, most_processes> lives_{};
  std::array<std::array<int, keys>, most_processes> lost_{};  // of those lives, before a load had begun by them
};

}  // namespace simulation
