#include "scripts.hpp"

#include <string>

namespace seawall::tier {
namespace {

// `h` is what is there. In a program, numbers as text: the server would have to print them first.
const std::string look = R"lua(
local h = redis.call('GETRANGE', KEYS[1], '0', '47')
)lua";

// Fields of a header in Lua, where the first byte has the index 1.
const std::string header_functions = R"lua(
local function kind(h) return h:sub(3, 3) end
local function nonce(h) return h:sub(5, 16) end
local function reign(h) return h:sub(17, 24) end
local function version(h) return h:sub(25, 32) end
local function ours(h, like) return #h == 48 and h:sub(1, 2) == like:sub(1, 2) end
local function less(a, b)
  for i = 1, 8 do
    local x, y = a:byte(i), b:byte(i)
    if x ~= y then return x < y end
  end
  return false
end
local function store(key, bytes, ms)
  if ms == '0' then redis.call('SET', key, bytes) else redis.call('SET', key, bytes, 'PX', ms) end
end
local none = string.rep('\0', 8)
)lua";

}  // namespace

const cmd::script& beat_script() {
  // The record: 8 bytes reign, the server's run_id and its replication id. Servers before Redis 7 want to be told that
  // a program which writes what it learned (INFO) is to be replicated by its effects. The GET behind the SET makes the
  // server tell of the next change.
  static const cmd::script program{R"lua(
if redis.replicate_commands then redis.replicate_commands() end
local about = redis.call('INFO', 'replication')
local function field(text, name) return text:match('[\r\n]' .. name .. ':([^\r\n]*)') or '' end
if field(about, 'role') ~= 'master' then
  return redis.error_reply('READONLY this server is not a primary')
end
local run = field(redis.call('INFO', 'server'), 'run_id')
local id, earlier = field(about, 'master_replid'), field(about, 'master_replid2')
local record = redis.call('GET', KEYS[1]) or ''
local same_process = #record >= 8 and record:sub(9, 8 + #run) == run
local same_id = record:sub(9 + #run) == id
local reign = record:sub(1, 8)
if not same_process or (not same_id and earlier:find('[^0]')) then reign = ARGV[1] end
if reign .. run .. id ~= record then
  redis.call('DEL', KEYS[1])
  redis.call('SET', KEYS[1], reign .. run .. id)
  redis.call('GET', KEYS[1])
end
local now = redis.call('TIME')
local history = earlier:find('[^0]') and id or ''
return {reign, tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000), history}
)lua"};
  return program;
}

const cmd::script& takeover_script() {
  static const cmd::script program{look + header_functions + R"lua(
if h ~= ARGV[1] then return 0 end
local lease = ARGV[2]
if ours(h, lease) then lease = lease:sub(1, 24) .. version(h) .. lease:sub(33) end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], lease, 'PX', ARGV[3])
return 1
)lua"};
  return program;
}

const cmd::script& fill_script() {
  // First the usual case: the very lease, of this reign and without a floor. It needs no functions, which cost the
  // server more than the rest. Over an entry, an entry without a version is no older: nothing has happened to the key
  // since it was seen.
  static const cmd::script program{look + R"lua(
if h == ARGV[1] and ARGV[3] ~= '0' then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return 1
end
)lua" + header_functions + R"lua(
local entry = ARGV[2]
if not ours(h, entry) or nonce(h) ~= nonce(ARGV[1]) or reign(h) ~= reign(entry) or kind(h) == 'T' then return 0 end
local versionless = kind(h) ~= 'L' and version(entry) == none
if not versionless and less(version(entry), version(h)) then return -1 end
store(KEYS[1], entry, ARGV[3])
return 1
)lua"};
  return program;
}

const cmd::script& put_script() {
  static const cmd::script program{look + header_functions + R"lua(
local entry = ARGV[1]
if h == '' then
  redis.call('DEL', KEYS[1]) -- nothing, but a replica refuses it: only a primary knows that there is nothing to replace
  return 0
end
local what = ours(h, entry) and kind(h) or ''
if what == 'L' or what == 'T' then
  if less(version(h), version(entry)) then
    local done = redis.pcall('SETRANGE', KEYS[1], 24, version(entry))
    if type(done) == 'table' and done.err then redis.call('DEL', KEYS[1]) end
  end
  return 0
end
if (what == 'V' or what == 'N') and version(h) ~= none and not less(version(h), version(entry)) then return 0 end
redis.call('DEL', KEYS[1])
if what == '' or version(h) == none or reign(h) ~= reign(entry) then return 0 end
store(KEYS[1], entry, ARGV[2])
return 1
)lua"};
  return program;
}

const cmd::script& release_script() {
  static const cmd::script program{look + header_functions + R"lua(
if #h == 48 and kind(h) == 'L' and nonce(h) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
)lua"};
  return program;
}

const cmd::script& unlock_script() {
  static const cmd::script program{R"lua(
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
)lua"};
  return program;
}

}  // namespace seawall::tier
