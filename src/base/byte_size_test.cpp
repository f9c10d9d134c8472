#include "seawall/base/byte_size.hpp"

#include <boost/describe/class.hpp>
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <string_view>

#include "seawall/base/hash.hpp"

namespace {

using seawall::byte_size;

struct address {
  std::string city;
  int code = 0;
};
BOOST_DESCRIBE_STRUCT(address, (), (city, code))

class person : public address {
 public:
  explicit person(std::string note) : note_(std::move(note)) {}

 private:
  std::string note_;
  BOOST_DESCRIBE_CLASS(person, (address), (), (), (note_))
};

struct opaque {
  std::string hidden;
};

}  // namespace

namespace images {

struct image {
  std::size_t pixels = 0;
};
std::size_t seawall_byte_size(const image& i) { return sizeof i + i.pixels; }

}  // namespace images

namespace {

const std::string long_text(1000, 'x');

std::size_t counted = 0;

/// Counts what the containers ask for; malloc's own share is tested by itself.
template <class T>
struct counting {
  using value_type = T;
  counting() = default;
  template <class U>
  counting(const counting<U>&) {}
  T* allocate(std::size_t n) {
    counted += seawall::detail::heap_block(n * sizeof(T));
    return std::allocator<T>().allocate(n);
  }
  void deallocate(T* p, std::size_t n) {
    counted -= seawall::detail::heap_block(n * sizeof(T));
    std::allocator<T>().deallocate(p, n);
  }
  friend bool operator==(const counting&, const counting&) { return true; }
};

using counted_string = std::basic_string<char, std::char_traits<char>, counting<char>>;

TEST(byte_size, of_plain_values_is_sizeof) {
  EXPECT_EQ(byte_size(1), sizeof(int));
  EXPECT_EQ(byte_size(std::string_view(long_text)), sizeof(std::string_view));
  EXPECT_EQ(byte_size(&long_text), sizeof(void*));
  EXPECT_EQ(byte_size(std::array<int, 10>{}), sizeof(int) * 10);
  EXPECT_EQ(byte_size(std::optional<int>{1}), sizeof(std::optional<int>));
}

TEST(byte_size, of_strings_knows_short_ones) {
  EXPECT_EQ(byte_size(std::string("short")), sizeof(std::string));
  EXPECT_EQ(byte_size(std::string(15, 'x')), sizeof(std::string));
  EXPECT_GT(byte_size(std::string(16, 'x')), sizeof(std::string));
  EXPECT_GE(byte_size(long_text), sizeof(std::string) + 1001);
  std::string reserved;
  reserved.reserve(5000);
  EXPECT_GT(byte_size(reserved), 5000u);
  EXPECT_GT(byte_size(std::u32string(100, U'x')), 400u);
}

TEST(byte_size, recurses_into_elements) {
  const std::size_t text = byte_size(long_text);
  const std::size_t heap = text - sizeof(std::string);
  EXPECT_GE(byte_size(std::vector<std::string>(3, long_text)), 3 * text);
  EXPECT_EQ(byte_size(std::array<std::string, 2>{long_text, "a"}), 2 * sizeof(std::string) + heap);
  EXPECT_EQ(byte_size(std::optional(long_text)), sizeof(std::optional<std::string>) + heap);
  EXPECT_EQ(byte_size(std::optional<std::string>{}), sizeof(std::optional<std::string>));
  EXPECT_EQ(byte_size(std::pair(1, long_text)), sizeof(std::pair<int, std::string>) + heap);
  EXPECT_EQ(byte_size(std::tuple(1, long_text, 'c')), sizeof(std::tuple<int, std::string, char>) + heap);
  EXPECT_EQ(byte_size(std::variant<int, std::string>(long_text)), sizeof(std::variant<int, std::string>) + heap);
  EXPECT_EQ((byte_size(std::expected<std::string, int>(long_text))), sizeof(std::expected<std::string, int>) + heap);
  EXPECT_EQ((byte_size(std::expected<void, std::string>(std::unexpect, long_text))),
            sizeof(std::expected<void, std::string>) + heap);
  const std::string texts[2] = {long_text, long_text};
  EXPECT_EQ(byte_size(texts), 2 * text);
}

TEST(byte_size, follows_owning_pointers) {
  EXPECT_EQ(byte_size(std::unique_ptr<std::string>{}), sizeof(void*));
  EXPECT_GE(byte_size(std::make_unique<std::string>(long_text)), sizeof(void*) + byte_size(long_text));
  EXPECT_GE(byte_size(std::make_shared<std::string>(long_text)), 2 * sizeof(void*) + byte_size(long_text));
  EXPECT_EQ(byte_size(std::make_unique<int[]>(10)), sizeof(void*));
  EXPECT_GT(byte_size(std::shared_ptr<void>(std::make_shared<int>(1))), sizeof(std::shared_ptr<void>));
  EXPECT_EQ(byte_size(std::weak_ptr<int>{}), sizeof(std::weak_ptr<int>));
}

TEST(byte_size, walks_described_members_of_all_bases_and_access) {
  const std::size_t heap = byte_size(long_text) - sizeof(std::string);
  person p{long_text};
  EXPECT_EQ(byte_size(p), sizeof(person) + heap);
  p.city = long_text;
  EXPECT_EQ(byte_size(p), sizeof(person) + 2 * heap);
  EXPECT_EQ(byte_size(opaque{long_text}), sizeof(opaque));
}

TEST(byte_size, asks_the_hook_also_inside_containers) {
  EXPECT_EQ(byte_size(images::image{500}), sizeof(images::image) + 500);
  const std::vector<images::image> two{{500}, {700}};
  EXPECT_GE(byte_size(two), 1200u + 2 * sizeof(images::image));
  EXPECT_GE((byte_size(std::map<int, images::image>{{1, {500}}})), 500u);
}

TEST(byte_size, knows_the_blocks_of_glibc) {
  const auto real = [](std::size_t request) {
    void* block = std::malloc(request);
    const std::size_t usable = malloc_usable_size(block);
    std::free(block);
    return usable + sizeof(std::size_t);
  };
  if (real(1) != 32) GTEST_SKIP() << "another allocator";
  for (std::size_t request = 1; request < 2000; ++request) {
    const std::size_t block = real(request);  // 16 more when the rest of a free block would be too small to keep
    ASSERT_TRUE(block == seawall::detail::heap_block(request) || block == seawall::detail::heap_block(request) + 16)
        << request << " takes " << block;
  }
  EXPECT_EQ(seawall::detail::heap_block(0), 0u);
}

counted_string make_text(int i) { return counted_string(100, 'x') + std::to_string(i).c_str(); }

template <class Container>
void expect_estimate() {
  Container filled;
  for (int i = 0; i < 1000; ++i) {
    if constexpr (requires { typename Container::mapped_type; }) filled.emplace(i, make_text(i));
    else if constexpr (std::same_as<typename Container::value_type, int>) filled.insert(filled.end(), i);
    else filled.insert(filled.end(), make_text(i));
  }
  const double real = static_cast<double>(counted + sizeof filled);
  EXPECT_NEAR(static_cast<double>(byte_size(filled)) / real, 1.0, 0.15) << real << " bytes: " << byte_size(filled);
}

TEST(byte_size, agrees_with_what_containers_allocate) {
  using pair = std::pair<const int, counted_string>;
  expect_estimate<std::vector<int, counting<int>>>();
  expect_estimate<std::vector<counted_string, counting<counted_string>>>();
  expect_estimate<std::deque<int, counting<int>>>();
  expect_estimate<std::deque<counted_string, counting<counted_string>>>();
  expect_estimate<std::list<int, counting<int>>>();
  expect_estimate<std::list<counted_string, counting<counted_string>>>();
  expect_estimate<std::set<int, std::less<>, counting<int>>>();
  expect_estimate<std::multiset<counted_string, std::less<>, counting<counted_string>>>();
  expect_estimate<std::map<int, counted_string, std::less<>, counting<pair>>>();
  expect_estimate<std::unordered_set<int, std::hash<int>, std::equal_to<>, counting<int>>>();
  expect_estimate<std::unordered_map<int, counted_string, std::hash<int>, std::equal_to<>, counting<pair>>>();
  EXPECT_EQ(counted, 0u);
}

TEST(byte_size, agrees_with_what_nodes_of_texts_allocate) {
  using text_hash = seawall::hash<counted_string>;
  expect_estimate<std::unordered_set<counted_string, text_hash, std::equal_to<>, counting<counted_string>>>();

  std::forward_list<counted_string, counting<counted_string>> list;
  for (int i = 0; i < 100; ++i) list.push_front(make_text(i));
  EXPECT_EQ(byte_size(list), counted + sizeof list);
  list.clear();

  const auto shared = std::allocate_shared<counted_string>(counting<counted_string>{}, make_text(1));
  EXPECT_EQ(byte_size(shared), counted + sizeof shared);
}

TEST(byte_size, of_bits) {
  EXPECT_LT(byte_size(std::vector<bool>(8000)), 1200u);
  EXPECT_GE(byte_size(std::vector<bool>(8000)), 1000u);
}

}  // namespace
