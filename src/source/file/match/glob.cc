#include "source/file/match/glob.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace logboom::source {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

// Bytes of the UTF-8 character at the start of `text`; 1 when it is none.
std::size_t character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  std::size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 1;
  if (lead > 0xf4 || want > text.size()) return 1;
  for (std::size_t i = 1; i < want; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 1;
  }
  return want;
}

// Index behind the `]` that closes the class opened at `open`, or kNone.
std::size_t class_end(std::string_view pattern, std::size_t open) {
  std::size_t i = open + 1;
  if (i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^')) ++i;
  if (i < pattern.size() && pattern[i] == ']') ++i;
  for (; i < pattern.size(); ++i) {
    if (pattern[i] == '\\')
      ++i;
    else if (pattern[i] == ']')
      return i + 1;
  }
  return kNone;
}

// `body` is what stands between the brackets.
bool class_matches(std::string_view body, char c) {
  bool negated = false;
  if (!body.empty() && (body[0] == '!' || body[0] == '^')) negated = true, body.remove_prefix(1);
  bool found = false;
  const auto byte = static_cast<unsigned char>(c);
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] == '\\' && i + 1 < body.size()) ++i;
    auto low = static_cast<unsigned char>(body[i]);
    auto high = low;
    if (i + 2 < body.size() && body[i + 1] == '-') {
      high = static_cast<unsigned char>(body[i + 2]);
      i += 2;
    }
    if (low <= byte && byte <= high) found = true;
  }
  return found != negated;
}

struct Step {
  std::size_t pattern = 0;  // bytes of the pattern used
  std::size_t name = 0;     // bytes of the name used
};

// Matches one element other than a star; nullopt when it does not match.
std::optional<Step> match_one(std::string_view pattern, std::string_view name) {
  if (name.empty()) return std::nullopt;
  if (pattern[0] == '?') return Step{1, character_length(name)};
  if (pattern[0] == '[') {
    const std::size_t end = class_end(pattern, 0);
    if (end != kNone) {
      if (!class_matches(pattern.substr(1, end - 2), name[0])) return std::nullopt;
      return Step{end, 1};
    }
  }
  const std::size_t skip = pattern[0] == '\\' && pattern.size() > 1 ? 1 : 0;
  if (pattern[skip] != name[0]) return std::nullopt;
  return Step{skip + 1, 1};
}

// Index of the brace that closes the one at `open`, or kNone.
std::size_t brace_end(std::string_view text, std::size_t open) {
  std::size_t depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '{')
      ++depth;
    else if (text[i] == '}' && --depth == 0)
      return i;
  }
  return kNone;
}

std::vector<std::string_view> brace_choices(std::string_view body) {
  std::vector<std::string_view> choices;
  std::size_t depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] == '\\')
      ++i;
    else if (body[i] == '{')
      ++depth;
    else if (body[i] == '}')
      --depth;
    else if (body[i] == ',' && depth == 0)
      choices.push_back(body.substr(begin, i - begin)), begin = i + 1;
  }
  choices.push_back(body.substr(begin));
  return choices;
}

std::size_t find_brace(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '{')
      return i;
  }
  return kNone;
}

Error refused(std::string_view pattern, std::string_view why) {
  return Error(ErrorCode::kInvalidArgument,
               fmt::format("cannot use the pattern \"{}\": {}", pattern.substr(0, 200), why));
}

// Multiplies the braces out, one at a time, within the bounds.
Result<std::vector<std::string>> expand_braces(std::string_view pattern) {
  std::vector<std::string> open{std::string(pattern)};
  std::vector<std::string> done;
  while (!open.empty()) {
    const std::string text = std::move(open.back());
    open.pop_back();
    const std::size_t brace = find_brace(text);
    if (brace == kNone) {
      done.push_back(text);
    } else {
      const std::size_t end = brace_end(text, brace);
      if (end == kNone) return refused(pattern, "a { without its }");
      const auto choices = brace_choices(std::string_view(text).substr(brace + 1, end - brace - 1));
      for (auto choice = choices.rbegin(); choice != choices.rend(); ++choice) {
        open.push_back(text.substr(0, brace) + std::string(*choice) + text.substr(end + 1));
      }
    }
    if (open.size() + done.size() > kMaxGlobAlternatives) {
      return refused(pattern, fmt::format("its braces stand for more than {} patterns", kMaxGlobAlternatives));
    }
  }
  return done;
}

Status check_brackets(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == '[') {
      const std::size_t end = class_end(pattern, i);
      if (end == kNone) return refused(pattern, "a [ without its ]");
      i = end - 1;
    }
  }
  return ok_status();
}

Glob::Components merge_double_stars(Glob::Components components) {
  components.erase(std::unique(components.begin(), components.end(),
                               [](const std::string& a, const std::string& b) { return a == "**" && b == "**"; }),
                   components.end());
  return components;
}

bool match_components(const Glob::Components& pattern, const std::vector<std::string>& path) {
  // reached[i]: the pattern up to here matches the first i components. One row per pattern component: no backtracking.
  std::vector<char> reached(path.size() + 1, 0);
  reached[0] = 1;
  for (const std::string& component : pattern) {
    if (component == "**") {
      for (std::size_t i = 1; i <= path.size(); ++i)
        reached[i] = reached[i] || (reached[i - 1] && path[i - 1][0] != '.');
      continue;
    }
    for (std::size_t i = path.size(); i > 0; --i)
      reached[i] = reached[i - 1] && match_component(component, path[i - 1]);
    reached[0] = 0;
  }
  return reached[path.size()] != 0;
}

}  // namespace

bool has_glob_characters(std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '\\')
      ++i;
    else if (path[i] == '*' || path[i] == '?' || path[i] == '[' || path[i] == '{')
      return true;
  }
  return false;
}

bool match_component(std::string_view pattern, std::string_view name) {
  if (!name.empty() && name[0] == '.' && !pattern.empty() && pattern[0] != '.' && pattern[0] != '\\') return false;
  std::string_view after_star;  // pattern behind the last star
  std::string_view star_name;   // the name from where that star may take one more character
  bool star = false;
  while (!name.empty() || !pattern.empty()) {
    if (!pattern.empty() && pattern[0] == '*') {
      pattern.remove_prefix(1);
      after_star = pattern, star_name = name, star = true;
      continue;
    }
    const auto step = pattern.empty() ? std::nullopt : match_one(pattern, name);
    if (step) {
      pattern.remove_prefix(step->pattern);
      name.remove_prefix(step->name);
      continue;
    }
    if (!star || star_name.empty()) return false;
    star_name.remove_prefix(1);
    name = star_name, pattern = after_star;
  }
  return true;
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> components;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") components.emplace_back(part);
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return components;
}

Result<Glob> Glob::compile(std::string_view pattern) {
  if (pattern.empty() || pattern[0] != '/') return refused(pattern, "it must begin with /");
  if (pattern.size() > kMaxGlobBytes) return refused(pattern, fmt::format("it is longer than {} bytes", kMaxGlobBytes));
  if (pattern.find('\0') != kNone) return refused(pattern, "it holds a NUL byte");
  LB_ASSIGN(const auto expanded, expand_braces(pattern));
  Glob glob;
  for (const std::string& text : expanded) {
    LB_TRY(check_brackets(text));
    Components components = merge_double_stars(split_path(text));
    if (components.size() > kMaxGlobDepth)
      return refused(pattern, fmt::format("more than {} folders deep", kMaxGlobDepth));
    const auto stars = std::count(components.begin(), components.end(), "**");
    if (static_cast<std::size_t>(stars) > kMaxDoubleStars) {
      return refused(pattern, fmt::format("more than {} times **", kMaxDoubleStars));
    }
    glob.alternatives_.push_back(std::move(components));
  }
  return glob;
}

bool Glob::matches(std::string_view path) const {
  const auto components = split_path(path);
  return std::any_of(alternatives_.begin(), alternatives_.end(),
                     [&](const Components& alternative) { return match_components(alternative, components); });
}

}  // namespace logboom::source
