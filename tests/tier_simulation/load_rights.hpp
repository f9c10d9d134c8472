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

  /// Whose command has changed what is there; nobody's, when something else did.
  struct change {
    std::optional<int> by{};
    bool gives_up = false;  // a right of its own that goes is one that its load needs no longer
  };
  /// After each change. What is wrong: a right was taken from its holder before its end, by one of the same reign.
  std::optional<std::string> look(const sim_node::data& there, std::int64_t now_ms, const change& what);

  /// A load begins: whether its process has a right that no load has begun by, or has lost one, which it need not know.
  bool use(int process, int key);
  /// The process has ended.
  void forget(int process);

 private:
  enum kind : std::uint8_t { to_fill, to_replace };
  static constexpr std::array kinds{to_fill, to_replace};
  struct right {
    std::string name;
    std::string bytes{};  // nonce and reign, or the token of the process; empty: nobody has it
    std::int64_t ends_ms = 0;
    std::optional<int> holder{};
    bool unused = false;
  };

  std::string bytes_of(kind which, std::string_view there) const;

  const bool plain_;
  std::array<std::array<right, kinds.size()>, keys> rights_;
  std::array<std::array<int, keys>, most_processes> lost_{};  // before a load had begun by them
};

}  // namespace simulation
