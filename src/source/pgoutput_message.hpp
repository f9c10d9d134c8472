// What PostgreSQL's output plugin pgoutput says of changed rows, protocol version 1. A parser without input or output.
// Source: PostgreSQL's manual, chapter "Logical Replication Message Formats". Views point into the bytes given.
#pragma once

#include "seawall/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace seawall::postgres::pgoutput {

/// A place in the write-ahead log, in bytes.
using lsn = std::uint64_t;

/// The way psql shows one: "16/B374D848".
std::string text_of(lsn place);

/// A table has fewer (1,600); more are an error.
inline constexpr std::size_t max_columns = 2'000;

/// A transaction's changes follow, up to its commit.
struct begin {
  lsn final = 0;           ///< Where its commit is.
  std::int64_t time = 0;   ///< Microseconds since 2000-01-01, by the server's clock.
  std::uint32_t xid = 0;
};

struct commit {
  lsn at = 0;
  lsn end = 0;             ///< Behind it: what a receiver confirms.
  std::int64_t time = 0;
};

struct origin {
  lsn at = 0;
  std::string_view name;
};

struct column {
  std::string_view name;
  std::uint32_t type = 0;  ///< An oid of pg_type.
  bool identifies = false; ///< A part of the replica identity: it is in every image before a change.
};

/// Comes before the first change of a table, and again after it was altered.
struct relation {
  std::uint32_t id = 0;
  std::string_view schema;
  std::string_view name;
  char identity = 'd';     ///< pg_class.relreplident.
  std::vector<column> columns;
};

struct type {
  std::uint32_t id = 0;
  std::string_view schema;
  std::string_view name;
};

enum class cell_state : std::uint8_t {
  null,
  unchanged,  ///< A large value that was not changed is not sent.
  text,
};

struct cell {
  cell_state state = cell_state::null;
  std::string_view text{};
};

using image = std::vector<cell>;

/// What is known of a row before a change.
enum class before_kind : std::uint8_t {
  none,
  identity,  ///< The columns of the replica identity; all others are sent as null, which they need not be.
  row,       ///< REPLICA IDENTITY FULL
};

struct insert {
  std::uint32_t relation = 0;
  image after;
};

struct update {
  std::uint32_t relation = 0;
  before_kind known = before_kind::none;
  image before;
  image after;
};

struct remove {
  std::uint32_t relation = 0;
  before_kind known = before_kind::identity;
  image before;
};

struct truncate {
  std::vector<std::uint32_t> relations;
  bool cascade = false;
  bool restarts_identities = false;
};

using message = std::variant<begin, commit, origin, relation, type, insert, update, remove, truncate>;

/// All of `bytes` as one message; else an error that says what is wrong at which offset.
result<message> parse(std::string_view bytes);

}  // namespace seawall::postgres::pgoutput
