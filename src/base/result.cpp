#include "seawall/base/result.hpp"

namespace seawall {
namespace {

class category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "seawall"; }

  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::timed_out: return "the caller's deadline passed";
      case errc::load_timed_out: return "the load ran longer than its deadline";
      case errc::cancelled: return "the operation was cancelled";
      case errc::overloaded: return "too many loads are running";
      case errc::recursive_load: return "a loader asked the cache for the key it is loading";
      case errc::loader_failed: return "the loader failed";
      case errc::invalid_argument: return "invalid argument";
      case errc::closed: return "the cache is closed";
      case errc::undecodable: return "the bytes are not an encoded value of the type";
      case errc::too_old: return "the source answered with an older version than was asked for";
    }
    return "unknown seawall error";
  }
};

}  // namespace

const boost::system::error_category& error_category() noexcept {
  static const category instance;
  return instance;
}

}  // namespace seawall
