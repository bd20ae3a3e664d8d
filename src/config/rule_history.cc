#include "config/rule_history.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "http/json_reading.h"

namespace logboom::config {
namespace {

constexpr std::uint64_t kHistoryBytes = 64u << 20;

std::optional<RuleHistoryEntry> entry_of(std::string_view line) {
  const auto row = nlohmann::json::parse(line, nullptr, false);
  try {
    return RuleHistoryEntry{static_cast<std::uint64_t>(http::integer_at(row, "revision")),
                            http::integer_at(row, "time"), row.at("author"), row.at("text")};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

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
    if (auto entry = entry_of(rest.substr(0, end))) entries.push_back(std::move(*entry));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return entries;
}

Status write_rule_history(FileSystem& files, const std::string& path, std::vector<RuleHistoryEntry> entries) {
  if (entries.size() > kHistoryEntries) entries.erase(entries.begin(), entries.end() - kHistoryEntries);
  std::string out;
  for (const RuleHistoryEntry& e : entries) {
    const nlohmann::json row = {{"revision", e.revision}, {"time", e.time}, {"author", e.author}, {"text", e.text}};
    out += row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  return replace_file(files, path, out);
}

}  // namespace logboom::config
