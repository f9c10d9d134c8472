// What a server can do beyond Redis 6, found by asking it, never by its version.
#pragma once

namespace seawall::redis {

struct capabilities {
  bool set_ifeq = false;     ///< SET key value IFEQ old (Valkey 8.1, Redis 8.4): compare and set.
  bool delifeq = false;      ///< DELIFEQ key value (Valkey 9): compare and delete.
  bool delex = false;        ///< DELEX key IFEQ value (Redis 8.4): the same.
  bool hash_field_ttl = false;  ///< HEXPIRE and its kind (Redis 7.4, Valkey 9).
  bool sharded_pubsub = false;  ///< SPUBLISH (7.0).
  bool functions = false;       ///< FCALL (7.0).

  friend bool operator==(const capabilities&, const capabilities&) = default;
};

}  // namespace seawall::redis
