#include "seawall/cmd/bitmaps.hpp"
#include "seawall/cmd/geo.hpp"
#include "test_commands.hpp"

namespace seawall::cmd {
namespace {

using strings = std::vector<std::string>;
constexpr geo_point palermo{13.5, 38.25};

TEST(Bitmaps, WhatTheySend) {
  using verb = bitfield_step::verb;
  using overflow = bitfield_step::overflow;
  const bitfield_step steps[] = {
      {.type = "u8", .offset = 3},
      {.what = verb::set, .type = "i5", .offset = 2, .indexed = true, .value = 9},
      {.what = verb::incr_by, .type = "u2", .value = 1, .on_overflow = overflow::fail},
      {.what = verb::incr_by, .type = "u2", .value = 1, .on_overflow = overflow::saturate},
  };
  EXPECT_EQ(bytes_of(getbit("k", 7)), "GETBIT k 7");
  EXPECT_EQ(bytes_of(setbit("k", 7, true)), "SETBIT k 7 1");
  EXPECT_EQ(bytes_of(bitcount("k")), "BITCOUNT k");
  EXPECT_EQ(bytes_of(bitcount("k", bit_range{0, 5, true})), "BITCOUNT k 0 5 BIT");
  EXPECT_EQ(bytes_of(bitpos("k", false)), "BITPOS k 0");
  EXPECT_EQ(bytes_of(bitpos("k", true, bit_range{2, -1})), "BITPOS k 1 2 -1");
  EXPECT_EQ(bytes_of(bitop(bit_operation::and_, "t", "a", "b")), "BITOP AND t a b");
  EXPECT_EQ(bytes_of(bitop(bit_operation::or_, "t", "a")), "BITOP OR t a");
  EXPECT_EQ(bytes_of(bitop(bit_operation::xor_, "t", "a")), "BITOP XOR t a");
  EXPECT_EQ(bytes_of(bitop(bit_operation::not_, "t", "a")), "BITOP NOT t a");
  EXPECT_EQ(bytes_of(bitfield("k", steps)),
            "BITFIELD k GET u8 3 SET i5 #2 9 OVERFLOW FAIL INCRBY u2 0 1 OVERFLOW SAT INCRBY u2 0 1");
  EXPECT_EQ(bytes_of(pfadd("k", "a", 1)), "PFADD k a 1");
  EXPECT_EQ(bytes_of(pfcount("a", "b")), "PFCOUNT a b");
  EXPECT_EQ(bytes_of(pfmerge("t", "a", "b")), "PFMERGE t a b");
}

TEST(Bitmaps, WhatTheyRefuse) {
  EXPECT_EQ(bytes_of(getbit("k", -1)), "GETBIT: the offset must not be negative");
  EXPECT_EQ(bytes_of(setbit("k", -1, true)), "SETBIT: the offset must not be negative");
  EXPECT_EQ(bytes_of(bitop(bit_operation::not_, "t", "a", "b")), "BITOP: NOT takes one key");
  EXPECT_EQ(bytes_of(bitfield("k", {})), "BITFIELD: no step was given");
}

TEST(Bitmaps, WhatTheyRead) {
  const bitfield_step one[] = {{}};
  EXPECT_TRUE(reads(getbit("k", 1), ":1"));
  EXPECT_FALSE(reads(setbit("k", 1, true), ":0"));
  EXPECT_EQ(reads(bitcount("k"), ":3"), 3);
  EXPECT_EQ(reads(bitpos("k", true), ":3"), 3);
  EXPECT_EQ(reads(bitpos("k", true), ":-1"), std::nullopt);
  EXPECT_EQ(reads(bitop(bit_operation::or_, "t", "a"), ":3"), 3);
  EXPECT_EQ(reads(bitfield("k", one), "*2 :1 _"), (std::vector<std::optional<std::int64_t>>{1, std::nullopt}));
  EXPECT_TRUE(reads(pfadd("k", "a"), ":1"));
  EXPECT_EQ(reads(pfcount("k"), ":7"), 7);
  EXPECT_EQ(reads(pfmerge("t", "a"), "+OK"), ok{});
}

TEST(Geo, WhatItSends) {
  EXPECT_EQ(bytes_of(geoadd("g", "Palermo", palermo)), "GEOADD g 13.5 38.25 Palermo");
  EXPECT_EQ(bytes_of(geoadd("g", "Palermo", palermo, geo_when::absent)), "GEOADD g NX 13.5 38.25 Palermo");
  EXPECT_EQ(bytes_of(geoadd("g", "Palermo", palermo, geo_when::present)), "GEOADD g XX 13.5 38.25 Palermo");
  EXPECT_EQ(bytes_of(geopos("g", "a", "b")), "GEOPOS g a b");
  EXPECT_EQ(bytes_of(geohash("g", "a")), "GEOHASH g a");
  EXPECT_EQ(bytes_of(geodist("g", "a", "b", geo_unit::kilometers)), "GEODIST g a b km");
  EXPECT_EQ(bytes_of(geosearch("g", {.from = palermo, .radius = 5})),
            "GEOSEARCH g FROMLONLAT 13.5 38.25 BYRADIUS 5 m ASC");
  EXPECT_EQ(bytes_of(geosearch_hits("g", {.from_member = "a", .width = 2, .height = 3, .unit = geo_unit::miles,
                                          .count = 4, .any = true, .farthest_first = true})),
            "GEOSEARCH g FROMMEMBER a BYBOX 2 3 mi DESC COUNT 4 ANY WITHCOORD WITHDIST");
  EXPECT_EQ(bytes_of(geosearch_store("t", "g", {.from_member = "a", .radius = 1, .unit = geo_unit::feet})),
            "GEOSEARCHSTORE t g FROMMEMBER a BYRADIUS 1 ft ASC");
}

TEST(Geo, WhatItRefuses) {
  EXPECT_EQ(bytes_of(geoadd("g", "a", {181, 0})), "GEOADD: the longitude must lie between -180 and 180");
  EXPECT_EQ(bytes_of(geoadd("g", "a", {0, 86})), "GEOADD: the latitude must lie between -85.05112878 and 85.05112878");
  EXPECT_EQ(bytes_of(geosearch("g", {})), "GEOSEARCH: a radius, or width and height, must be positive");
  EXPECT_EQ(bytes_of(geosearch("g", {.radius = 1, .any = true})), "GEOSEARCH: any needs a count");
  EXPECT_EQ(bytes_of(geosearch("g", {.radius = 1, .count = 0})), "GEOSEARCH: the count must be positive");
}

TEST(Geo, WhatItReads) {
  EXPECT_EQ(reads(geoadd("g", "a", palermo), ":1"), 1);
  EXPECT_EQ(reads(geopos("g", "a", "b"), "*2 *2 $4 13.5 $5 38.25 *-1"),
            (std::vector<std::optional<geo_point>>{palermo, std::nullopt}));
  EXPECT_EQ(reads(geopos("g", "a"), "*1 *2 ,13.5 ,38.25"), (std::vector<std::optional<geo_point>>{palermo}));
  EXPECT_EQ(reads(geohash("g", "a"), "*1 $2 sq"), (std::vector<std::optional<std::string>>{"sq"}));
  EXPECT_EQ(reads(geodist("g", "a", "b"), "$3 1.5"), 1.5);
  EXPECT_EQ(reads(geosearch("g", {.radius = 1}), "*1 $1 a"), (strings{"a"}));
  EXPECT_EQ(reads(geosearch_hits("g", {.radius = 1}), "*1 *3 $1 a $3 1.5 *2 ,13.5 ,38.25"),
            (std::vector<geo_hit>{{"a", 1.5, palermo}}));
  EXPECT_EQ(reads(geosearch_store("t", "g", {.radius = 1}), ":1"), 1);
}

}  // namespace
}  // namespace seawall::cmd
