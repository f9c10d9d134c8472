#include "lua_scripts.hpp"

#include "seawall/cmd/scripting.hpp"

#include <lua.hpp>

#include <array>
#include <cmath>
#include <stdexcept>

namespace simulation {
namespace {

void push_text(lua_State* lua, std::string_view text) { lua_pushlstring(lua, text.data(), text.size()); }

void push_field(lua_State* lua, const char* name, std::string_view text) {
  lua_newtable(lua);
  push_text(lua, text);
  lua_setfield(lua, -2, name);
}

// As Redis turns a RESP2 reply into a Lua value.
void push(lua_State* lua, const reply& what) {
  switch (what.kind) {
    case reply::is::nil: lua_pushboolean(lua, 0); return;
    case reply::is::number: lua_pushnumber(lua, static_cast<lua_Number>(what.number)); return;
    case reply::is::bulk: push_text(lua, what.text); return;
    case reply::is::status: push_field(lua, "ok", what.text); return;
    case reply::is::failure: push_field(lua, "err", what.text); return;
    case reply::is::list:
      lua_newtable(lua);
      for (std::size_t i = 0; i < what.items.size(); ++i) {
        push(lua, what.items[i]);
        lua_rawseti(lua, -2, static_cast<int>(i + 1));
      }
  }
}

std::string text_at(lua_State* lua, int index) {
  std::size_t size = 0;
  const char* text = lua_tolstring(lua, index, &size);
  return text ? std::string(text, size) : std::string{};
}

bool has_field(lua_State* lua, const char* name) {
  lua_getfield(lua, -1, name);
  if (lua_isstring(lua, -1)) return true;
  lua_pop(lua, 1);
  return false;
}

// As Redis turns what a program returns into a reply; takes it from the stack.
reply pop(lua_State* lua) {
  reply made;
  switch (lua_type(lua, -1)) {
    case LUA_TSTRING: made = reply::bulk(text_at(lua, -1)); break;
    case LUA_TNUMBER: made = reply::of(static_cast<std::int64_t>(std::trunc(lua_tonumber(lua, -1)))); break;
    case LUA_TBOOLEAN:
      if (lua_toboolean(lua, -1)) made = reply::of(1);
      break;
    case LUA_TTABLE:
      if (has_field(lua, "err")) {
        made = reply::failure(text_at(lua, -1));
        lua_pop(lua, 1);
      } else if (has_field(lua, "ok")) {
        made = reply::status(text_at(lua, -1));
        lua_pop(lua, 1);
      } else {
        made.kind = reply::is::list;
        for (int i = 1;; ++i) {
          lua_rawgeti(lua, -1, i);
          if (lua_isnil(lua, -1)) break;
          made.items.push_back(pop(lua));
        }
        lua_pop(lua, 1);
      }
      break;
    default: break;
  }
  lua_pop(lua, 1);
  return made;
}

lua_scripts* of_state(lua_State* lua) {
  lua_getfield(lua, LUA_REGISTRYINDEX, "simulation");
  auto* const self = static_cast<lua_scripts*>(lua_touserdata(lua, -1));
  lua_pop(lua, 1);
  return self;
}

int error_reply(lua_State* lua) {
  lua_newtable(lua);
  lua_pushvalue(lua, 1);
  lua_setfield(lua, -2, "err");
  return 1;
}

// Of a text, as the digest of a program is.
int sha1hex(lua_State* lua) {
  {
    const seawall::cmd::script hashed{text_at(lua, 1)};
    push_text(lua, hashed.digest());
  }
  return 1;
}

void set_texts(lua_State* lua, const char* name, arguments texts) {
  lua_newtable(lua);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    push_text(lua, texts[i]);
    lua_rawseti(lua, -2, static_cast<int>(i + 1));
  }
  lua_setglobal(lua, name);
}

}  // namespace

lua_scripts& lua_scripts::here() {
  thread_local lua_scripts mine;
  return mine;
}

lua_scripts::lua_scripts() : lua_(luaL_newstate()) {
  luaL_openlibs(lua_);
  lua_pushlightuserdata(lua_, this);
  lua_setfield(lua_, LUA_REGISTRYINDEX, "simulation");
  lua_newtable(lua_);
  lua_pushcfunction(lua_, [](lua_State* lua) { return call_of(lua, true); });
  lua_setfield(lua_, -2, "call");
  lua_pushcfunction(lua_, [](lua_State* lua) { return call_of(lua, false); });
  lua_setfield(lua_, -2, "pcall");
  lua_pushcfunction(lua_, error_reply);
  lua_setfield(lua_, -2, "error_reply");
  lua_pushcfunction(lua_, sha1hex);
  lua_setfield(lua_, -2, "sha1hex");
  lua_pushcfunction(lua_, [](lua_State* lua) {
    lua_pushboolean(lua, 1);
    return 1;
  });
  lua_setfield(lua_, -2, "replicate_commands");
  lua_setglobal(lua_, "redis");
}

lua_scripts::~lua_scripts() { lua_close(lua_); }

// Lua leaves by longjmp: nothing with a destructor may be alive when it does.
int lua_scripts::call_of(lua_State* lua, bool raises) {
  bool failed = false;
  {
    std::array<std::string_view, 16> words;
    const auto count = static_cast<std::size_t>(lua_gettop(lua));
    for (std::size_t i = 0; i < count && i < words.size(); ++i) {
      std::size_t size = 0;
      const char* text = lua_tolstring(lua, static_cast<int>(i + 1), &size);
      words[i] = text ? std::string_view(text, size) : std::string_view{};
    }
    const reply came = of_state(lua)->host_->call(arguments{words.data(), std::min(count, words.size())});
    failed = came.kind == reply::is::failure;
    push(lua, came);
  }
  return failed && raises ? lua_error(lua) : 1;
}

lua_scripts::program lua_scripts::compile(std::string_view source) {
  const auto known = by_source_.find(source);
  if (known != by_source_.end()) return known->second;
  if (luaL_loadbuffer(lua_, source.data(), source.size(), "@user_script") != 0) {
    throw std::runtime_error("a script does not compile: " + text_at(lua_, -1));
  }
  const program made = functions_.size();
  functions_.push_back(luaL_ref(lua_, LUA_REGISTRYINDEX));
  by_source_.emplace(source, made);
  by_digest_.emplace(seawall::cmd::script{std::string(source)}.digest(), made);
  return made;
}

std::optional<lua_scripts::program> lua_scripts::find(std::string_view digest) const {
  const auto known = by_digest_.find(digest);
  if (known == by_digest_.end()) return std::nullopt;
  return known->second;
}

reply lua_scripts::run(program which, arguments keys, arguments values, script_host& host) {
  ++runs_;
  set_texts(lua_, "KEYS", keys);
  set_texts(lua_, "ARGV", values);
  lua_rawgeti(lua_, LUA_REGISTRYINDEX, functions_[which]);
  script_host* const outer = std::exchange(host_, &host);
  const int failed = lua_pcall(lua_, 0, 1, 0);
  host_ = outer;
  if (failed == 0) return pop(lua_);
  if (lua_istable(lua_, -1)) return pop(lua_);  // of redis.call
  reply made = reply::failure("ERR " + text_at(lua_, -1));
  lua_pop(lua_, 1);
  return made;
}

}  // namespace simulation
