// lua_scripts: runs the Lua programs that the tier sends, with Lua 5.1 as Redis has it.
#pragma once

#include "reply.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct lua_State;

namespace simulation {

using arguments = std::span<const std::string_view>;

/// What redis.call does.
class script_host {
 public:
  virtual ~script_host() = default;
  virtual reply call(arguments command) = 0;
};

/// Programs are compiled once; which of them a server knows is the server's business. Thread safety: none, one for each
/// thread.
class lua_scripts {
 public:
  using program = std::size_t;

  static lua_scripts& here();

  ~lua_scripts();
  lua_scripts(const lua_scripts&) = delete;
  lua_scripts& operator=(const lua_scripts&) = delete;

  program compile(std::string_view source);
  /// Of a program that was compiled here before, by its digest in hexadecimal.
  std::optional<program> find(std::string_view digest) const;
  reply run(program which, arguments keys, arguments values, script_host& host);

  /// How often programs were run.
  std::size_t runs() const noexcept { return runs_; }

 private:
  lua_scripts();
  static int call_of(lua_State* lua, bool raises);

  lua_State* lua_;
  script_host* host_ = nullptr;
  std::map<std::string, program, std::less<>> by_source_;
  std::map<std::string, program, std::less<>> by_digest_;
  std::vector<int> functions_;  // references in the registry
  std::size_t runs_ = 0;
};

}  // namespace simulation
