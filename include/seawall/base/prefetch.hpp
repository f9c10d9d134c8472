// A hint to fetch a cache line that will be written soon.
// Thread safety: touches nothing.
#pragma once

namespace seawall {

/// Starts to fetch the line of `at` for writing, so that the write need not ask other processors for it once more. Any
/// address will do. GCC's built-in function fetches for reading only, unless it compiles for a processor of a certain
/// kind; all processors of x86-64 have the instruction or ignore it.
[[gnu::always_inline]] inline void prefetch_to_write(const void* at) noexcept {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(at)));
#else
  __builtin_prefetch(at, 1);
#endif
}

}  // namespace seawall
