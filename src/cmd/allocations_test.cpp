// Counts what the test program allocates. Apart from its users, so that no compiler inlines it into them. A sanitizer
// brings its own operators, so it counts nothing there.
#include "test_allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SEAWALL_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SEAWALL_SANITIZED
#endif
#endif

namespace {
std::atomic<std::size_t> allocations{0};
}

std::size_t seawall::cmd::allocations_so_far() { return allocations; }

#ifndef SEAWALL_SANITIZED
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif
