// An array of zeroes that costs nothing until it is touched, for tables of many megabytes.
// Thread safety: of its own none; the elements are the owner's.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

namespace seawall {

/// `T` is a type for which zero bytes are a value. The system gives the memory page by page when it is touched first;
/// from 4 MiB on in huge pages (madvise(2)), since tables are looked up at random.
template <class T>
class zeroed_array {
  static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 4096);

 public:
  zeroed_array() noexcept = default;
  /// Throws std::bad_alloc.
  explicit zeroed_array(std::size_t size) : size_(size) {
    if (size == 0) return;
    if (size > SIZE_MAX / sizeof(T)) throw std::bad_alloc{};
    void* const memory = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc{};
    if (bytes() >= huge) madvise(memory, bytes(), MADV_HUGEPAGE);
    at_ = static_cast<T*>(memory);
  }
  zeroed_array(zeroed_array&& other) noexcept
      : at_(std::exchange(other.at_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  zeroed_array& operator=(zeroed_array&& other) noexcept {
    zeroed_array moved(std::move(other));
    std::swap(at_, moved.at_);
    std::swap(size_, moved.size_);
    return *this;
  }
  ~zeroed_array() {
    if (at_ != nullptr) munmap(at_, bytes());
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::size_t bytes() const noexcept { return size_ * sizeof(T); }
  /// Constness is not passed on.
  T& operator[](std::size_t i) const noexcept { return at_[i]; }
  T* begin() const noexcept { return at_; }
  T* end() const noexcept { return at_ + size_; }

 private:
  static constexpr std::size_t huge = std::size_t{4} << 20;

  T* at_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace seawall
