#include "shared_memory.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace seawall::demo {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

shared_memory::shared_memory(int descriptor, std::size_t bytes) : size_(bytes), descriptor_(descriptor) {
  void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, descriptor, 0);
  if (at == MAP_FAILED) {
    ::close(descriptor);
    fail("memory shared by the processes cannot be mapped");
  }
  data_ = static_cast<std::byte*>(at);
}

shared_memory::~shared_memory() {
  if (data_ != nullptr) ::munmap(data_, size_);
  if (descriptor_ >= 0) ::close(descriptor_);
}

shared_memory shared_memory::create(std::size_t bytes) {
  const int descriptor = ::memfd_create("seawall-demo", MFD_CLOEXEC);
  if (descriptor < 0) fail("memory shared by the processes cannot be made");
  if (::ftruncate(descriptor, static_cast<off_t>(bytes)) != 0) {
    ::close(descriptor);
    fail("memory shared by the processes cannot be made");
  }
  return {descriptor, bytes};
}

shared_memory shared_memory::attach(int descriptor) {
  struct stat about{};
  if (::fstat(descriptor, &about) != 0) fail("no memory is shared with this process");
  return {descriptor, static_cast<std::size_t>(about.st_size)};
}

}  // namespace seawall::demo
