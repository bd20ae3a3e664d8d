#include "config/problem.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "base/log.h"

namespace logboom::config {

std::string to_string(const Problem& problem) {
  std::string out = problem.file;
  if (problem.line > 0) out += fmt::format(":{}:{}", problem.line, std::max(problem.column, 1));
  out += fmt::format(": {}{}\n", problem.warning ? "warning: " : "", problem.message);
  if (!problem.snippet.empty()) {
    out += fmt::format("    {}\n", printable(problem.snippet));
    if (problem.column > 0) out += fmt::format("    {:>{}}\n", "^", problem.column);
  }
  if (!problem.hint.empty()) out += fmt::format("  hint: {}\n", problem.hint);
  return out;
}

bool any_error(const std::vector<Problem>& problems) {
  return std::ranges::any_of(problems, [](const Problem& p) { return !p.warning; });
}

Error to_error(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    if (!problem.warning) text += to_string(problem);
  }
  if (!text.empty()) text.pop_back();
  return Error(ErrorCode::kInvalidArgument, text);
}

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j + 1] + 1, row[j] + 1, change});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  if (name.size() > 64) return "";
  std::string best;
  std::size_t least = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < least) least = distance, best = candidate;
  }
  return best;
}

}  // namespace logboom::config
