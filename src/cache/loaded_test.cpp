// What a loader may return and throw, and what becomes of it.
#include "seawall/cache/loaded.hpp"

#include "seawall/cache/bound_loader.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace seawall {
namespace {

using namespace std::chrono_literals;
using detail::to_loaded;

// "absent", "unmodified", "error: <message>", or "value: " and the value.
template <class V>
std::string kind(loaded<V> given, std::string (*show)(const V&)) {
  if (given.is_unmodified()) return "unmodified";
  if (const error* failure = given.failure()) return "error: " + failure->message();
  const auto value = std::move(given).value();
  return value ? "value: " + show(*value) : "absent";
}

std::string show_int(const int& value) { return std::to_string(value); }
std::string show_bool(const bool& value) { return value ? "true" : "false"; }
std::string show_text(const std::string& value) { return "'" + value + "'"; }
std::string show_maybe(const std::optional<int>& value) { return value ? std::to_string(*value) : "none"; }
std::string show_list(const std::vector<int>& value) {
  std::string text = "[";
  for (const int one : value) text += std::to_string(one) + " ";
  return text + "]";
}

std::string as_int(auto&& answer) {
  return kind<int>(to_loaded<int>(std::forward<decltype(answer)>(answer)), show_int);
}
std::string as_bool(auto&& answer) {
  return kind<bool>(to_loaded<bool>(std::forward<decltype(answer)>(answer)), show_bool);
}
std::string as_text(auto&& answer) {
  return kind<std::string>(to_loaded<std::string>(std::forward<decltype(answer)>(answer)), show_text);
}
std::string as_maybe(auto&& answer) {
  return kind<std::optional<int>>(to_loaded<std::optional<int>>(std::forward<decltype(answer)>(answer)), show_maybe);
}
std::string as_list(auto&& answer) {
  return kind<std::vector<int>>(to_loaded<std::vector<int>>(std::forward<decltype(answer)>(answer)), show_list);
}

const error down{errc::loader_failed, "down"};
template <class T>
using res = result<T>;

TEST(ToLoaded, EveryAnswerALoaderMayReturn) {
  EXPECT_EQ(as_int(7), "value: 7");
  EXPECT_EQ(as_int(std::make_shared<const int>(7)), "value: 7");
  EXPECT_EQ(as_int(std::make_shared<int>(7)), "value: 7");
  EXPECT_EQ(as_int(std::make_unique<int>(7)), "value: 7");
  EXPECT_EQ(as_int(value_ptr<int>{}), "absent");
  EXPECT_EQ(as_int(nullptr), "absent");
  EXPECT_EQ(as_int(std::optional{7}), "value: 7");
  EXPECT_EQ(as_int(std::optional<int>{}), "absent");
  EXPECT_EQ(as_int(not_found), "absent");
  EXPECT_EQ(as_int(not_modified), "unmodified");
  EXPECT_EQ(as_int(down), "error: down");
  EXPECT_EQ(as_int(fail(errc::loader_failed, "down")), "error: down");
  EXPECT_EQ(as_int(loaded<int>(7)), "value: 7");
  EXPECT_EQ(as_int(loaded<int>(not_modified)), "unmodified");
}

TEST(ToLoaded, ResultsOfEachOfThem) {
  EXPECT_EQ(as_int(res<int>{7}), "value: 7");
  EXPECT_EQ(as_int(res<int>{std::unexpected(down)}), "error: down");
  EXPECT_EQ(as_int(res<std::optional<int>>{std::optional{7}}), "value: 7");
  EXPECT_EQ(as_int(res<std::optional<int>>{std::nullopt}), "absent");
  EXPECT_EQ(as_int(res<value_ptr<int>>{nullptr}), "absent");
  EXPECT_EQ(as_int(res<value_ptr<int>>{std::make_shared<const int>(7)}), "value: 7");
  EXPECT_EQ(as_int(res<not_found_t>{not_found}), "absent");
  EXPECT_EQ(as_int(res<not_modified_t>{not_modified}), "unmodified");
  EXPECT_EQ(as_int(res<loaded<int>>{loaded<int>(7)}), "value: 7");
  EXPECT_EQ(as_int(res<loaded<int>>{std::unexpected(down)}), "error: down");
}

TEST(ToLoaded, LvaluesAreCopied) {
  const std::optional<std::string> row = "ada";
  const result<std::string> good = "alan";
  EXPECT_EQ(as_text(row), "value: 'ada'");
  EXPECT_EQ(as_text(good), "value: 'alan'");
  EXPECT_EQ(*row, "ada");
  EXPECT_EQ(*good, "alan");
}

TEST(ToLoaded, BooleansAreValuesHoweverTheyCome) {
  EXPECT_EQ(as_bool(false), "value: false");
  EXPECT_EQ(as_bool(true), "value: true");
  EXPECT_EQ(as_bool(std::optional{false}), "value: false");
  EXPECT_EQ(as_bool(std::optional<bool>{}), "absent");
  EXPECT_EQ(as_bool(res<bool>{false}), "value: false");
  EXPECT_EQ(as_bool(res<std::optional<bool>>{std::optional{false}}), "value: false");
  EXPECT_EQ(as_bool(std::make_shared<const bool>(false)), "value: false");
  EXPECT_EQ(as_bool(value_ptr<bool>{}), "absent");
  EXPECT_EQ(as_bool(not_found), "absent");
  EXPECT_EQ(as_bool(down), "error: down");
}

// loaded<V> constructed by hand, as a loader with that return type does.
TEST(ToLoaded, ConstructingFromAWrappedBooleanDoesNotAskWhetherItIsWrapped) {
  const auto built = []<class T>(T answer) -> std::string {
    if constexpr (std::constructible_from<loaded<bool>, T>) return kind<bool>(loaded<bool>(answer), show_bool);
    else return "refused";
  };
  EXPECT_EQ(built(std::shared_ptr<const bool>()), "absent");
  EXPECT_NE(built(std::optional{false}), "value: true");
  EXPECT_NE(built(std::optional<bool>{}), "value: false");
  EXPECT_NE(built(res<bool>{false}), "value: true");
  EXPECT_NE(built(res<bool>{std::unexpected(down)}), "value: false");
}

TEST(ToLoaded, StringsFromTheirRelatives) {
  EXPECT_EQ(as_text("ada"), "value: 'ada'");
  EXPECT_EQ(as_text(static_cast<const char*>("")), "value: ''");
  EXPECT_EQ(as_text(std::string_view("ada")), "value: 'ada'");
  EXPECT_EQ(as_text(std::optional<const char*>{"ada"}), "value: 'ada'");
  EXPECT_EQ(as_text(res<std::string_view>{"ada"}), "value: 'ada'");
}

TEST(ToLoaded, AnOptionalOfTheValueTypeIsAValue) {
  EXPECT_EQ(as_maybe(std::optional<int>{}), "value: none");
  EXPECT_EQ(as_maybe(std::optional{7}), "value: 7");
  EXPECT_EQ(as_maybe(7), "value: 7");
  EXPECT_EQ(as_maybe(res<std::optional<int>>{std::nullopt}), "value: none");
  EXPECT_EQ(as_maybe(std::optional<std::optional<int>>{}), "absent");
  EXPECT_EQ(as_maybe(std::optional<std::optional<int>>{std::optional<int>{}}), "value: none");
  EXPECT_EQ(as_maybe(not_found), "absent");
}

TEST(ToLoaded, Vectors) {
  EXPECT_EQ(as_list(std::vector{1, 2}), "value: [1 2 ]");
  EXPECT_EQ(as_list(std::vector<int>{}), "value: []");
  EXPECT_EQ(as_list(std::optional<std::vector<int>>{}), "absent");
  EXPECT_EQ(as_list(res<std::vector<int>>{std::vector{3}}), "value: [3 ]");
}

TEST(ToLoaded, ValuesAreMovedNotCopied) {
  const auto given = to_loaded<std::unique_ptr<int>>(std::make_unique<int>(7));
  EXPECT_EQ(given.failure(), nullptr);
  auto text = std::make_unique<std::string>(100, 'x');
  const char* const bytes = text->data();
  EXPECT_EQ(to_loaded<std::string>(std::move(*text)).value()->data(), bytes);
}

TEST(Loaded, CarriesOptionsOfItsOwn) {
  const auto given = loaded<int>(7).with({.ttl = 9s});
  EXPECT_EQ(given.options().ttl, 9s);
  EXPECT_FALSE(given.options().no_store);
  EXPECT_FALSE(loaded<int>(7).options().ttl);
  EXPECT_EQ(kind<int>(loaded<int>(not_found).with({.negative_ttl = 1s}), show_int), "absent");
  EXPECT_EQ(to_loaded<int>(loaded<int>(7).with({.ttl = 9s})).options().ttl, 9s);
}

// ---- calling loaders ----

template <class Loader>
loaded<int> call(Loader loader, load_context<int> context = {{}, nullptr, never}) {
  return detail::call_loader<int>(loader, 5, context);
}

TEST(CallLoader, EachFormOfCall) {
  const load_context<int> context{{}, std::make_shared<const int>(3), never};
  EXPECT_EQ(kind<int>(call([](int key) { return 2 * key; }), show_int), "value: 10");
  EXPECT_EQ(kind<int>(call([](const int& key, std::stop_token) { return key; }), show_int), "value: 5");
  const auto adds = [](int key, load_context<int>& with) { return key + *with.previous(); };
  EXPECT_EQ(kind<int>(call(adds, context), show_int), "value: 8");
  const auto any = [](auto key, auto&... rest) { return key + int(sizeof...(rest)); };
  EXPECT_EQ(kind<int>(call(any), show_int), "value: 6") << "the context goes before the plain form";
}

TEST(CallLoader, TheStopTokenIsTheLoadsOwn) {
  std::stop_source stop;
  stop.request_stop();
  const load_context<int> context{stop.get_token(), nullptr, never};
  EXPECT_EQ(kind<int>(call([](int, std::stop_token token) { return int(token.stop_requested()); }, context), show_int),
            "value: 1");
}

TEST(CallLoader, ALoaderIsCalledInPlaceSoItMayKeepState) {
  int calls = 0;
  auto loader = [n = 0, &calls](int) mutable { return calls = ++n; };
  load_context<int> context{{}, nullptr, never};
  EXPECT_EQ(detail::call_loader<int>(loader, 1, context).failure(), nullptr);
  EXPECT_EQ(detail::call_loader<int>(loader, 1, context).failure(), nullptr);
  EXPECT_EQ(calls, 2);
}

TEST(CallLoader, WhatItThrowsBecomesAnError) {
  const auto thrown = [](auto exception) { return *call([&](int) -> int { throw exception; }).failure(); };
  const error range = thrown(std::out_of_range("row 9"));
  EXPECT_EQ(range, errc::loader_failed);
  EXPECT_EQ(range.message(), "the loader threw: row 9");
  EXPECT_THROW(std::rethrow_exception(range.cause()), std::out_of_range);
  const auto refused = boost::system::errc::make_error_code(boost::system::errc::connection_refused);
  const error system = thrown(boost::system::system_error(refused, "connect"));
  EXPECT_EQ(system.code(), refused) << "a loader's own code is kept";
  EXPECT_THROW(std::rethrow_exception(system.cause()), boost::system::system_error);
  const error odd = thrown(42);
  EXPECT_EQ(odd, errc::loader_failed);
  EXPECT_EQ(odd.message(), "the loader threw something that is no std::exception");
  EXPECT_THROW(std::rethrow_exception(odd.cause()), int);
}

TEST(CallLoader, ANullStringIsAnErrorNotACrash) {
  load_context<std::string> context{{}, nullptr, never};
  const auto null = [](int) -> const char* { return nullptr; };
  EXPECT_EQ(*detail::call_loader<std::string>(null, 1, context).failure(), errc::loader_failed);
}

TEST(BoundLoader, OwnsItsLoaderAndSharesIt) {
  const auto token = std::make_shared<int>(4);
  load_context<int> context{{}, nullptr, never};
  EXPECT_FALSE((bound_loader<int, int>{}));
  {
    const bound_loader<int, int> first = [token](int key) { return key * *token; };
    const bound_loader<int, int> copy = first;
    EXPECT_TRUE(copy);
    EXPECT_EQ(token.use_count(), 2);
    EXPECT_EQ(kind<int>(copy(5, context), show_int), "value: 20");
  }
  EXPECT_EQ(token.use_count(), 1);
  const bound_loader<int, int> throws = [](int) -> int { throw std::runtime_error("no"); };
  EXPECT_EQ(throws(1, context).failure()->message(), "the loader threw: no");
}

}  // namespace
}  // namespace seawall
