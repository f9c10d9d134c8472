#include "dead_letters.hpp"

#include "local_log_files.hpp"
#include "local_log_record.hpp"

#include <algorithm>
#include <utility>

namespace seawall::source {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr std::string_view file_name = "dead-letters.log";

// The value of a record: 1 byte whether removed, 8 of Unix time in ms, 4 of attempts, 4 of length; reason, value.
constexpr std::size_t letter_header = 17;

std::string removal(std::uint64_t sequence, const std::string& key) {
  std::string record;
  append_record(record, {.kind = record_kind::unburied, .sequence = sequence, .key = key});
  return record;
}

bool is_letter(const log_record& record) {
  return record.kind == record_kind::buried && record.value.size() >= letter_header &&
         get_number(record.value.data() + 13, 4) <= record.value.size() - letter_header;
}

stored_letter to_letter(const log_record& record) {
  const char* header = record.value.data();
  const std::size_t reason = get_number(header + 13, 4);
  const std::string_view rest = record.value.substr(letter_header);
  const milliseconds at{static_cast<milliseconds::rep>(get_number(header + 1, 8))};
  return {.operation = std::make_shared<stored_operation>(stored_operation{.sequence = record.sequence,
                                                                           .removed = header[0] != 0,
                                                                           .key = std::string{record.key},
                                                                           .value = std::string{rest.substr(reason)}}),
          .reason = std::string{rest.substr(0, reason)},
          .attempts = static_cast<unsigned>(get_number(header + 9, 4)),
          .at = system_clock::time_point{std::chrono::duration_cast<system_clock::duration>(at)}};
}

}  // namespace

std::string to_record(const stored_letter& letter) {
  std::string value(letter_header, '\0');
  const auto at = std::chrono::duration_cast<milliseconds>(letter.at.time_since_epoch()).count();
  value[0] = letter.operation->removed ? 1 : 0;
  put_number(&value[1], static_cast<std::uint64_t>(at), 8);
  put_number(&value[9], letter.attempts, 4);
  put_number(&value[13], letter.reason.size(), 4);
  value.append(letter.reason).append(letter.operation->value);
  std::string record;
  append_record(record, {.kind = record_kind::buried,
                         .sequence = letter.operation->sequence,
                         .key = letter.operation->key,
                         .value = value});
  return record;
}

std::optional<stored_letter> letter_of(std::string_view record) {
  const auto read = read_record(record, 0);
  if (!read || !is_letter(*read)) return {};
  return to_letter(*read);
}

result<dead_letters> dead_letters::open(std::shared_ptr<file_layer> files, std::string directory,
                                        std::uint64_t applied) {
  dead_letters letters;
  letters.files_ = std::move(files);
  letters.directory_ = std::move(directory);
  if (letters.directory_.empty()) return letters;
  letters.path_ = letters.directory_ + '/' + std::string{file_name};
  if (auto done = letters.read(); !done) return std::unexpected(std::move(done).error());
  letters.removed_.erase(letters.removed_.begin(), letters.removed_.upper_bound(applied));
  if (auto done = letters.rewrite(); !done) return std::unexpected(std::move(done).error());
  return letters;
}

result<void> dead_letters::read() {
  auto names = files_->list(directory_);
  if (!names) return std::unexpected(std::move(names).error());
  if (std::ranges::find(*names, file_name) == names->end()) return {};
  auto bytes = files_->read(path_, whole_file);
  if (!bytes) return std::unexpected(std::move(bytes).error());
  bool damaged = false;
  for (std::size_t at = 0; at < bytes->size();) {
    const auto record = read_record(*bytes, at);
    if (!record) {
      at = find_record(*bytes, at);  // the end is what a crash cut off
      damaged = damaged || at != std::string::npos;
      continue;
    }
    at += record_size(*record);
    if (record->kind == record_kind::unburied) {
      letters_.erase(record->sequence);
      removed_.insert_or_assign(record->sequence, std::string{record->key});
    } else if (is_letter(*record)) {
      letters_.insert_or_assign(record->sequence, to_letter(*record));
    }
  }
  if (!damaged) return {};
  return files_->rename(path_, path_ + std::string{damaged_suffix});
}

result<void> dead_letters::rewrite() {
  if (directory_.empty()) return {};
  std::string records;
  for (const auto& [sequence, letter] : letters_) records += to_record(letter);
  for (const auto& [sequence, key] : removed_) records += removal(sequence, key);
  auto file = write_beside(*files_, path_, records, true);
  if (!file) return std::unexpected(std::move(file).error());
  auto done = files_->sync_directory(directory_);
  if (done) file_ = *std::move(file);
  return done;
}

result<void> dead_letters::append(const std::string& record) {
  if (directory_.empty()) return {};
  if (!file_) return rewrite();
  auto done = file_->append(record);
  if (done) done = file_->sync();
  if (!done) file_.reset();
  return done;
}

result<void> dead_letters::add(stored_letter letter) {
  const std::uint64_t sequence = letter.operation->sequence;
  const std::string record = to_record(letter);
  letters_.insert_or_assign(sequence, std::move(letter));
  auto done = append(record);
  if (!done) letters_.erase(sequence);
  return done;
}

result<void> dead_letters::remove(std::uint64_t sequence) {
  const auto found = letters_.find(sequence);
  if (found == letters_.end()) return {};
  stored_letter letter = std::move(found->second);
  letters_.erase(found);
  const std::string& key = removed_.emplace(sequence, letter.operation->key).first->second;
  auto done = append(removal(sequence, key));
  if (!done) letters_.emplace(sequence, std::move(letter));
  if (!done || directory_.empty()) removed_.erase(sequence);
  return done;
}

const stored_letter* dead_letters::find(std::uint64_t sequence) const {
  const auto found = letters_.find(sequence);
  return found == letters_.end() ? nullptr : &found->second;
}

std::unordered_map<std::string, std::uint64_t> dead_letters::last_of_keys() const {
  std::unordered_map<std::string, std::uint64_t> last;
  const auto note = [&](const std::string& key, std::uint64_t sequence) {
    std::uint64_t& at = last[key];
    at = std::max(at, sequence);
  };
  for (const auto& [sequence, letter] : letters_) note(letter.operation->key, sequence);
  for (const auto& [sequence, key] : removed_) note(key, sequence);
  return last;
}

std::vector<stored_letter> dead_letters::list() const {
  std::vector<stored_letter> all;
  for (const auto& [sequence, letter] : letters_) all.push_back(letter);
  return all;
}

}  // namespace seawall::source
