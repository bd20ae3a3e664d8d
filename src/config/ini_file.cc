#include "config/ini_file.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include <fmt/format.h>
#include <ini.h>

#include "config/list_text.h"
#include "config/rules_yaml.h"
#include "config/yaml.h"

namespace logboom::config {
namespace {

// The library takes lines of at most this many bytes; longer ones are given to it as lines that go on.
constexpr std::size_t kMostOfALine = 190;

// Hands a text to the library line by line, and takes what it finds, so that every entry has its place.
class IniReader {
 public:
  explicit IniReader(std::string_view text) : rest_(text) {}

  // The line of the first error; 0: none.
  int run() {
    const int wrong = ::ini_parse_stream(&IniReader::next_line, this, &IniReader::take, this);
    return wrong > 0 && static_cast<std::size_t>(wrong) <= lines_.size() ? lines_[static_cast<std::size_t>(wrong) - 1]
                                                                         : 0;
  }
  std::vector<IniEntry> entries() && { return std::move(entries_); }

 private:
  // As fgets does. A long line is cut behind a comma, where a list may go on.
  static char* next_line(char* to, int size, void* reader) {
    IniReader& self = *static_cast<IniReader*>(reader);
    if (self.rest_.empty()) return nullptr;
    std::size_t end = std::min(self.rest_.find('\n'), self.rest_.size());
    std::string piece(self.goes_on_ ? " " : "");
    if (!self.goes_on_) {
      self.row_ = self.rest_.substr(0, end), ++self.line_;
      // The library takes every indented line for one that goes on; keys may be indented, too.
      const std::size_t indent = is_key(self.row_) ? std::min(self.row_.find_first_not_of(" \t"), end) : 0;
      self.rest_.remove_prefix(indent), end -= indent;
    }
    const bool cut = end > kMostOfALine && !is_comment(self.row_);
    if (cut) {
      const std::size_t comma = self.rest_.substr(0, kMostOfALine).rfind(',');
      end = comma == std::string_view::npos ? kMostOfALine : comma + 1;
    }
    piece += self.rest_.substr(0, end);
    self.rest_.remove_prefix(cut ? end : std::min(end + 1, self.rest_.size()));
    self.goes_on_ = cut;
    self.lines_.push_back(self.line_);
    std::replace(piece.begin(), piece.end(), '\0', '?');
    piece.resize(std::min({piece.size(), static_cast<std::size_t>(size) - 1, kMostOfALine + 1}));
    std::memcpy(to, piece.c_str(), piece.size() + 1);
    return to;
  }

  static bool is_key(std::string_view row) { return row.find('=') != std::string_view::npos; }
  static bool is_comment(std::string_view row) {
    const std::string_view text = trimmed(row);
    return text.starts_with(';') || text.starts_with('#');
  }

  static int take(void* reader, const char* as_written, const char* name, const char* value) {
    const std::string section(trimmed(as_written));
    IniReader& self = *static_cast<IniReader*>(reader);
    const bool goes_on = !is_key(self.row_) && (self.row_.starts_with(' ') || self.row_.starts_with('\t'));
    const bool same =
        !self.entries_.empty() && self.entries_.back().section == section && self.entries_.back().key == name;
    if (same && (goes_on || self.entry_line_ == self.line_)) {
      self.entries_.back().value += value;
    } else {
      self.entries_.push_back({section, name, value, self.line_, std::string(trimmed(self.row_))});
    }
    self.entry_line_ = self.line_;
    return 1;
  }

  std::string_view rest_;
  std::string_view row_;  // the line of the file that is being read
  bool goes_on_ = false;  // the next piece is of the same line
  int line_ = 0;
  int entry_line_ = 0;
  std::vector<int> lines_;  // of the file, by line of the library
  std::vector<IniEntry> entries_;
};

// A value as others' readers of INI files have it, too: in quotes it is what stands between them, else a comment may
// follow behind " #".
void clean_value(std::string& value) {
  const auto cut = [&value](std::size_t from) {
    const std::size_t comment = std::min(value.find(" #", from), value.find("\t#", from));
    if (comment != std::string::npos) value = trimmed(std::string_view(value).substr(0, comment));
  };
  const bool quoted = value.starts_with('"') || value.starts_with('\'');
  const std::size_t end = quoted ? value.find(value.front(), 1) : std::string::npos;
  cut(end == std::string::npos ? 0 : end);
  if (end != std::string::npos && end + 1 == value.size()) value = value.substr(1, end - 1);
}

Problem problem_of(const std::string& file, const IniEntry& entry, std::string message, std::string hint = "") {
  return {file, entry.line, 1, entry.row, std::move(message), std::move(hint), false};
}

std::string with_scheme(const std::string& addresses) {
  std::string out;
  for (const std::string_view address : split_list(addresses)) {
    if (address.empty()) continue;
    out += out.empty() ? "" : ",";
    if (address.find("://") == std::string_view::npos) out += "http://";
    out += address;
  }
  return out;
}

// Old systems start hundreds of writers where a few do.
std::string at_most_64(const std::string& number) {
  const bool large = number.size() > 2 && number.find_first_not_of("0123456789") == std::string::npos;
  return large || (number.size() == 2 && number > "64" && number <= "99") ? "64" : number;
}

std::string as_it_is(const std::string& value) {
  return value;
}

struct OldName {
  const char* section;
  const char* key;
  const char* setting;  // empty: read elsewhere
  std::string (*value)(const std::string&) = as_it_is;
};
constexpr OldName kOldNames[] = {
    {"kafka", "address", "transport.brokers"},
    {"kafka", "topic", "transfer.topics"},
    {"kafka", "chan_size", "transport.queue_records"},
    {"kafka", "value", "transport.encoding"},
    {"kafka", "start_at", "transfer.start_at"},
    {"etcd", "address", "etcd.endpoints"},
    {"collect", "logfile_path", ""},
    {"collect", "start", ""},
    {"collect", "roots", ""},
    {"es", "address", "elastic.url", with_scheme},
    {"es", "index", "elastic.index"},
    {"es", "max_chan_size", "transfer.queue_records"},
    {"es", "goroutine_num", "elastic.writers", at_most_64},
    {"es", "user", "elastic.user"},
    {"es", "username", "elastic.user"},
    {"es", "password", "elastic.password"},
    {"influxdb", "address", "metrics_store.url", with_scheme},
    {"influxdb", "database", "metrics_store.database"},
    {"influxdb", "username", "metrics_store.user"},
    {"influxdb", "password", "metrics_store.password"},
};

const OldName* old_name(const IniEntry& entry) {
  const auto* found = std::ranges::find_if(
      kOldNames, [&](const OldName& name) { return entry.section == name.section && entry.key == name.key; });
  return found == std::end(kOldNames) ? nullptr : found;
}

bool has(const std::vector<IniEntry>& entries, std::string_view section, std::string_view key) {
  return std::ranges::any_of(entries, [&](const IniEntry& e) { return e.section == section && e.key == key; });
}

void set_old_meaning(const std::string& file, const std::vector<IniEntry>& entries, Settings& settings,
                     std::vector<Problem>& problems) {
  const auto set = [&](const char* name, const char* value) {
    if (Status done = settings.set(name, value, fmt::format("{} (INI)", file)); !done.ok())
      problems.push_back({file, 0, 0, "", done.error().message(), "", true});
  };
  set("transport.encoding", "line");
  set("transfer.start_at", "latest");
  set("rules.start", "end");
  if (has(entries, "kafka", "address")) set("transport.kind", "kafka");
  if (has(entries, "es", "address")) set("logs.kind", "elastic");
  if (has(entries, "influxdb", "address")) set("metrics_store.kind", "influxdb");
  set("rules.from", has(entries, "etcd", "address") ? "etcd" : "file");
}

// Of the old names; another case is another name.
std::string near_section(const std::string& section) {
  std::string lower = section;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  std::vector<std::string> known;
  for (const OldName& name : kOldNames) known.emplace_back(name.section);
  return nearest_name(lower, known);
}

void warn_of_unknown(const std::string& file, const IniEntry& entry, const Settings& settings,
                     std::vector<Problem>& problems) {
  std::vector<std::string> known;
  for (const OldName& name : kOldNames) {
    if (entry.section == name.section) known.emplace_back(name.key);
  }
  for (const OptionSpec& option : settings.table()) {
    if (option.name.starts_with(entry.section + ".")) known.push_back(option.name.substr(entry.section.size() + 1));
  }
  const std::string near = nearest_name(entry.key, known);
  const std::string section = known.empty() ? near_section(entry.section) : "";
  Problem problem =
      problem_of(file, entry, fmt::format("unknown key '{}' in [{}]; it is left out", entry.key, entry.section),
                 !near.empty()      ? fmt::format("did you mean '{}'?", near)
                 : !section.empty() ? fmt::format("did you mean [{}]?", section)
                                    : "");
  problem.warning = true;
  problems.push_back(std::move(problem));
}

const IniEntry* entry_of(const std::vector<IniEntry>& entries, std::string_view section, std::string_view key) {
  const auto found =
      std::ranges::find_if(entries, [&](const IniEntry& e) { return e.section == section && e.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace

bool is_ini_file(std::string_view path) {
  return path.ends_with(".ini");
}

std::vector<IniEntry> read_ini(const std::string& file, std::string_view text, std::vector<Problem>& problems) {
  // Old editors end lines with a CR alone.
  std::string lines(text.find('\n') == std::string_view::npos ? text : "");
  std::ranges::replace(lines, '\r', '\n');
  IniReader reader(lines.empty() ? text : lines);
  if (const int line = reader.run(); line > 0) {
    problems.push_back(
        {file, line, 0, "", "this line is neither a [section] nor 'key = value'", "put ; before a comment", false});
  }
  std::vector<IniEntry> entries = std::move(reader).entries();
  for (IniEntry& entry : entries) clean_value(entry.value);
  return entries;
}

void read_ini_settings(const std::string& file, std::string_view text, Settings& settings,
                       std::vector<Problem>& problems) {
  const std::vector<IniEntry> entries = read_ini(file, text, problems);
  set_old_meaning(file, entries, settings, problems);
  for (const IniEntry& entry : entries) {
    const OldName* old = old_name(entry);
    const std::string own = entry.section + "." + entry.key;
    const bool known = std::ranges::find(settings.table(), own, &OptionSpec::name) != settings.table().end();
    if (!old && !known) {
      warn_of_unknown(file, entry, settings, problems);
      continue;
    }
    const std::string name = old ? old->setting : own;
    if (name.empty()) continue;
    const std::string value = old ? old->value(entry.value) : entry.value;
    if (Status set = settings.set(name, value, fmt::format("{}:{}", file, entry.line)); !set.ok())
      problems.push_back(problem_of(file, entry, set.error().message()));
  }
}

void read_ini_rules(const std::string& file, std::string_view text, RuleSet& rules, std::vector<Problem>& problems) {
  std::vector<Problem> told_elsewhere;
  const std::vector<IniEntry> entries = read_ini(file, text, told_elsewhere);
  if (const IniEntry* roots = entry_of(entries, "collect", "roots")) {
    for (const std::string_view root : split_list(roots->value)) {
      rules.roots.emplace_back(root);
      if (!rules.roots.back().starts_with('/'))
        problems.push_back(problem_of(file, *roots, fmt::format("'{}' is not an absolute path", rules.roots.back())));
    }
  }
  const IniEntry* path = entry_of(entries, "collect", "logfile_path");
  if (!path || path->value.empty()) return;
  Rule rule;
  rule.path = path->value;
  rule.start = Start::kEnd;
  if (const IniEntry* topic = entry_of(entries, "kafka", "topic"))
    rule.topic = trimmed(std::string_view(topic->value).substr(0, topic->value.find(',')));
  if (const IniEntry* start = entry_of(entries, "collect", "start")) {
    if (start->value != "beginning" && start->value != "end")
      problems.push_back(problem_of(file, *start, fmt::format("'{}' is none of: beginning, end", start->value)));
    rule.start = start->value == "beginning" ? Start::kBeginning : Start::kEnd;
  }
  rule.name = default_rule_name(rule);
  Rule other_topic = rule;
  other_topic.topic = Rule().topic;
  const std::vector<std::string> of_path = validate_rule(other_topic);
  for (const std::string& message : validate_rule(rule)) {
    const bool of_topic = std::ranges::find(of_path, message) == of_path.end();
    problems.push_back(problem_of(file, of_topic ? *entry_of(entries, "kafka", "topic") : *path, message));
  }
  rules.rules.push_back(std::move(rule));
}

}  // namespace logboom::config
