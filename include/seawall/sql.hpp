// Databases behind caches: SQLite, loaders from queries, write-through, transactions that invalidate, and the outbox.
#pragma once

#include "seawall/source/cached_query.hpp"
#include "seawall/source/outbox.hpp"
#include "seawall/source/sql_database.hpp"
#include "seawall/source/sql_loader.hpp"
#include "seawall/source/sqlite.hpp"
#include "seawall/source/write_through.hpp"
