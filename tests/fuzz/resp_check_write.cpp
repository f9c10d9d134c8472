#include "resp_check.hpp"
#include "resp_trees.hpp"

#include <seawall/resp/command_bytes.hpp>
#include <seawall/resp/scanner.hpp>
#include <seawall/resp/view.hpp>
#include <seawall/resp/writer.hpp>

#include <cstdlib>
#include <utility>
#include <vector>

namespace seawall::fuzz {
namespace {

void write_with(resp::reply_writer& out, const tree& value) {
  for (const auto& pairs : value.attributes) {
    out.attribute(pairs.size() / 2);
    for (const tree& one : pairs) write_with(out, one);
  }
  const std::size_t size = value.children.size();
  switch (value.type) {
    case '+': return out.simple_string(value.text);
    case '-': return out.error(value.text);
    case ':': return out.integer(std::stoll(value.text));
    case '$': return out.bulk_string(value.text);
    case '!': return out.bulk_error(value.text);
    case '#': return out.boolean(value.text == "t");
    case ',': return out.number(std::strtod(value.text.c_str(), nullptr));
    case '(': return out.big_number(value.text);
    case '=': return out.verbatim(value.text.substr(0, 3), value.text.substr(4));
    case '*': out.array(size); break;
    case '~': out.set(size); break;
    case '>': out.push(size); break;
    case '%': out.map(size / 2); break;
    default: return out.null();
  }
  for (const tree& one : value.children) write_with(out, one);
}

/// The shortest writing of numbers, since the writer is given numbers and not their text.
void as_written(tree& value) {
  if (value.type == ':') value.text = std::to_string(std::stoll(value.text));
  if (value.type == ',') {
    std::string text;
    resp::reply_writer{text}.number(std::strtod(value.text.c_str(), nullptr));
    value.text = text.substr(1, text.size() - 3);
  }
  for (auto& pairs : value.attributes) {
    for (tree& one : pairs) as_written(one);
  }
  for (tree& one : value.children) as_written(one);
}

/// What RESP2 has instead.
void as_resp2(tree& value) {
  value.attributes.clear();
  switch (value.type) {
    case '#': value = {':', value.text == "t" ? "1" : "0", {}}; break;
    case '=': value.text.erase(0, 4); [[fallthrough]];
    case ',':
    case '(': value.type = '$'; break;
    case '!':
      value.type = '-';
      for (char& c : value.text) c = c == '\r' || c == '\n' ? ' ' : c;
      break;
    case '%':
    case '~':
    case '>': value.type = '*'; break;
    default: break;
  }
  for (tree& one : value.children) as_resp2(one);
}

std::string check_arguments(const resp::command_bytes& command, const std::vector<std::string>& arguments) {
  std::string expected;
  resp::reply_writer out{expected};
  out.array(arguments.size());
  for (const auto& one : arguments) out.bulk_string(one);
  if (arguments.empty()) expected.clear();
  if (command.bytes() != expected) return "bytes() is not the array of the arguments";
  if (command.arguments() != arguments.size() || command.too_large()) return "arguments() or too_large()";
  for (std::size_t i = 0; i != arguments.size(); ++i) {
    if (command.argument(i) != arguments[i]) return "argument(" + std::to_string(i) + ")";
  }
  if (arguments.empty()) return {};
  const auto scanned = resp::scanner{}.scan(command.bytes());
  if (!scanned || *scanned != command.bytes().size()) return "a scanner refuses a command";
  std::size_t i = 0;
  for (const resp::view one : resp::view{command.bytes()}) {
    if (one.text() != arguments[i++]) return "a view reads another argument";
  }
  return {};
}

}  // namespace

std::string check_reply_writer(const tree& value) {
  tree expected = value;
  as_written(expected);
  std::string theirs;
  write(expected, theirs);
  std::string ours;
  resp::reply_writer three{ours};
  write_with(three, value);
  if (ours != theirs) return "protocol 3 writes " + ours + " instead of " + theirs;

  as_resp2(expected);
  std::string old;
  resp::reply_writer two{old, 2};
  write_with(two, value);
  const reading read = reference(old);
  if (read.what != verdict::complete || read.length != old.size()) return "protocol 2 writes no frame: " + old;
  return read.value == expected ? std::string{} : "protocol 2 writes " + old;
}

std::string check_command(std::string_view input) {
  choices from{input};
  std::vector<std::string> arguments(from.pick(2) == 0 ? from.pick(6) : from.pick(300));
  for (auto& one : arguments) {
    one.assign(from.pick(16) == 15 ? from.pick(5000) : from.pick(20), static_cast<char>('a' + from.pick(26)));
  }
  resp::command_bytes one_by_one;
  if (from.pick(2) == 1) one_by_one.reserve(from.pick(3000), from.pick(40));
  for (std::size_t i = 0; i != arguments.size(); ++i) {
    if (i % 7 == 6) {
      const auto n = static_cast<std::int64_t>(from.pick(65536)) - 30000;
      one_by_one.append(n);
      arguments[i] = std::to_string(n);
    } else {
      one_by_one.append(arguments[i]);
    }
    if (from.pick(8) == 7) {
      resp::command_bytes moved{std::move(one_by_one)};
      if (!one_by_one.bytes().empty() || one_by_one.arguments() != 0) return "a move leaves something behind";
      one_by_one = from.pick(2) == 0 ? std::move(moved) : moved.clone();
    }
  }
  if (std::string wrong = check_arguments(one_by_one, arguments); !wrong.empty()) return wrong;
  const std::vector<std::string_view> views(arguments.begin(), arguments.end());
  resp::command_bytes at_once{std::span{views}};
  if (std::string wrong = check_arguments(at_once, arguments); !wrong.empty()) return "at once: " + wrong;
  const std::string before{at_once.bytes()};
  at_once.append_encoded(one_by_one.bytes());
  if (at_once.bytes() != before + before) return "append_encoded";
  if (at_once.arguments() != arguments.size()) return "append_encoded counts";
  return {};
}

}  // namespace seawall::fuzz
