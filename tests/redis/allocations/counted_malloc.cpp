// Counts what the program allocates, in all its threads, by whatever function: in place of the C library's malloc.
#include "counted_malloc.hpp"

#include <atomic>
#include <cstdlib>

namespace {
std::atomic<std::size_t> allocations{0};
}

std::size_t seawall::redis::allocations_so_far() { return allocations.load(); }

// glibc's own names for what it defines as malloc and so on.
extern "C" {
void* __libc_malloc(std::size_t size);                              // NOLINT(*-reserved-identifier)
void* __libc_calloc(std::size_t count, std::size_t size);           // NOLINT(*-reserved-identifier)
void* __libc_realloc(void* memory, std::size_t size);               // NOLINT(*-reserved-identifier)
void* __libc_memalign(std::size_t alignment, std::size_t size);     // NOLINT(*-reserved-identifier)

void* malloc(std::size_t size) noexcept {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) noexcept {
  ++allocations;
  return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  ++allocations;
  return __libc_memalign(alignment, size);
}
}
