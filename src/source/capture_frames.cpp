#include "capture_frames.hpp"

#include "capture_reader.hpp"

namespace seawall::postgres {

result<frame> parse_frame(std::string_view bytes) {
  field_reader from{"replication stream", bytes};
  frame made;
  const char kind = from.letter("the kind of a frame");
  if (kind == 'w') {
    made.at = from.number<std::uint64_t>("the place");
    (void)from.number<std::uint64_t>("the end");
    (void)from.number<std::uint64_t>("the time");
    made.message = from.rest();
    if (from.good() && made.message.empty()) from.wrong("no message");
  } else if (kind == 'k') {
    made.at = from.number<std::uint64_t>("the end");
    (void)from.number<std::uint64_t>("the time");
    made.wants_reply = from.number<std::uint8_t>("the wish for a reply") != 0;
  } else {
    from.wrong(fmt::format("unknown frame {:#x}", static_cast<unsigned char>(kind)));
  }
  if (auto whole = from.finish(); !whole) return std::unexpected(std::move(whole).error());
  return made;
}

std::string status_update(pgoutput::lsn received, pgoutput::lsn confirmed, bool wants_reply) {
  std::string made = "r";
  // Written, flushed, applied, and a time, which the server only shows.
  for (const std::uint64_t field : {received, confirmed, confirmed, std::uint64_t{0}}) {
    for (unsigned shift = 64; shift != 0; shift -= 8) made += static_cast<char>((field >> (shift - 8)) & 0xFFU);
  }
  made += wants_reply ? '\1' : '\0';
  return made;
}

}  // namespace seawall::postgres
