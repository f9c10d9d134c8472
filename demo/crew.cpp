#include "crew.hpp"

#include "checker.hpp"
#include "front.hpp"
#include "redis_place.hpp"
#include "replay.hpp"
#include "setup.hpp"
#include "sqlite.hpp"
#include "traffic.hpp"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <exception>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

namespace seawall::demo {
namespace {

using namespace std::chrono_literals;

constexpr auto poll_time = 5ms;
/// How long a process may take to give up its clients and its cache.
constexpr auto farewell = 10s;

std::vector<std::string> command_of(const demo_options& o, std::size_t process, int descriptor) {
  std::vector<std::string> words{std::filesystem::read_symlink("/proc/self/exe").string()};
  const auto option = [&words](const char* name, std::string value) {
    words.emplace_back(name);
    words.push_back(std::move(value));
  };
  option("--worker", std::to_string(process));
  option("--board", std::to_string(descriptor));
  option("--trace", o.trace);
  option("--database", o.database);
  option("--redis", o.redis);
  option("--processes", std::to_string(o.processes));
  option("--threads", std::to_string(o.threads));
  option("--fresh", std::to_string(o.fresh_percent));
  if (o.break_invalidation) words.emplace_back("--break-invalidation");
  return words;
}

void take_part(const demo_options& options, board& shared, process_slot& slot) {
  const auto traffic = load_traffic(options.trace, find_trace_directory(), shared.shape().shop);
  const auto tier = shop_tier(options.redis);
  if (!tier) throw std::runtime_error(tier.error().message());
  checker check(shared.commits(), (*tier)->bound());
  replayer clients(replay_options_of(options), traffic, check, shared);
  const auto straight = straight_front();
  const auto through = seawall_front(front_options_of(options, shared, *tier));
  slot.ready = true;
  std::uint32_t done = 0;
  while (!shared.closed()) {
    if (shared.phase() == done) {
      std::this_thread::sleep_for(poll_time);
      continue;
    }
    done = shared.phase();
    clients.follow(shared.kind() == phase_kind::straight ? *straight : *through);
  }
}

}  // namespace

crew::crew(const demo_options& options, board& shared) : board_(shared), told_(shared.shape().processes, false) {
  for (std::size_t i = 1; i < shared.shape().processes; ++i) {
    others_.emplace_back(command_of(options, i, shared.descriptor()), child_options{.inherit = shared.descriptor()});
  }
}

crew::~crew() {
  board_.end_phase();
  board_.close();
  const auto end = std::chrono::steady_clock::now() + farewell;
  for (child& other : others_) {
    const auto left = end - std::chrono::steady_clock::now();
    other.wait(std::chrono::duration_cast<std::chrono::milliseconds>(left));
  }
}

std::vector<std::string> crew::attend() {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < others_.size(); ++i) {
    if (told_[i]) continue;
    process_slot& slot = board_.process(i + 1);
    const bool running = others_[i].running();
    if (running && !slot.lost) continue;
    slot.lost = true;
    told_[i] = true;
    found.push_back(fmt::format("Process {} (pid {}) {}; the others go on.", i + 2, others_[i].pid(),
                                running ? "does not answer" : others_[i].how_it_ended()));
  }
  lost_.insert(lost_.end(), found.begin(), found.end());
  return found;
}

bool crew::wait_ready(const std::atomic<bool>& stop) {
  while (!board_.everybody_ready()) {
    if (stop) return false;
    std::this_thread::sleep_for(poll_time);
    attend();
  }
  for (std::size_t i = 0; i < others_.size(); ++i) {
    if (!board_.process(i + 1).lost) continue;
    const std::string why = board_.process(i + 1).failure.get();
    throw std::runtime_error(fmt::format("process {} {}", i + 2, why.empty() ? others_[i].how_it_ended() : why));
  }
  return true;
}

std::string crew::pids() const {
  std::string text;
  for (const child& other : others_) text += fmt::format("{}{}", text.empty() ? "" : " ", other.pid());
  return text;
}

int work_in_crew(const demo_options& options) {
  // Ctrl-C is for the first process: it ends the phase, and says so on the board.
  std::signal(SIGINT, SIG_IGN);
  tune_sqlite();
  std::unique_ptr<board> shared;
  try {
    shared = board::attach(options.board);
  } catch (const std::exception& e) {
    fmt::print(stderr, "seawall-demo: --worker and --board are for the program's own use: {}\n", e.what());
    return 2;
  }
  const auto index = static_cast<std::size_t>(options.worker);
  if (index >= shared->shape().processes) return 2;
  try {
    take_part(options, *shared, shared->process(index));
    return 0;
  } catch (const std::exception& e) {
    shared->process(index).failure.set(e.what());
    shared->end_phase();
    return 1;
  }
}

}  // namespace seawall::demo
