// Keys of cache entries: key() and key_space build them, params makes one digest of many parameters, family retires
// many keys at once. The guide is docs/guide/keys.md.
#pragma once

#include "seawall/base/family.hpp"
#include "seawall/base/key_builder.hpp"
#include "seawall/base/params.hpp"
