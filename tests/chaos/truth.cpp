#include "truth.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace chaos {
namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t rows_at = (sizeof(truth_header) + page - 1) / page * page;

struct descriptor {
  explicit descriptor(int number) : fd(number) {}
  ~descriptor() { ::close(fd); }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int fd;
};

void* map(int fd, std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("cannot map the shared file");
  return memory;
}

}  // namespace

std::string_view name_of(broken what) {
  switch (what) {
    case broken::none: break;
    case broken::fresh_too_old: return "a fresh read is older than an invalidation that had returned";
    case broken::fresh_went_back: return "a fresh read is older than what another fresh read had returned";
    case broken::any_too_old: return "a read is older than an invalidation that had returned the bound before";
    case broken::own_write_unseen: return "a read is older than its own process's invalidation";
    case broken::went_back: return "a read is older than what its process had returned";
    case broken::from_the_future: return "a version that was never committed";
    case broken::wrong_key: return "the value of another key";
    case broken::existing_row_absent: return "a row that exists was not found";
    case broken::strange_error: return "an error that the source did not make";
    case broken::rolled_back: return "a row that was rolled back";
    case broken::not_converged: return "at the end, a process does not have what the database has";
  }
  return "none";
}

truth truth::create(const std::filesystem::path& file, std::size_t keys) {
  const descriptor to{::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  const std::size_t bytes = rows_at + keys * sizeof(row);
  if (to.fd < 0 || ::ftruncate(to.fd, static_cast<off_t>(bytes)) != 0) {
    throw std::runtime_error("cannot make " + file.string());
  }
  void* memory = map(to.fd, bytes);
  static_cast<truth_header*>(memory)->keys.store(keys);  // all else begins as zero
  truth made{memory, bytes};
  for (std::size_t i = 0; i != keys; ++i) made.at(i).committed.store(1);
  return made;
}

truth truth::open(const std::filesystem::path& file) {
  const descriptor from{::open(file.c_str(), O_RDWR | O_CLOEXEC)};
  struct stat info {};
  if (from.fd < 0 || ::fstat(from.fd, &info) != 0) throw std::runtime_error("cannot open " + file.string());
  const auto bytes = static_cast<std::size_t>(info.st_size);
  return {map(from.fd, bytes), bytes};
}

truth::truth(void* memory, std::size_t bytes) noexcept
    : memory_(memory),
      bytes_(bytes),
      head_(static_cast<truth_header*>(memory)),
      rows_(reinterpret_cast<row*>(static_cast<std::byte*>(memory) + rows_at)),
      keys_(head_->keys.load()) {}

truth::truth(truth&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)),
      bytes_(other.bytes_),
      head_(other.head_),
      rows_(other.rows_),
      keys_(other.keys_) {}

truth::~truth() {
  if (memory_) ::munmap(memory_, bytes_);
}

std::uint64_t truth::sum(tally what) const noexcept {
  std::uint64_t all = 0;
  for (const process_state& one : head_->state) all += one.tallies[static_cast<std::size_t>(what)].load();
  return all;
}

}  // namespace chaos
