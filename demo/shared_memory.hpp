// Memory that several processes of a demo have in common.
#pragma once

#include <cstddef>
#include <utility>

namespace seawall::demo {

/// All bytes are 0 at first, and cost memory only once they are touched. Errors are std::system_error exceptions.
class shared_memory {
 public:
  static shared_memory create(std::size_t bytes);
  /// The memory behind a descriptor that another process has handed down; the descriptor is closed in the end.
  static shared_memory attach(int descriptor);
  ~shared_memory();
  shared_memory(shared_memory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(other.size_),
        descriptor_(std::exchange(other.descriptor_, -1)) {}
  shared_memory& operator=(shared_memory&&) = delete;

  std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  /// Closed when another program is executed, unless whoever does that prevents it.
  int descriptor() const noexcept { return descriptor_; }

 private:
  shared_memory(int descriptor, std::size_t bytes);

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  int descriptor_ = -1;
};

}  // namespace seawall::demo
