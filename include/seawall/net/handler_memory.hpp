// handler_memory: memory for a handler that is posted or waits again and again. Asio's own is kept by a thread only
// while it runs a context, and is shared by all handlers there.
//
//     asio::post(executor, asio::bind_allocator(memory_.allocator(), [self = shared_from_this()] { self->work(); }));
#pragma once

#include <atomic>
#include <cstddef>
#include <new>

namespace seawall::net {

/// Room for one operation at a time; a second one at the same time, or a larger one, gets memory from the heap. The
/// handler must keep this object alive, or it must outlive the context: Asio gives memory back before it calls or
/// destroys the handler. Thread safety: any thread may allocate.
class handler_memory {
 public:
  template <class T>
  class typed_allocator {
   public:
    using value_type = T;

    explicit typed_allocator(handler_memory& from) noexcept : from_(&from) {}
    template <class U>
    // NOLINTNEXTLINE(google-explicit-constructor): allocators are rebound without a word
    typed_allocator(const typed_allocator<U>& other) noexcept : from_(other.from_) {}

    T* allocate(std::size_t count) {
      static_assert(alignof(T) <= alignof(std::max_align_t));
      return static_cast<T*>(from_->take(count * sizeof(T)));
    }
    void deallocate(T* memory, std::size_t) noexcept { from_->give_back(memory); }

    friend bool operator==(const typed_allocator&, const typed_allocator&) = default;

   private:
    template <class>
    friend class typed_allocator;

    handler_memory* from_;
  };

  handler_memory() = default;
  handler_memory(const handler_memory&) = delete;
  handler_memory& operator=(const handler_memory&) = delete;

  typed_allocator<std::byte> allocator() noexcept { return typed_allocator<std::byte>{*this}; }

 private:
  void* take(std::size_t size) {
    if (size > sizeof room_ || taken_.exchange(true, std::memory_order_acquire)) return ::operator new(size);
    return room_;
  }
  void give_back(void* memory) noexcept {
    if (memory == room_) taken_.store(false, std::memory_order_release);
    else ::operator delete(memory);
  }

  alignas(std::max_align_t) std::byte room_[320];
  std::atomic<bool> taken_{false};
};

}  // namespace seawall::net
