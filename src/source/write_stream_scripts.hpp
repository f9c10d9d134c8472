// The scripts of write_stream.hpp.
#pragma once

#include <string_view>

namespace seawall::source::scripts {

// KEYS lease fence writes, ARGV mine owner milliseconds group. Answers the lease, empty if another has it, and whether
// the group was made. On another server process (a failover, a restart) one's own lease is given anew: what was settled
// under it last may not have come there.
inline constexpr std::string_view hold = R"lua(
local held = redis.call('GET', KEYS[1])
local run = redis.call('INFO', 'server'):match('run_id:(%x+)') or ''
if held and held ~= ARGV[1] then return {'', 0} end
if held and held:sub(-#run - 1) == '@' .. run then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return {held, 0}
end
local now = redis.call('TIME')
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local token = string.format('%.0f', math.max(last + 1, now[1] * 1000 + math.floor(now[2] / 1000)))
local mine = token .. ':' .. ARGV[2] .. '@' .. run
local made = redis.pcall('XGROUP', 'CREATE', KEYS[3], ARGV[4], '0', 'MKSTREAM')
if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then return made end
redis.call('SET', KEYS[2], token)
redis.call('SET', KEYS[1], mine, 'PX', ARGV[3])
return {mine, made.err and 0 or 1}
)lua";

// KEYS lease, ARGV mine.
inline constexpr std::string_view release = R"lua(
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
)lua";

// KEYS lease writes, ARGV mine group count after. Answers an array of the entries, or an empty one: the lease is lost.
inline constexpr std::string_view read = R"lua(
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {} end
local found = redis.call('XREADGROUP', 'GROUP', ARGV[2], ARGV[2], 'COUNT', ARGV[3], 'STREAMS', KEYS[2], ARGV[4])
return {found and found[1][2] or {}}
)lua";

// Takes entries out, and keeps a dead letter if `sequence` is one. KEYS lease writes dead, ARGV mine group sequence
// record most id... Answers 1, or -1: the lease is lost, or 0: `most` dead letters are kept.
inline constexpr std::string_view settle = R"lua(
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
if ARGV[3] ~= '' then
  local known = redis.call('HEXISTS', KEYS[3], ARGV[3]) == 1
  if not known and redis.call('HLEN', KEYS[3]) >= tonumber(ARGV[5]) then return 0 end
  redis.call('HSET', KEYS[3], ARGV[3], ARGV[4])
end
for i = 6, #ARGV, 500 do
  local last = math.min(i + 499, #ARGV)
  redis.call('XACK', KEYS[2], ARGV[2], unpack(ARGV, i, last))
  redis.call('XDEL', KEYS[2], unpack(ARGV, i, last))
end
return 1
)lua";

// KEYS writes, ARGV id... Answers the places, from 1, of those that are not there.
inline constexpr std::string_view gone = R"lua(
local places = {}
for i = 1, #ARGV do
  if #redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i]) == 0 then places[#places + 1] = i end
end
return places
)lua";

}  // namespace seawall::source::scripts
