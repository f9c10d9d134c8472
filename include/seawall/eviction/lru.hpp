// Least recently used: an intrusive list, newest use first. Single-threaded; it never allocates and never reads a
// clock. The owner keeps the nodes; a node is in one list at most.
#pragma once

namespace seawall::eviction {

struct lru_hook {
  lru_hook* newer = nullptr;
  lru_hook* older = nullptr;
};

class lru_list {
 public:
  lru_list() noexcept { clear(); }
  lru_list(const lru_list&) = delete;
  lru_list& operator=(const lru_list&) = delete;

  bool empty() const noexcept { return ends_.older == &ends_; }

  /// A node that is in no list becomes the newest.
  void insert(lru_hook& node) noexcept {
    node.newer = &ends_;
    node.older = ends_.older;
    ends_.older->newer = &node;
    ends_.older = &node;
  }

  void remove(lru_hook& node) noexcept {
    node.newer->older = node.older;
    node.older->newer = node.newer;
    node.newer = node.older = nullptr;
  }

  /// A node of this list becomes the newest.
  void use(lru_hook& node) noexcept {
    if (ends_.older == &node) return;
    remove(node);
    insert(node);
  }

  /// The node to evict first. Requires: !empty().
  lru_hook& victim() noexcept { return *ends_.newer; }

  /// Forgets all nodes without touching them.
  void clear() noexcept { ends_.newer = ends_.older = &ends_; }

 private:
  lru_hook ends_;  // older: the newest node; newer: the oldest
};

}  // namespace seawall::eviction
