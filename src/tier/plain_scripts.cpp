#include "plain_scripts.hpp"

namespace seawall::tier {

const cmd::script& plain_claim_script() {
  static const cmd::script program{R"lua(
local lease = redis.call('GET', KEYS[2])
if lease and not ARGV[4]:find(lease:sub(1, 12), 1, true) then return 0 end
local there = redis.call('GET', KEYS[1])
if there and ARGV[3] ~= '1' then return 0 end
redis.call('SET', KEYS[2], ARGV[1] .. (there and redis.sha1hex(there) or ''), 'PX', ARGV[2])
return 1
)lua"};
  return program;
}

// The value before the lease's end: a server that is out of memory refuses a program's first write only.
const cmd::script& plain_fill_script() {
  static const cmd::script program{R"lua(
local lease = redis.call('GET', KEYS[2]) or ''
if lease:sub(1, 12) ~= ARGV[1] then return 0 end
local there = redis.call('GET', KEYS[1])
local same_reign = lease:sub(13, 20) == redis.call('GETRANGE', KEYS[3], 0, 7)
local as_seen = lease:sub(21) == (there and redis.sha1hex(there) or '')
if same_reign and as_seen then
  if ARGV[3] == '0' then redis.call('SET', KEYS[1], ARGV[2])
  else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
end
redis.call('DEL', KEYS[2])
return (same_reign and as_seen) and 1 or 0
)lua"};
  return program;
}

const cmd::script& plain_release_script() {
  static const cmd::script program{R"lua(
local lease = redis.call('GET', KEYS[1])
if lease and lease:sub(1, 12) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
)lua"};
  return program;
}

}  // namespace seawall::tier
