#include "logstore/query/text_matcher.h"

#include <algorithm>
#include <optional>

#include "logstore/query/folding.h"
#include "logstore/query/tokens.h"

namespace logboom::logstore::query {
namespace {

// U+017F and U+212A, which fold to s and k.
constexpr std::string_view kLongS = "\xC5\xBF";
constexpr std::string_view kKelvin = "\xE2\x84\xAA";

bool has_character_that_folds_to_ascii(std::string_view text) {
  if (is_ascii(text)) return false;
  static const Literal long_s{std::string(kLongS), false};
  static const Literal kelvin{std::string(kKelvin), false};
  return long_s.find(text) != Literal::npos || kelvin.find(text) != Literal::npos;
}

bool word_before(std::string_view text, std::size_t at) {
  if (at == 0) return false;
  const std::string_view before = text.substr(0, at);
  return is_word_byte(before.back()) || before.ends_with(kLongS) || before.ends_with(kKelvin);
}

bool word_behind(std::string_view text, std::size_t at) {
  if (at >= text.size()) return false;
  const std::string_view behind = text.substr(at);
  return is_word_byte(behind.front()) || behind.starts_with(kLongS) || behind.starts_with(kKelvin);
}

// A shorter literal of a regex stands in so many lines that the regex itself finds its place sooner.
constexpr std::size_t kUsefulAnchor = 3;

struct Segments {
  std::vector<std::string> parts;
  bool open_start = false;
  bool open_end = false;
};

Segments split_pattern(std::string_view pattern) {
  Segments out;
  std::string part;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*') {
      if (i == 0) out.open_start = true;
      if (i + 1 == pattern.size()) out.open_end = true;
      if (!part.empty()) out.parts.push_back(std::move(part));
      part.clear();
      continue;
    }
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    part += pattern[i];
  }
  if (!part.empty()) out.parts.push_back(std::move(part));
  return out;
}

std::string_view line_around(std::string_view text, std::size_t at) {
  const std::size_t before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  return text.substr(begin, text.find('\n', at) - begin);
}

// Cuts a folded text at what cannot be found without folding the other side; the longest piece.
std::string_view longest_caseless_run(std::string_view folded, bool spare_k_and_s) {
  std::string_view best;
  std::size_t begin = 0;
  std::size_t at = 0;
  const auto close = [&](std::size_t end) {
    if (end - begin > best.size()) best = folded.substr(begin, end - begin);
  };
  while (at < folded.size()) {
    bool valid = false;
    const std::size_t length = character_length(folded, at, &valid);
    const char c = folded[at];
    const bool ascii = static_cast<unsigned char>(c) < 0x80;
    const bool fits =
        ascii ? !(spare_k_and_s && (c == 'k' || c == 's')) : valid && is_caseless(code_point(folded, at, length));
    if (!fits) {
      close(at);
      begin = at + length;
    }
    at += length;
  }
  close(at);
  return best;
}

// Tokens of a segment that are whole in every text that holds it.
void add_whole_tokens(std::string_view folded, bool left_edge, bool right_edge, std::vector<std::string>& out) {
  for_each_token(folded, [&](std::string_view token) {
    const bool at_left = token.data() == folded.data();
    const bool at_right = token.data() + token.size() == folded.data() + folded.size();
    if (is_word_byte(token.front())) {
      if ((at_left && !left_edge) || (at_right && !right_edge)) return;
    } else if (token.size() == 1) {
      return;  // an invalid byte: it may be half of a valid character there
    }
    if (std::find(out.begin(), out.end(), token) == out.end()) out.emplace_back(token);
  });
}

// An exact segment may begin or end within a character of the text, whose folding changes those bytes.
std::string_view without_broken_ends(std::string_view text) {
  while (!text.empty() && internal::byte_class(text.front()) == 2) {
    bool valid = false;
    character_length(text, 0, &valid);
    if (valid) break;
    text.remove_prefix(1);
  }
  for (std::size_t back = std::min<std::size_t>(3, text.size()); back > 0; --back) {
    const auto b = static_cast<unsigned char>(text[text.size() - back]);
    if (b < 0xC0) continue;
    bool valid = false;
    const std::size_t length = character_length(text, text.size() - back, &valid);
    if (!valid || length < back) return text.substr(0, text.size() - back);
    break;
  }
  return text;
}

}  // namespace

Result<TextMatcher> TextMatcher::compile(const Node& node) {
  TextMatcher m;
  m.exact_ = node.exact;
  if (node.kind == NodeKind::kPhrase) {
    m.crosses_lines_ = node.text.find('\n') != std::string::npos;
    m.start_edge_ = m.end_edge_ = true;
    m.add_segment(node.text, true, true);
  } else if (node.kind == NodeKind::kPattern) {
    Segments split = split_pattern(node.text);
    m.start_edge_ = !split.open_start;
    m.end_edge_ = !split.open_end;
    for (std::size_t i = 0; i < split.parts.size(); ++i) {
      m.add_segment(std::move(split.parts[i]), i == 0, i + 1 == split.parts.size());
    }
  } else if (node.kind == NodeKind::kRegex) {
    LB_ASSIGN(Regex regex, Regex::compile(node.text, node.fold));
    m.regex_ = std::make_shared<const Regex>(std::move(regex));
    m.shape_ = RegexShape::of(node.text, node.fold);
    m.needs_ = RegexNeeds::of(node.text, node.fold);
    // Too short for filters, but it spares many lines the regex.
    const std::string shorter = m.needs_.required().empty() ? RegexNeeds::of(node.text, node.fold, 1).required() : "";
    const std::string& required = shorter.empty() ? m.needs_.required() : shorter;
    if (!required.empty()) m.literals_.push_back(required);
    if (required.size() >= kUsefulAnchor || !m.regex_->can_scan()) m.choose_anchor(required);
  } else {
    return Error(ErrorCode::kInvalidArgument, "cannot match a text: not a condition on texts");
  }
  return m;
}

void TextMatcher::add_segment(std::string text, bool first, bool last) {
  const std::string folded = fold(text);
  const std::string_view whole = exact_ ? without_broken_ends(text) : std::string_view(text);
  const std::string literal = fold(whole);
  const bool left_edge = first && start_edge_ && whole.data() == text.data();
  const bool right_edge = last && end_edge_ && whole.data() + whole.size() == text.data() + text.size();
  add_whole_tokens(literal, left_edge, right_edge, tokens_);
  if (!literal.empty()) literals_.push_back(literal);
  if (first) start_edge_ = start_edge_ && !folded.empty() && is_word_byte(folded.front());
  if (last) end_edge_ = end_edge_ && !folded.empty() && is_word_byte(folded.back());
  if (exact_) {
    if (text.size() > anchor_.size()) anchor_ = Literal(text, false);
    direct_ = first && last;
    segments_.emplace_back(std::move(text), false);
    return;
  }
  direct_ = first && last && longest_caseless_run(folded, false).size() == folded.size();
  long_s_ = long_s_ || folded.find_first_of("ks") != std::string::npos;
  choose_anchor(folded);
  segments_.emplace_back(folded, true);
}

void TextMatcher::choose_anchor(std::string_view folded) {
  const std::string_view run = longest_caseless_run(folded, true);
  if (run.size() > anchor_.size()) anchor_ = Literal(std::string(run), true);
}

bool TextMatcher::is_monotone() const {
  return !crosses_lines_ && (regex_ == nullptr || shape_.has_value());
}

bool TextMatcher::edges_fit(std::string_view text, std::size_t at, const Literal& segment, bool first,
                            bool last) const {
  if (first && start_edge_ && word_before(text, at)) return false;
  return !(last && end_edge_ && word_behind(text, at + segment.size()));
}

bool TextMatcher::segments_match(std::string_view line) const {
  std::size_t from = 0;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const Literal& segment = segments_[i];
    std::size_t at = segment.find(line, from);
    while (at != npos && !edges_fit(line, at, segment, i == 0, i + 1 == segments_.size()))
      at = segment.find(line, at + 1);
    if (at == npos) return false;
    from = at + segment.size();
  }
  return true;
}

bool TextMatcher::line_matches(std::string_view line, std::string& scratch) const {
  if (regex_ != nullptr) return regex_->found_in(line);
  if (exact_ || is_ascii(line)) return segments_match(line);
  fold(line, scratch);
  return segments_match(scratch);
}

std::size_t TextMatcher::find_directly(std::string_view text, std::size_t from) const {
  const Literal& segment = segments_.front();
  std::size_t at = segment.find(text, from);
  while (at != npos && !edges_fit(text, at, segment, true, true)) at = segment.find(text, at + 1);
  return at;
}

std::size_t TextMatcher::next_candidate(std::string_view text, std::size_t from) const {
  if (anchor_.size() != 0) return anchor_.find(text, from);
  if (regex_ != nullptr && regex_->can_scan()) return regex_->candidate(text, from);
  return from;
}

std::size_t TextMatcher::find_by_lines(std::string_view text, std::size_t from, std::string& scratch) const {
  while (from <= text.size()) {
    const std::size_t at = next_candidate(text, from);
    if (at == npos) return npos;
    const std::string_view line = line_around(text, at);
    if (line_matches(line, scratch)) return at;
    from = static_cast<std::size_t>(line.data() - text.data()) + line.size() + 1;
  }
  return npos;
}

std::size_t TextMatcher::find(std::string_view text, std::size_t from, std::string& scratch) const {
  if (direct_) {
    const std::size_t at = find_directly(text, from);
    // A line before that one may match by a character that only folding finds.
    const bool sure = exact_ || !long_s_ || !has_character_that_folds_to_ascii(text.substr(from, at - from));
    if (sure) return at;
  }
  if (crosses_lines_) return line_matches(text.substr(from), scratch) ? from : npos;
  return find_by_lines(text, from, scratch);
}

}  // namespace logboom::logstore::query
