#include "logstore/query/path_pattern.h"

#include <algorithm>

#include "logstore/query/folding.h"

namespace logboom::logstore::query {
namespace {

using Places = std::vector<char>;  // where in the text the parts so far may end

Places behind_literal(const Places& from, std::string_view text, std::string_view literal) {
  Places to(from.size());
  for (std::size_t i = 0; i + literal.size() <= text.size(); ++i) {
    if (from[i] && text.substr(i, literal.size()) == literal) to[i + literal.size()] = 1;
  }
  return to;
}

Places behind_one(const Places& from, std::string_view text) {
  Places to(from.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (from[i] && text[i] != '/') to[i + character_length(text, i)] = 1;
  }
  return to;
}

Places behind_any(const Places& from) {
  Places to(from.size());
  std::fill(std::find(from.begin(), from.end(), 1) - from.begin() + to.begin(), to.end(), 1);
  return to;
}

Places behind_folders(const Places& from, std::string_view text) {
  Places to = from;
  const auto first = static_cast<std::size_t>(std::find(from.begin(), from.end(), 1) - from.begin());
  for (std::size_t i = first + 1; i < to.size(); ++i) {
    if (text[i - 1] == '/') to[i] = 1;
  }
  return to;
}

}  // namespace

PathPattern::PathPattern(std::string_view pattern, bool exact) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern.substr(i, 4) == "/**/") {
      add('/');
      parts_.push_back({Kind::kFolders, {}});
      i += 3;
    } else if (pattern[i] == '*') {
      parts_.push_back({Kind::kAny, {}});
    } else if (pattern[i] == '?') {
      parts_.push_back({Kind::kOne, {}});
    } else {
      if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
      add(pattern[i]);
    }
  }
  if (exact) return;
  for (Part& part : parts_) part.text = fold(part.text);
}

void PathPattern::add(char c) {
  if (parts_.empty() || parts_.back().kind != Kind::kLiteral) parts_.emplace_back();
  parts_.back().text += c;
}

bool PathPattern::matches(std::string_view text) const {
  Places places(text.size() + 1);
  places[0] = 1;
  for (const Part& part : parts_) {
    switch (part.kind) {
      case Kind::kLiteral:
        places = behind_literal(places, text, part.text);
        break;
      case Kind::kOne:
        places = behind_one(places, text);
        break;
      case Kind::kAny:
        places = behind_any(places);
        break;
      case Kind::kFolders:
        places = behind_folders(places, text);
        break;
    }
  }
  return places.back() != 0;
}

}  // namespace logboom::logstore::query
