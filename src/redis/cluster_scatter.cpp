#include "cluster_scatter.hpp"

#include "cluster_keys.hpp"
#include "cluster_machine.hpp"
#include "seawall/cmd/error.hpp"
#include "seawall/cmd/table.hpp"
#include "seawall/resp/value.hpp"
#include "seawall/resp/writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

namespace seawall::redis {
namespace {

bool is_word(std::string_view given, std::string_view upper) { return cmd::detail::compare_upper(given, upper) == 0; }

struct over_primaries {
  std::string_view name;
  std::string_view subcommand;  // empty: any
  merging how;
};
constexpr std::array<over_primaries, 10> known{{
    {"DBSIZE", "", merging::sum},
    {"FLUSHALL", "", merging::same},
    {"FLUSHDB", "", merging::same},
    {"KEYS", "", merging::chain},
    {"SCRIPT", "LOAD", merging::same},
    {"SCRIPT", "FLUSH", merging::same},
    {"FUNCTION", "LOAD", merging::same},
    {"FUNCTION", "DELETE", merging::same},
    {"FUNCTION", "FLUSH", merging::same},
    {"FUNCTION", "RESTORE", merging::same},
}};

std::string printable(std::string_view key) {
  constexpr std::size_t most = 40;
  std::string shown{key.substr(0, most)};
  for (char& c : shown) c = c < ' ' || c > '~' ? '?' : c;
  if (key.size() > most) shown += "...";
  return shown;
}

}  // namespace

bool is_command(const request& asked, std::string_view upper) {
  return is_word(resp::view{asked.bytes}[0].text(), upper);
}

std::optional<merging> merging_over_primaries(const request& asked) {
  const resp::view command{asked.bytes};
  const std::string_view name = command[0].text();
  for (const over_primaries& one : known) {
    if (is_word(name, one.name) && (one.subcommand.empty() || is_word(command[1].text(), one.subcommand))) {
      return one.how;
    }
  }
  return std::nullopt;
}

class cluster_scatter::part final : public request {
 public:
  explicit part(cluster_scatter& of) : of_(of) {
    traits = of.whole_.traits;
    traits.splittable = false;
    timeout = of.whole_.timeout;
    book.deadline = of.whole_.book.deadline;
    book.flags = cluster_machine::internal;
  }

  void on_reply(std::size_t, resp::view reply) noexcept override { raw = reply.raw(); }
  void on_end(const error* why) noexcept override {
    ended = true;
    if (why) failure = *why;
    of_.one_ended();
  }
  resp::view reply() const { return resp::view{std::string_view{raw}}; }
  bool failed() const { return failure || reply().is_error(); }

  resp::command_bytes command;
  std::vector<std::uint32_t> places{};  // of its keys among those of the whole
  std::vector<std::string_view> keys{};
  std::string raw{};
  std::optional<error> failure{};
  bool ended = false;

 private:
  cluster_scatter& of_;
};

cluster_scatter::cluster_scatter(request& whole, merging how, ender& ends, std::function<void(cluster_scatter&)> done)
    : whole_(whole), how_(how), ends_(ends), done_(std::move(done)) {}

cluster_scatter::~cluster_scatter() = default;

void cluster_scatter::split_by_slot() {
  const resp::view command{whole_.bytes.substr(whole_.keyed_at)};
  const auto step = std::max<std::uint32_t>(1, whole_.traits.key_step);
  std::unordered_map<slot_number, part*> of_slot;
  auto argument = command.begin();
  std::uint32_t here = 0;
  std::uint32_t place = 0;
  for (const std::uint32_t at : key_places(whole_)) {
    for (; here < at; ++here) ++argument;
    const std::string_view key = (*argument).text();
    const slot_number slot = slot_of(key);
    part*& mine = of_slot[slot];
    if (!mine) {
      parts_.push_back(std::make_unique<part>(*this));
      mine = parts_.back().get();
      mine->command.append(command[0].text());
      mine->book.flags |= cluster_machine::keyed;
      mine->book.slot = slot;
    }
    mine->places.push_back(place++);
    mine->keys.push_back(key);
    mine->command.append(key);
    // What belongs to the key: the value of MSET.
    for (std::uint32_t i = 1; i < step && at + i < command.size(); ++i) {
      ++argument;
      ++here;
      mine->command.append((*argument).text());
    }
  }
  for (auto& one : parts_) one->bytes = one->command.bytes();
}

void cluster_scatter::copy(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    parts_.push_back(std::make_unique<part>(*this));
    parts_.back()->bytes = whole_.bytes;
  }
}

void cluster_scatter::run(const std::function<void(request&, std::size_t)>& send) {
  whole_.book.where = static_cast<holder*>(this);
  left_ = parts_.size() + 1;
  for (std::size_t i = 0; i < parts_.size(); ++i) send(*parts_[i], i);
  one_ended();
}

bool cluster_scatter::forget(request&) {
  bool written = false;
  for (const auto& one : parts_) {
    if (one->ended) written = written || !one->raw.empty();
    else written = static_cast<holder*>(one->book.where)->forget(*one) || written;
  }
  done_(*this);
  return written;
}

void cluster_scatter::one_ended() {
  if (--left_ == 0) finish();
}

void cluster_scatter::finish() {
  const auto failed = std::find_if(parts_.begin(), parts_.end(), [](const auto& one) { return one->failed(); });
  if (failed != parts_.end()) {
    fail_with(**failed);
  } else {
    std::string merged;
    if (merge(merged)) {
      whole_.on_reply(0, resp::view{std::string_view{merged}});
      ends_.end(whole_, nullptr);
    } else {
      const error why{cmd::errc::unexpected_reply, "a part of a command over several slots got another kind of reply"};
      ends_.end(whole_, &why);
    }
  }
  done_(*this);
}

void cluster_scatter::fail_with(const part& failed) {
  if (failed.failure) {
    const error why{failed.failure->code(), failed.failure->message() + fate()};
    return ends_.end(whole_, &why);
  }
  std::string reply;
  resp::reply_writer{reply}.error(std::string{failed.reply().text()} + fate());
  whole_.on_reply(0, resp::view{std::string_view{reply}});
  ends_.end(whole_, nullptr);
}

// What became of the keys of a command that changes something, after a part of it has failed.
std::string cluster_scatter::fate() const {
  if (whole_.traits.effect == cmd::effect::read || parts_.front()->keys.empty()) return {};
  constexpr std::size_t most = 5;
  const auto list = [&](std::string_view title, auto belongs) -> std::string {
    std::string all;
    std::size_t count = 0;
    for (const auto& one : parts_) {
      if (!belongs(*one)) continue;
      for (const std::string_view key : one->keys) {
        if (++count <= most) all += (count == 1 ? "" : ", ") + printable(key);
      }
    }
    if (count == 0) return {};
    return fmt::format("; {} {}{}", title, all, count > most ? fmt::format(" and {} more", count - most) : "");
  };
  return fmt::format(" (sent as {} commands, one for each slot{}{}{})", parts_.size(),
                     list("applied to", [](const part& one) { return !one.failed(); }),
                     list("not applied to", [](const part& one) { return !one.failure && one.failed(); }),
                     list("perhaps applied to", [](const part& one) { return one.failure.has_value(); }));
}

bool cluster_scatter::merge(std::string& into) const {
  resp::reply_writer to{into};
  switch (how_) {
    case merging::same: into = parts_.front()->raw; return true;
    case merging::sum: {
      std::int64_t sum = 0;
      for (const auto& one : parts_) {
        const auto n = one->reply().integer();
        if (!n) return false;
        sum += *n;
      }
      to.integer(sum);
      return true;
    }
    case merging::elements: {
      std::size_t count = 0;
      for (const auto& one : parts_) count += one->places.size();
      std::vector<std::string_view> all(count);
      for (const auto& one : parts_) {
        const resp::view reply = one->reply();
        if (reply.size() != one->places.size()) return false;
        auto element = reply.begin();
        for (const std::uint32_t place : one->places) {
          all[place] = (*element).raw();
          ++element;
        }
      }
      to.array(count);
      for (const std::string_view element : all) into += element;
      return true;
    }
    case merging::chain: {
      std::size_t count = 0;
      for (const auto& one : parts_) {
        if (!one->reply().is_aggregate()) return false;
        count += one->reply().size();
      }
      to.array(count);
      for (const auto& one : parts_) {
        for (const resp::view element : one->reply()) into += element.raw();
      }
      return true;
    }
  }
  return false;
}

}  // namespace seawall::redis
