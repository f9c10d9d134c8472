#include "seawall/resp/error.hpp"

namespace seawall::resp {
namespace {

class category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "seawall.resp"; }

  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::protocol: return "the server sent what is not RESP";
      case errc::limit: return "a reply exceeds a limit";
    }
    return "unknown RESP error";
  }
};

}  // namespace

const boost::system::error_category& error_category() noexcept {
  static const category instance;
  return instance;
}

}  // namespace seawall::resp
