// known_commands: what Seawall knows of the commands of Redis 7.0, of those that Redis 7.2 to 8.4 and Valkey 8 to 9
// added, and of Sentinel. Part of table.hpp.
// Sources: the answer of Redis to COMMAND for keys and reads; the commands' pages for what a second run does.
#pragma once

#include "seawall/cmd/request.hpp"

#include <cstdint>
#include <string_view>

namespace seawall::cmd::detail {

/// A command by its name in upper case; a subcommand is "CONFIG GET".
struct known_command {
  std::string_view name;
  cmd::traits about;
};

namespace rows {

constexpr traits with(effect what, int first, int last, int step, int count_at) {
  traits made;
  made.effect = what;
  made.first_key = static_cast<std::uint8_t>(first);
  made.last_key = static_cast<std::int8_t>(last == 0 ? first : last);
  made.key_step = static_cast<std::uint8_t>(step);
  made.count_at = static_cast<std::uint8_t>(count_at);
  return made;
}

constexpr traits read(int first = 0, int last = 0, int step = 1, int count_at = 0) {
  return with(effect::read, first, last, step, count_at);
}
constexpr traits last(int first = 0, int last = 0, int step = 1, int count_at = 0) {
  return with(effect::write_last, first, last, step, count_at);
}
constexpr traits once(int first = 0, int last = 0, int step = 1, int count_at = 0) {
  return with(effect::write_once, first, last, step, count_at);
}
constexpr traits admin(int first = 0, int last = 0) { return with(effect::admin, first, last, 1, 0); }

constexpr traits blocks(traits about) {
  about.blocking = true;
  return about;
}
constexpr traits state(traits about) {
  about.connection_state = true;
  return about;
}
constexpr traits split(traits about) {
  about.splittable = true;
  return about;
}

// Sorted by name. A command whose effect depends on its options has the effect of the most careful reading, except SET,
// ZADD and GETEX: their functions know the options, and `traits_of_arguments` looks for them.
// clang-format off
inline constexpr known_command all[] = {
    {"ACL", admin()}, {"ACL CAT", read()}, {"ACL DELUSER", admin()}, {"ACL DRYRUN", read()}, {"ACL GENPASS", read()},
    {"ACL GETUSER", read()}, {"ACL HELP", read()}, {"ACL LIST", read()}, {"ACL LOAD", admin()}, {"ACL LOG", admin()},
    {"ACL SAVE", admin()}, {"ACL SETUSER", admin()}, {"ACL USERS", read()}, {"ACL WHOAMI", read()},
    {"APPEND", once(1)}, {"ASKING", state(admin())}, {"AUTH", state(admin())}, {"BGREWRITEAOF", admin()},
    {"BGSAVE", admin()}, {"BITCOUNT", read(1)}, {"BITFIELD", once(1)}, {"BITFIELD_RO", read(1)},
    {"BITOP", once(2, -1)}, {"BITPOS", read(1)}, {"BLMOVE", blocks(once(1, 2))}, {"BLMPOP", blocks(once(3, 3, 1, 2))},
    {"BLPOP", blocks(once(1, -2))}, {"BRPOP", blocks(once(1, -2))}, {"BRPOPLPUSH", blocks(once(1, 2))},
    {"BZMPOP", blocks(once(3, 3, 1, 2))}, {"BZPOPMAX", blocks(once(1, -2))}, {"BZPOPMIN", blocks(once(1, -2))},
    {"CLIENT", admin()}, {"CLIENT CACHING", state(admin())}, {"CLIENT CAPA", state(admin())},
    {"CLIENT GETNAME", read()}, {"CLIENT GETREDIR", read()}, {"CLIENT HELP", read()}, {"CLIENT ID", read()},
    {"CLIENT IMPORT-SOURCE", state(admin())}, {"CLIENT INFO", read()}, {"CLIENT KILL", admin()},
    {"CLIENT LIST", read()}, {"CLIENT NO-EVICT", state(admin())}, {"CLIENT NO-TOUCH", state(admin())},
    {"CLIENT PAUSE", admin()}, {"CLIENT REPLY", state(admin())}, {"CLIENT SETINFO", state(admin())},
    {"CLIENT SETNAME", state(admin())}, {"CLIENT TRACKING", state(admin())}, {"CLIENT TRACKINGINFO", read()},
    {"CLIENT UNBLOCK", admin()}, {"CLIENT UNPAUSE", admin()}, {"CLUSTER", admin()}, {"CLUSTER ADDSLOTS", admin()},
    {"CLUSTER ADDSLOTSRANGE", admin()}, {"CLUSTER BUMPEPOCH", admin()}, {"CLUSTER CANCELSLOTMIGRATIONS", admin()},
    {"CLUSTER COUNT-FAILURE-REPORTS", read()}, {"CLUSTER COUNTKEYSINSLOT", read()}, {"CLUSTER DELSLOTS", admin()},
    {"CLUSTER DELSLOTSRANGE", admin()}, {"CLUSTER FAILOVER", admin()}, {"CLUSTER FLUSHSLOT", admin()},
    {"CLUSTER FLUSHSLOTS", admin()}, {"CLUSTER FORGET", admin()}, {"CLUSTER GETKEYSINSLOT", read()},
    {"CLUSTER GETSLOTMIGRATIONS", read()}, {"CLUSTER HELP", read()}, {"CLUSTER INFO", read()},
    {"CLUSTER KEYSLOT", read()}, {"CLUSTER LINKS", read()}, {"CLUSTER MEET", admin()},
    {"CLUSTER MIGRATESLOTS", admin()}, {"CLUSTER MIGRATION", admin()}, {"CLUSTER MYID", read()},
    {"CLUSTER MYSHARDID", read()}, {"CLUSTER NODES", read()}, {"CLUSTER REPLICAS", read()},
    {"CLUSTER REPLICATE", admin()}, {"CLUSTER RESET", admin()}, {"CLUSTER SAVECONFIG", admin()},
    {"CLUSTER SET-CONFIG-EPOCH", admin()}, {"CLUSTER SETSLOT", admin()}, {"CLUSTER SHARDS", read()},
    {"CLUSTER SLAVES", read()}, {"CLUSTER SLOT-STATS", read()}, {"CLUSTER SLOTS", read()},
    {"CLUSTER SYNCSLOTS", admin()}, {"CLUSTERSCAN", read(1)}, {"COMMAND", read()}, {"COMMAND COUNT", read()},
    {"COMMAND DOCS", read()}, {"COMMAND GETKEYS", read()}, {"COMMAND GETKEYSANDFLAGS", read()},
    {"COMMAND HELP", read()}, {"COMMAND INFO", read()}, {"COMMAND LIST", read()}, {"COMMANDLOG", admin()},
    {"COMMANDLOG GET", read()}, {"COMMANDLOG HELP", read()}, {"COMMANDLOG LEN", read()},
    {"COMMANDLOG RESET", admin()}, {"CONFIG", admin()},
    {"CONFIG GET", read()}, {"CONFIG HELP", read()}, {"CONFIG RESETSTAT", admin()}, {"CONFIG REWRITE", admin()},
    {"CONFIG SET", admin()}, {"COPY", once(1, 2)}, {"DBSIZE", read()}, {"DEBUG", admin()}, {"DECR", once(1)},
    {"DECRBY", once(1)}, {"DEL", split(last(1, -1))}, {"DELEX", once(1)}, {"DELIFEQ", once(1)}, {"DIGEST", read(1)},
    {"DISCARD", state(admin())}, {"DUMP", read(1)}, {"ECHO", read()}, {"EVAL", once(3, 3, 1, 2)},
    {"EVALSHA", once(3, 3, 1, 2)}, {"EVALSHA_RO", read(3, 3, 1, 2)}, {"EVAL_RO", read(3, 3, 1, 2)},
    {"EXEC", state(once())}, {"EXISTS", split(read(1, -1))}, {"EXPIRE", last(1)}, {"EXPIREAT", last(1)},
    {"EXPIRETIME", read(1)}, {"FAILOVER", admin()}, {"FCALL", once(3, 3, 1, 2)}, {"FCALL_RO", read(3, 3, 1, 2)},
    {"FLUSHALL", admin()}, {"FLUSHDB", admin()}, {"FUNCTION", admin()}, {"FUNCTION DELETE", last()},
    {"FUNCTION DUMP", read()}, {"FUNCTION FLUSH", admin()}, {"FUNCTION HELP", read()}, {"FUNCTION KILL", admin()},
    {"FUNCTION LIST", read()}, {"FUNCTION LOAD", once()}, {"FUNCTION RESTORE", admin()}, {"FUNCTION STATS", read()},
    {"GEOADD", last(1)}, {"GEODIST", read(1)}, {"GEOHASH", read(1)}, {"GEOPOS", read(1)}, {"GEORADIUS", last(1)},
    {"GEORADIUSBYMEMBER", last(1)}, {"GEORADIUSBYMEMBER_RO", read(1)}, {"GEORADIUS_RO", read(1)},
    {"GEOSEARCH", read(1)}, {"GEOSEARCHSTORE", last(1, 2)}, {"GET", read(1)}, {"GETBIT", read(1)},
    {"GETDEL", once(1)}, {"GETEX", last(1)}, {"GETRANGE", read(1)}, {"GETSET", once(1)}, {"HDEL", last(1)},
    {"HELLO", state(admin())}, {"HEXISTS", read(1)}, {"HEXPIRE", last(1)}, {"HEXPIREAT", last(1)},
    {"HEXPIRETIME", read(1)}, {"HGET", read(1)}, {"HGETALL", read(1)}, {"HGETDEL", once(1)}, {"HGETEX", last(1)},
    {"HINCRBY", once(1)}, {"HINCRBYFLOAT", once(1)}, {"HKEYS", read(1)}, {"HLEN", read(1)}, {"HMGET", read(1)},
    {"HMSET", last(1)}, {"HPERSIST", last(1)}, {"HPEXPIRE", last(1)}, {"HPEXPIREAT", last(1)},
    {"HPEXPIRETIME", read(1)}, {"HPTTL", read(1)}, {"HRANDFIELD", read(1)}, {"HSCAN", read(1)}, {"HSET", last(1)},
    {"HSETEX", last(1)}, {"HSETNX", once(1)}, {"HSTRLEN", read(1)}, {"HTTL", read(1)}, {"HVALS", read(1)},
    {"INCR", once(1)}, {"INCRBY", once(1)}, {"INCRBYFLOAT", once(1)}, {"INFO", read()}, {"KEYS", read()},
    {"LASTSAVE", read()}, {"LATENCY", admin()}, {"LATENCY DOCTOR", read()}, {"LATENCY GRAPH", read()},
    {"LATENCY HELP", read()}, {"LATENCY HISTOGRAM", read()}, {"LATENCY HISTORY", read()}, {"LATENCY LATEST", read()},
    {"LATENCY RESET", admin()}, {"LCS", read(1, 2)}, {"LINDEX", read(1)}, {"LINSERT", once(1)}, {"LLEN", read(1)},
    {"LMOVE", once(1, 2)}, {"LMPOP", once(2, 2, 1, 1)}, {"LOLWUT", read()}, {"LPOP", once(1)}, {"LPOS", read(1)},
    {"LPUSH", once(1)}, {"LPUSHX", once(1)}, {"LRANGE", read(1)}, {"LREM", once(1)}, {"LSET", last(1)},
    {"LTRIM", once(1)}, {"MEMORY", admin()}, {"MEMORY DOCTOR", read()}, {"MEMORY HELP", read()},
    {"MEMORY MALLOC-STATS", read()}, {"MEMORY PURGE", admin()}, {"MEMORY STATS", read()}, {"MEMORY USAGE", read(2)},
    {"MGET", split(read(1, -1))}, {"MIGRATE", admin(3)}, {"MODULE", admin()}, {"MODULE HELP", read()},
    {"MODULE LIST", read()}, {"MODULE LOAD", admin()}, {"MODULE LOADEX", admin()}, {"MODULE UNLOAD", admin()},
    {"MONITOR", state(admin())}, {"MOVE", once(1)}, {"MSET", split(last(1, -1, 2))}, {"MSETEX", last(2, -1, 2, 1)},
    {"MSETNX", once(1, -1, 2)}, {"MULTI", state(admin())}, {"OBJECT", admin()}, {"OBJECT ENCODING", read(2)},
    {"OBJECT FREQ", read(2)}, {"OBJECT HELP", read()}, {"OBJECT IDLETIME", read(2)}, {"OBJECT REFCOUNT", read(2)},
    {"PERSIST", last(1)}, {"PEXPIRE", last(1)}, {"PEXPIREAT", last(1)}, {"PEXPIRETIME", read(1)}, {"PFADD", last(1)},
    {"PFCOUNT", read(1, -1)}, {"PFDEBUG", admin(2)}, {"PFMERGE", last(1, -1)}, {"PFSELFTEST", admin()},
    {"PING", read()}, {"PSETEX", last(1)}, {"PSUBSCRIBE", state(admin())}, {"PSYNC", state(admin())},
    {"PTTL", read(1)}, {"PUBLISH", once()}, {"PUBSUB", admin()}, {"PUBSUB CHANNELS", read()}, {"PUBSUB HELP", read()},
    {"PUBSUB NUMPAT", read()}, {"PUBSUB NUMSUB", read()}, {"PUBSUB SHARDCHANNELS", read()},
    {"PUBSUB SHARDNUMSUB", read()}, {"PUNSUBSCRIBE", state(admin())}, {"QUIT", state(admin())}, {"RANDOMKEY", read()},
    {"READONLY", state(admin())}, {"READWRITE", state(admin())}, {"RENAME", once(1, 2)}, {"RENAMENX", once(1, 2)},
    {"REPLCONF", state(admin())}, {"REPLICAOF", admin()}, {"RESET", state(admin())}, {"RESTORE", once(1)},
    {"RESTORE-ASKING", admin(1)}, {"ROLE", read()}, {"RPOP", once(1)}, {"RPOPLPUSH", once(1, 2)}, {"RPUSH", once(1)},
    {"RPUSHX", once(1)}, {"SADD", last(1)}, {"SAVE", admin()}, {"SCAN", read()}, {"SCARD", read(1)},
    {"SCRIPT", admin()}, {"SCRIPT DEBUG", state(admin())}, {"SCRIPT EXISTS", read()}, {"SCRIPT FLUSH", admin()},
    {"SCRIPT HELP", read()}, {"SCRIPT KILL", admin()}, {"SCRIPT LOAD", last()}, {"SCRIPT SHOW", read()},
    {"SDIFF", read(1, -1)}, {"SDIFFSTORE", last(1, -1)}, {"SELECT", state(admin())}, {"SENTINEL", admin()},
    {"SENTINEL CKQUORUM", read()}, {"SENTINEL FAILOVER", admin()}, {"SENTINEL GET-MASTER-ADDR-BY-NAME", read()},
    {"SENTINEL MASTER", read()}, {"SENTINEL MASTERS", read()}, {"SENTINEL MONITOR", admin()},
    {"SENTINEL MYID", read()}, {"SENTINEL REMOVE", admin()}, {"SENTINEL REPLICAS", read()},
    {"SENTINEL RESET", admin()}, {"SENTINEL SENTINELS", read()}, {"SENTINEL SET", admin()},
    {"SENTINEL SLAVES", read()}, {"SET", last(1)}, {"SETBIT", once(1)}, {"SETEX", last(1)}, {"SETNX", once(1)},
    {"SETRANGE", last(1)}, {"SHUTDOWN", admin()}, {"SINTER", read(1, -1)}, {"SINTERCARD", read(2, 2, 1, 1)},
    {"SINTERSTORE", last(1, -1)}, {"SISMEMBER", read(1)}, {"SLAVEOF", admin()}, {"SLOWLOG", admin()},
    {"SLOWLOG GET", read()}, {"SLOWLOG HELP", read()}, {"SLOWLOG LEN", read()}, {"SLOWLOG RESET", admin()},
    {"SMEMBERS", read(1)}, {"SMISMEMBER", read(1)}, {"SMOVE", once(1, 2)}, {"SORT", once(1)}, {"SORT_RO", read(1)},
    {"SPOP", once(1)}, {"SPUBLISH", once(1)}, {"SRANDMEMBER", read(1)}, {"SREM", last(1)}, {"SSCAN", read(1)},
    {"SSUBSCRIBE", state(admin(1, -1))}, {"STRLEN", read(1)}, {"SUBSCRIBE", state(admin())}, {"SUBSTR", read(1)},
    {"SUNION", read(1, -1)}, {"SUNIONSTORE", last(1, -1)}, {"SUNSUBSCRIBE", state(admin(1, -1))}, {"SWAPDB", admin()},
    {"SYNC", state(admin())}, {"TIME", read()}, {"TOUCH", split(read(1, -1))}, {"TTL", read(1)}, {"TYPE", read(1)},
    {"UNLINK", split(last(1, -1))}, {"UNSUBSCRIBE", state(admin())}, {"UNWATCH", state(admin())}, {"VADD", once(1)},
    {"VCARD", read(1)}, {"VDIM", read(1)}, {"VEMB", read(1)}, {"VGETATTR", read(1)}, {"VINFO", read(1)},
    {"VISMEMBER", read(1)}, {"VLINKS", read(1)}, {"VRANDMEMBER", read(1)}, {"VRANGE", read(1)}, {"VREM", last(1)},
    {"VSETATTR", last(1)}, {"VSIM", read(1)}, {"WAIT", admin()}, {"WAITAOF", admin()}, {"WATCH", state(admin(1, -1))},
    {"XACK", last(1)}, {"XACKDEL", once(1)}, {"XADD", once(1)}, {"XAUTOCLAIM", once(1)}, {"XCLAIM", once(1)},
    {"XDEL", last(1)}, {"XDELEX", last(1)}, {"XGROUP", admin()}, {"XGROUP CREATE", once(2)},
    {"XGROUP CREATECONSUMER", last(2)}, {"XGROUP DELCONSUMER", once(2)}, {"XGROUP DESTROY", last(2)},
    {"XGROUP HELP", read()}, {"XGROUP SETID", last(2)}, {"XINFO", admin()}, {"XINFO CONSUMERS", read(2)},
    {"XINFO GROUPS", read(2)}, {"XINFO HELP", read()}, {"XINFO STREAM", read(2)}, {"XLEN", read(1)},
    {"XPENDING", read(1)}, {"XRANGE", read(1)}, {"XREAD", blocks(read())}, {"XREADGROUP", blocks(once())},
    {"XREVRANGE", read(1)}, {"XSETID", last(1)}, {"XTRIM", last(1)}, {"ZADD", last(1)}, {"ZCARD", read(1)},
    {"ZCOUNT", read(1)}, {"ZDIFF", read(2, 2, 1, 1)}, {"ZDIFFSTORE", once(1, 1, 1, 2)}, {"ZINCRBY", once(1)},
    {"ZINTER", read(2, 2, 1, 1)}, {"ZINTERCARD", read(2, 2, 1, 1)}, {"ZINTERSTORE", once(1, 1, 1, 2)},
    {"ZLEXCOUNT", read(1)}, {"ZMPOP", once(2, 2, 1, 1)}, {"ZMSCORE", read(1)}, {"ZPOPMAX", once(1)},
    {"ZPOPMIN", once(1)}, {"ZRANDMEMBER", read(1)}, {"ZRANGE", read(1)}, {"ZRANGEBYLEX", read(1)},
    {"ZRANGEBYSCORE", read(1)}, {"ZRANGESTORE", last(1, 2)}, {"ZRANK", read(1)}, {"ZREM", last(1)},
    {"ZREMRANGEBYLEX", last(1)}, {"ZREMRANGEBYRANK", once(1)}, {"ZREMRANGEBYSCORE", last(1)}, {"ZREVRANGE", read(1)},
    {"ZREVRANGEBYLEX", read(1)}, {"ZREVRANGEBYSCORE", read(1)}, {"ZREVRANK", read(1)}, {"ZSCAN", read(1)},
    {"ZSCORE", read(1)}, {"ZUNION", read(2, 2, 1, 1)}, {"ZUNIONSTORE", once(1, 1, 1, 2)},
};
// clang-format on

}  // namespace rows
}  // namespace seawall::cmd::detail
