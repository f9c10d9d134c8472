#include "sim_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace simulation {
namespace {

constexpr std::size_t id_length = 40;

std::int64_t number_of(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool is(std::string_view word, std::string_view name) {
  return std::ranges::equal(word, name, [](char a, char b) { return (a >= 'a' && a <= 'z' ? a - 32 : a) == b; });
}

struct known_command {
  std::string_view name;
  bool writes;
  bool takes_memory;
  bool reads_key;
};

constexpr known_command known_commands[] = {
    {"GET", false, false, true},      {"GETRANGE", false, false, true}, {"SET", true, true, false},
    {"SETRANGE", true, true, false},  {"UNLINK", true, false, false},   {"DEL", true, false, false},
    {"DELIFEQ", true, false, false},  {"DELEX", true, false, false},    {"PTTL", false, false, true},
    {"EXISTS", false, false, true},   {"EVAL", false, false, false},    {"EVALSHA", false, false, false},
    {"INFO", false, false, false},    {"TIME", false, false, false},    {"SCRIPT", false, false, false},
    {"FLUSHALL", true, false, false}, {"PING", false, false, false},      {"SCAN", false, false, false},
    {"DBSIZE", false, false, false},
};

const known_command* find_command(std::string_view name) {
  const auto* const found = std::ranges::find_if(known_commands, [&](const auto& one) { return is(name, one.name); });
  return found == std::end(known_commands) ? nullptr : found;
}

}  // namespace

std::vector<std::string_view> split(std::string_view bytes) {
  const auto number = [&bytes] {
    const std::size_t end = bytes.find('\r');
    const std::int64_t value = number_of(bytes.substr(1, end - 1));
    bytes.remove_prefix(end + 2);
    return static_cast<std::size_t>(value);
  };
  std::vector<std::string_view> words(number());
  for (auto& word : words) {
    const std::size_t size = number();
    word = bytes.substr(0, size);
    bytes.remove_prefix(size + 2);
  }
  return words;
}

std::string printable(std::string_view bytes) {
  std::string made;
  for (const char byte : bytes.substr(0, 100)) {
    if (byte == '\r') continue;
    made += byte >= ' ' && byte <= '~' ? byte : byte == '\n' ? ' ' : '.';
  }
  return made;
}

// --- clients --------------------------------------------------------------------------------------------------------

void sim_node::attach(std::shared_ptr<sim_connection> who) {
  who->node = this;
  connections_.push_back(std::move(who));
}

void sim_node::serve(sim_connection& who) {
  const sim_connection::question asked = std::move(who.in.front());
  who.in.pop_front();
  const std::vector<std::string_view> command = split(asked.bytes);
  sim_connection::frame answer{.kind = sim_connection::frame::is::answer, .ticket = asked.ticket};
  append_resp(execute(who, command), answer.bytes);
  if (who.heard) who.out.push_back(std::move(answer));
  tell_own_news(who);
}

void sim_node::tell_own_news(sim_connection& who) {
  for (auto& news : std::exchange(own_news_, {})) tell(who, std::move(news));
}

reply sim_node::execute(sim_connection& who, arguments command) {
  current_ = &who;
  reply made = run(command);
  current_ = nullptr;
  return made;
}

void sim_node::hang_up() {
  for (const auto& one : connections_) {
    one->broken = true;
    one->in.clear();
  }
  connections_.clear();
  tracked_.clear();
}

void sim_node::tidy() {
  std::erase_if(connections_, [this](const auto& one) {
    if (one->heard || !one->in.empty()) return false;
    for (auto& [key, who] : tracked_) std::erase(who, one.get());
    return true;
  });
}

// --- faults and time ------------------------------------------------------------------------------------------------

std::string sim_node::draw_id() {
  std::string id(id_length, '0');
  for (char& digit : id) digit = "123456789abcdef"[draws_.below(15)];
  return id;
}

void sim_node::start(data keys) {
  hang_up();
  keys_ = std::move(keys);
  scripts_.clear();
  scans_.clear();
  primary_ = true;
  out_of_memory = false;
  run_id_ = draw_id();
  replication_id_ = draw_id();
  earlier_id_ = std::string(id_length, '0');
}

void sim_node::follow(const sim_node& primary) {
  hang_up();
  primary_ = false;
  out_of_memory = false;
  keys_ = primary.keys_;
  replication_id_ = primary.replication_id_;
  earlier_id_ = std::string(id_length, '0');
}

void sim_node::promote() {
  primary_ = true;
  earlier_id_ = std::exchange(replication_id_, draw_id());
}

void sim_node::copy(const sim_node& primary) {
  keys_ = primary.keys_;
  const auto tracked = std::exchange(tracked_, {});
  for (const auto& [key, clients] : tracked) {
    for (sim_connection* one : clients) tell(*one, {.kind = sim_connection::frame::is::invalidate, .bytes = key});
  }
}

bool sim_node::expire_one() {
  if (!primary_) return false;
  const auto found = std::ranges::find_if(keys_, [this](const auto& one) {
    return one.second.ends_ms && *one.second.ends_ms <= now_ms_;
  });
  if (found == keys_.end()) return false;
  find(std::string{found->first});
  return true;
}

std::string sim_node::draw_key() {
  if (keys_.empty()) return {};
  return std::next(keys_.begin(), static_cast<std::ptrdiff_t>(draws_.below(keys_.size())))->first;
}

bool sim_node::evict(const std::string& key) {
  if (keys_.erase(key) == 0) return false;
  changed(key);
  return true;
}

void sim_node::flush_all() {
  keys_.clear();
  tracked_.clear();
  for (const auto& one : connections_) {
    if (!one->tracked) continue;
    if (one.get() == current_) own_news_.push_back({.kind = sim_connection::frame::is::flush});
    else tell(*one, {.kind = sim_connection::frame::is::flush});
  }
}

bool sim_node::tell_one_for_nothing() {
  if (tracked_.empty()) return false;
  changed(std::string{std::next(tracked_.begin(), static_cast<std::ptrdiff_t>(draws_.below(tracked_.size())))->first});
  return true;
}

void sim_node::tell(sim_connection& who, sim_connection::frame what) {
  if (!who.heard) return;
  ++counted.pushes;
  who.out.push_back(std::move(what));
}

void sim_node::changed(std::string_view key) {
  const auto found = tracked_.find(key);
  if (found == tracked_.end()) return;
  for (sim_connection* one : found->second) {
    sim_connection::frame news{.kind = sim_connection::frame::is::invalidate, .bytes = std::string(key)};
    if (one == current_) own_news_.push_back(std::move(news));
    else tell(*one, std::move(news));
  }
  tracked_.erase(found);
}

void sim_node::track(std::string_view key) {
  if (!current_ || !current_->tracked) return;
  auto found = tracked_.find(key);
  if (found == tracked_.end()) found = tracked_.emplace(key, std::vector<sim_connection*>{}).first;
  if (std::ranges::find(found->second, current_) == found->second.end()) found->second.push_back(current_);
}

// --- commands -------------------------------------------------------------------------------------------------------

reply sim_node::call(arguments command) { return run(command); }

reply sim_node::run(arguments command) {
  const known_command* const known = find_command(command[0]);
  if (!known) return reply::failure(fmt::format("ERR unknown command '{}'", command[0]));
  if (known->writes && !primary_) {
    ++counted.read_only;
    return reply::failure("READONLY You can't write against a read only replica.");
  }
  if (known->takes_memory && out_of_memory && !script_has_written_) {
    ++counted.refused_for_memory;
    return reply::failure("OOM command not allowed when used memory > 'maxmemory'.");
  }
  if (known->writes && in_script_) script_has_written_ = true;
  const std::string_view name = known->name;
  reply made;
  if (name == "GET") {
    if (const item* there = find(command[1])) made = reply::bulk(there->bytes);
  } else if (name == "GETRANGE") made = get_range(command);
  else if (name == "SET") made = set(command);
  else if (name == "SETRANGE") made = set_range(command);
  else if (name == "UNLINK" || name == "DEL") made = remove(command);
  else if (name == "DELIFEQ") made = remove_if(command[1], command[2]);
  else if (name == "DELEX") made = remove_if(command[1], command[3]);
  else if (name == "EXISTS") made = reply::of(find(command[1]) ? 1 : 0);
  else if (name == "PTTL") {
    const item* const there = find(command[1]);
    made = reply::of(!there ? -2 : there->ends_ms ? *there->ends_ms - now_ms_ : -1);
  } else if (name == "EVAL" || name == "EVALSHA") made = run_script(command, name == "EVALSHA");
  else if (name == "INFO") made = info(command);
  else if (name == "TIME") {
    made.kind = reply::is::list;
    made.items = {reply::bulk(std::to_string(now_ms_ / 1000)), reply::bulk(std::to_string(now_ms_ % 1000 * 1000))};
  } else if (name == "SCRIPT") {
    flush_scripts();
    made = reply::status("OK");
  } else if (name == "SCAN") made = scan(command);
  else if (name == "DBSIZE") made = reply::of(static_cast<std::int64_t>(keys_.size()));
  else if (name == "FLUSHALL") {
    flush_all();
    made = reply::status("OK");
  } else made = reply::status("PONG");
  if (known->reads_key) track(command[1]);
  return made;
}

reply sim_node::run_script(arguments command, bool by_digest) {
  auto& scripts = lua_scripts::here();
  const auto which = by_digest ? scripts.find(command[1]) : std::optional{scripts.compile(command[1])};
  if (by_digest && (!which || !scripts_.contains(*which))) {
    ++counted.no_script;
    return reply::failure("NOSCRIPT No matching script. Please use EVAL.");
  }
  scripts_.insert(*which);
  const auto keys = static_cast<std::size_t>(number_of(command[2]));
  in_script_ = true;
  reply made = scripts.run(*which, command.subspan(3, keys), command.subspan(3 + keys), *this);
  in_script_ = script_has_written_ = false;
  return made;
}

/// What is there; what has ended goes first. A replica waits for its primary to say so.
sim_node::item* sim_node::find(std::string_view key) {
  const auto found = keys_.find(key);
  if (found == keys_.end()) return nullptr;
  if (!found->second.ends_ms || *found->second.ends_ms > now_ms_) return &found->second;
  if (!primary_) return nullptr;
  ++counted.expired;
  if (found->second.bytes.size() > 2 && found->second.bytes[2] == 'L') ++counted.leases_ended;
  keys_.erase(found);
  changed(key);
  return nullptr;
}

reply sim_node::set(arguments command) {
  const std::string_view key = command[1];
  bool absent_only = false;
  bool present_only = false;
  bool gets = false;
  std::optional<std::string_view> equal_to;
  std::optional<std::int64_t> ends;
  for (std::size_t i = 3; i < command.size(); ++i) {
    if (is(command[i], "NX")) absent_only = true;
    else if (is(command[i], "XX")) present_only = true;
    else if (is(command[i], "GET")) gets = true;
    else if (is(command[i], "IFEQ")) equal_to = command[++i];
    else if (is(command[i], "PX")) ends = now_ms_ + number_of(command[++i]);
    else return reply::failure("ERR syntax error");
  }
  const item* const there = find(key);
  reply before;
  if (gets && there) before = reply::bulk(there->bytes);
  const bool refused = (absent_only && there) || (present_only && !there) ||
                       (equal_to && (!there || there->bytes != *equal_to));
  if (refused) return before;
  keys_[std::string(key)] = {.bytes = std::string(command[2]), .ends_ms = ends};
  changed(key);
  return gets ? before : reply::status("OK");
}

reply sim_node::get_range(arguments command) {
  const item* const there = find(command[1]);
  if (!there) return reply::bulk("");
  const auto size = static_cast<std::int64_t>(there->bytes.size());
  std::int64_t from = number_of(command[2]);
  std::int64_t to = number_of(command[3]);
  if (from < 0) from = std::max<std::int64_t>(from + size, 0);
  if (to < 0) to += size;
  to = std::min(to, size - 1);
  if (from > to) return reply::bulk("");
  return reply::bulk(there->bytes.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from + 1)));
}

reply sim_node::set_range(arguments command) {
  const auto from = static_cast<std::size_t>(number_of(command[2]));
  const std::string_view bytes = command[3];
  item* there = find(command[1]);
  if (!there && bytes.empty()) return reply::of(0);
  if (!there) there = &keys_[std::string(command[1])];
  if (!bytes.empty()) {
    there->bytes.resize(std::max(there->bytes.size(), from + bytes.size()));
    there->bytes.replace(from, bytes.size(), bytes);
    changed(command[1]);
  }
  return reply::of(static_cast<std::int64_t>(there->bytes.size()));
}

reply sim_node::remove(arguments command) {
  std::int64_t removed = 0;
  for (const std::string_view key : command.subspan(1)) {
    if (!find(key)) continue;
    keys_.erase(keys_.find(key));
    changed(key);
    ++removed;
  }
  return reply::of(removed);
}

reply sim_node::remove_if(std::string_view key, std::string_view value) {
  const item* const there = find(key);
  if (!there || there->bytes != value) return reply::of(0);
  keys_.erase(keys_.find(key));
  changed(key);
  return reply::of(1);
}

reply sim_node::info(arguments command) const {
  if (command.size() > 1 && command[1] == "server") {
    return reply::bulk(fmt::format("# Server\r\nrun_id:{}\r\n", run_id_));
  }
  return reply::bulk(fmt::format("# Replication\r\nrole:{}\r\nmaster_replid:{}\r\nmaster_replid2:{}\r\n",
                                 primary_ ? "master" : "slave", replication_id_, earlier_id_));
}

}  // namespace simulation
