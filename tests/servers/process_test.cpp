#include "servers/process.hpp"
#include "servers/ports.hpp"
#include "servers/temp_dir.hpp"
#include "servers/wait.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace seawall::servers {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

std::string content(const std::filesystem::path& file) {
  std::ifstream from{file};
  return {std::istreambuf_iterator<char>{from}, {}};
}

// An ended process whose parent has not looked yet counts as gone.
bool gone(pid_t pid) {
  const auto state = content("/proc/" + std::to_string(pid) + "/stat");
  return state.empty() || state.find(") Z ") != state.npos;
}

class Process : public ::testing::Test {
 protected:
  process shell(const std::string& script) { return {{"/bin/sh", "-c", script}, folder.path(), log}; }
  process endless() { return shell("exec tail -f /dev/null"); }

  temp_dir folder{"process"};
  std::filesystem::path log = folder.path() / "log";
};

TEST_F(Process, TellsHowItEndedAndLogsWhatItPrints) {
  auto child = shell("echo out; echo err >&2; pwd; exit 3");
  const auto status = child.wait(30s);
  ASSERT_TRUE(status);
  EXPECT_EQ(WEXITSTATUS(*status), 3);
  EXPECT_EQ(content(log), "out\nerr\n" + folder.path().string() + "\n");
  EXPECT_FALSE(child.running());
  EXPECT_EQ(child.pid(), 0);
}

TEST_F(Process, CannotBeAFileThatDoesNotExecute) {
  EXPECT_THROW((process{{"/nowhere/program"}, folder.path(), log}), std::runtime_error);
}

TEST_F(Process, IsKilledWithItsOwner) {
  std::optional child{endless()};
  const auto pid = child->pid();
  EXPECT_FALSE(gone(pid));
  child.reset();
  EXPECT_TRUE(gone(pid));
}

TEST_F(Process, IsKilledWhenAnotherTakesItsPlace) {
  auto child = endless();
  const auto pid = child.pid();
  child = endless();
  EXPECT_TRUE(gone(pid));
  EXPECT_TRUE(child.running());
}

TEST_F(Process, IsKilledWhileItIsStopped) {
  auto child = endless();
  child.signal(SIGSTOP);
  EXPECT_TRUE(child.running());
  child.kill();
  EXPECT_FALSE(child.running());
}

TEST_F(Process, OutlivesTheThreadThatStartedIt) {
  process child;
  std::thread{[&] { child = shell("echo begun; exec tail -f /dev/null"); }}.join();
  wait_until("the child prints", [&] { return content(log) == "begun\n"; });
  EXPECT_FALSE(child.wait(20ms));
}

TEST_F(Process, InheritsNoDescriptor) {
  ASSERT_EQ(::dup2(2, 77), 77);
  auto child = shell("ls -l /proc/self/fd");
  ASSERT_TRUE(child.wait(30s));
  ::close(77);
  EXPECT_THAT(content(log), HasSubstr(" 2 -> "));
  EXPECT_THAT(content(log), Not(HasSubstr(" 77 -> ")));
}

// Runs itself once more: the inner one starts a process and waits until it is killed.
TEST_F(Process, DiesWithTheTestProcess) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): tests do not set variables
  if (const char* told = std::getenv("SEAWALL_TEST_TELLS")) {
    auto child = endless();
    std::ofstream{told} << child.pid() << " \n";
    wait_until(
        "the outer test kills this one", [] { return false; }, 300s);
  }
  const auto told = folder.path() / "told";
  auto inner = shell("SEAWALL_TEST_TELLS=" + told.string() + " TEST_TMPDIR=" + folder.path().string() + " exec " +
                     std::filesystem::read_symlink("/proc/self/exe").string() +
                     " --gtest_filter=Process.DiesWithTheTestProcess");
  wait_until("the inner test has a child", [&] { return content(told).ends_with('\n'); });
  const auto grandchild = static_cast<pid_t>(std::stol(content(told)));
  EXPECT_FALSE(gone(grandchild));
  inner.kill();
  wait_until("the kernel ends the grandchild", [&] { return gone(grandchild); });
  EXPECT_TRUE(gone(grandchild));
}

TEST(FindProgram, LooksInPathAndTakesPaths) {
  EXPECT_THAT(find_program("sh").value_or("").string(), EndsWith("/sh"));
  EXPECT_EQ(find_program("/bin/sh"), "/bin/sh");
  EXPECT_FALSE(find_program("no-such-program"));
  EXPECT_FALSE(find_program("/no/such/program"));
}

TEST(ReservedPort, IsGivenOnceAndAgainAfterItsEnd) {
  std::vector<reserved_port> ports;
  std::set<std::uint16_t> numbers;
  for (int i = 0; i < 100; ++i) {
    ports.push_back(reserve_port());
    numbers.insert(ports.back().number());
    EXPECT_LT(ports.back() + bus_distance, 65'536);
  }
  EXPECT_EQ(numbers.size(), 100U);
}

TEST(TempDir, IsRemovedWithItsContent) {
  std::filesystem::path path;
  {
    const temp_dir folder{"removed"};
    path = folder.path();
    std::ofstream{path / "file"} << "content";
    EXPECT_TRUE(std::filesystem::exists(path / "file"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

/// One whose port somebody else has.
struct late_server {
  std::string log() const { return said; }
  std::string said;
};

TEST(StartOnFreePort, TriesAnotherOneWhereThePortIsTaken) {
  struct row {
    int fails;
    std::string_view said;
    int made;
    bool starts;
  };
  for (const row& one : {row{0, "", 1, true}, row{3, "Address already in use", 4, true},
                         row{4, "Address already in use", 4, false}, row{1, "out of memory", 1, false}}) {
    int made = 0;
    const auto start = [&] {
      return start_on_free_port([&] { return ++made, std::make_unique<late_server>(std::string{one.said}); },
                                [&](const late_server&) {
                                  if (made <= one.fails) throw std::runtime_error("it has ended");
                                });
    };
    if (one.starts) EXPECT_NE(start(), nullptr);
    else EXPECT_THROW(start(), std::runtime_error);
    EXPECT_EQ(made, one.made);
  }
}

}  // namespace
}  // namespace seawall::servers
