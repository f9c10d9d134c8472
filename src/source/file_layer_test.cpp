// The machine's own files.
#include "file_layer.hpp"
#include "test_database.hpp"

#include <gtest/gtest.h>

#include <string>

namespace seawall::source {
namespace {

struct FileLayer : ::testing::Test {
  sql_test::folder where;
  std::string path = where.file("file");
  std::shared_ptr<file_layer> files = make_posix_files();
};

TEST_F(FileLayer, OnlyZerosFollowWhatWasWritten) {
  auto file = files->create(path);
  ASSERT_TRUE(file);
  std::string written;
  const auto check = [&] {
    const auto read = files->read(path, whole_file);
    ASSERT_TRUE(read);
    ASSERT_GE(read->size(), written.size());
    EXPECT_TRUE(read->starts_with(written));
    EXPECT_EQ(read->find_first_not_of('\0', written.size()), std::string::npos) << written.size();
    EXPECT_EQ(files->read(path, 5).value(), read->substr(0, 5));
  };
  for (std::size_t size = 1; size < 3'000'000; size = size * 3 + 1) {
    const std::string piece(size, static_cast<char>('a' + size % 26));
    ASSERT_TRUE((*file)->append(piece));
    ASSERT_TRUE((*file)->sync());
    written += piece;
    check();
  }
  written.resize(written.size() / 2);
  ASSERT_TRUE((*file)->truncate(written.size()));
  ASSERT_TRUE((*file)->append("after"));
  written += "after";
  check();
}

TEST_F(FileLayer, AFileHasItsNameWhenItIsWhole) {
  ASSERT_TRUE(write_beside(*files, path, "first", true));
  auto second = write_beside(*files, path, "second", false);
  ASSERT_TRUE(second);
  ASSERT_TRUE((*second)->append(" and more"));
  EXPECT_TRUE(files->read(path, whole_file)->starts_with("second and more"));
  EXPECT_EQ(files->list(where.file(""))->size(), 1U);
  EXPECT_FALSE(write_beside(*files, where.file("none/file"), "lost", true));
}

}  // namespace
}  // namespace seawall::source
