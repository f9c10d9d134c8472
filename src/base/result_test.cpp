#include "seawall/base/result.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace seawall {
namespace {

constexpr errc all_codes[] = {errc::timed_out,     errc::load_timed_out,   errc::cancelled, errc::overloaded,
                              errc::recursive_load, errc::loader_failed,    errc::invalid_argument,
                              errc::closed,         errc::undecodable,   errc::too_old};

TEST(Result, EveryCodeHasItsOwnSentenceInOneCategory) {
  std::set<std::string> sentences;
  for (const errc code : all_codes) {
    const boost::system::error_code as_code = code;
    EXPECT_EQ(&as_code.category(), &error_category());
    EXPECT_TRUE(as_code.failed());
    EXPECT_NE(as_code.message(), "unknown seawall error");
    sentences.insert(as_code.message());
  }
  EXPECT_EQ(sentences.size(), std::size(all_codes));
  EXPECT_STREQ(error_category().name(), "seawall");
  EXPECT_EQ(error_category().message(999), "unknown seawall error");
}

TEST(Result, TheMessageGivenGoesBeforeTheCodesOwn) {
  EXPECT_EQ(error(errc::overloaded).message(), "too many loads are running");
  EXPECT_EQ(error(errc::overloaded, "db is full").message(), "db is full");
}

TEST(Result, EqualsItsOwnCodeOnly) {
  const error failure{errc::timed_out};
  EXPECT_TRUE(failure == errc::timed_out);
  EXPECT_FALSE(failure == errc::load_timed_out);
  const boost::system::error_code foreign{static_cast<int>(errc::timed_out), boost::system::generic_category()};
  EXPECT_FALSE(error(foreign) == errc::timed_out) << "the same number in another category is another error";
}

TEST(Result, AForeignCodeIsKept) {
  const auto refused = make_error_code(boost::system::errc::connection_refused);
  EXPECT_EQ(error(refused).code(), refused);
  EXPECT_EQ(error(refused).message(), refused.message());
}

TEST(Result, TheCauseIsTheExceptionItself) {
  EXPECT_EQ(error(errc::closed).cause(), nullptr);
  const error failure{errc::loader_failed, "it threw", std::make_exception_ptr(std::out_of_range("row 9"))};
  EXPECT_THROW(std::rethrow_exception(failure.cause()), std::out_of_range);
}

TEST(Result, FailIsTheFailingSideOfAnyResult) {
  const auto parse = [](bool good) -> result<int> {
    if (!good) return fail(errc::invalid_argument, "no number");
    return 7;
  };
  EXPECT_EQ(parse(true).value(), 7);
  EXPECT_EQ(parse(false).error(), errc::invalid_argument);
  EXPECT_EQ(parse(false).error().message(), "no number");
  const auto nothing = []() -> result<void> { return fail(errc::closed); };
  EXPECT_EQ(nothing().error().message(), "the cache is closed");
}

}  // namespace
}  // namespace seawall
