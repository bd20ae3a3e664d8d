#include "config/rule_history.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "http/json_reading.h"

namespace logboom::config {
namespace {

constexpr std::uint64_t kHistoryBytes = 64u << 20;

}  // namespace

std::string rule_history_line(const RuleHistoryEntry& entry) {
  const nlohmann::json row = {
      {"revision", entry.revision}, {"time", entry.time}, {"author", entry.author}, {"text", entry.text}};
  return http::dump_json(row) + "\n";
}

std::optional<RuleHistoryEntry> read_rule_history_line(std::string_view line) {
  const auto row = nlohmann::json::parse(line, nullptr, false);
  try {
    return RuleHistoryEntry{static_cast<std::uint64_t>(http::integer_at(row, "revision")),
                            http::integer_at(row, "time"), row.at("author"), row.at("text")};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

Result<std::vector<RuleHistoryEntry>> read_rule_history(FileSystem& files, const std::string& path) {
  std::vector<RuleHistoryEntry> entries;
  auto text = read_file(files, path, kHistoryBytes);
  if (!text.ok()) {
    if (text.error().code() == ErrorCode::kNotFound) return entries;
    return std::move(text).error();
  }
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (auto entry = read_rule_history_line(rest.substr(0, end))) entries.push_back(std::move(*entry));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return entries;
}

Status write_rule_history(FileSystem& files, const std::string& path, std::vector<RuleHistoryEntry> entries) {
  if (entries.size() > kHistoryEntries) entries.erase(entries.begin(), entries.end() - kHistoryEntries);
  std::string out;
  for (const RuleHistoryEntry& entry : entries) out += rule_history_line(entry);
  return replace_file(files, path, out);
}

}  // namespace logboom::config
