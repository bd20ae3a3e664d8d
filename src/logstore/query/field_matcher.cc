#include "logstore/query/field_matcher.h"

#include <charconv>
#include <cmath>

#include "logstore/query/folding.h"
#include "logstore/query/tokens.h"
#include "parse/time.h"

namespace logboom::logstore::query {
namespace {

std::string folded_unless(bool exact, std::string_view text) {
  return exact ? std::string(text) : fold(text);
}

// Between the stars, also the empty texts before a leading and behind a trailing one.
std::vector<std::string> segments_of(std::string_view pattern, bool exact) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*') {
      parts.emplace_back();
      continue;
    }
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    parts.back() += pattern[i];
  }
  for (std::string& part : parts) part = folded_unless(exact, part);
  return parts;
}

// JSON spells such characters as \u escapes or as others that join the text behind them to one token.
bool stands_plainly_in_json(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) return false;
  }
  return true;
}

int sign_of(int n) {
  return n < 0 ? -1 : (n > 0 ? 1 : 0);
}

}  // namespace

FieldOrigin origin_of(std::string_view field) {
  if (field == "host") return FieldOrigin::kHost;
  if (field == "file" || field == "path") return FieldOrigin::kFile;
  if (field == "level") return FieldOrigin::kLevel;
  if (field == "topic" || field == "channel") return FieldOrigin::kTopic;
  if (field == "source") return FieldOrigin::kSource;
  if (field == "rule") return FieldOrigin::kRule;
  return FieldOrigin::kParsed;
}

std::optional<FieldMatcher::Number> FieldMatcher::number_of(std::string_view text) {
  Number number;
  const char* end = text.data() + text.size();
  std::int64_t integer = 0;
  if (const auto r = std::from_chars(text.data(), end, integer); r.ec == std::errc() && r.ptr == end) {
    number.integer = integer;
    number.real = static_cast<double>(integer);
    return number;
  }
  const auto r = std::from_chars(text.data(), end, number.real);
  if (r.ec != std::errc() || r.ptr != end || !std::isfinite(number.real)) return std::nullopt;
  return number;
}

std::optional<FieldMatcher::Number> FieldMatcher::number_of(const parse::FieldValue& value) {
  Number number;
  if (const auto* i = std::get_if<std::int64_t>(&value)) {
    number.integer = *i;
    number.real = static_cast<double>(*i);
  } else if (const auto* u = std::get_if<std::uint64_t>(&value)) {
    if (*u <= static_cast<std::uint64_t>(INT64_MAX)) number.integer = static_cast<std::int64_t>(*u);
    number.real = static_cast<double>(*u);
  } else if (const auto* d = std::get_if<double>(&value)) {
    number.real = *d;
  } else if (const auto* s = std::get_if<std::string>(&value)) {
    return number_of(std::string_view(*s));
  } else {
    return std::nullopt;
  }
  return number;
}

int FieldMatcher::compare(const Number& a, const Number& b) {
  if (a.integer && b.integer) return *a.integer < *b.integer ? -1 : (*a.integer > *b.integer ? 1 : 0);
  return a.real < b.real ? -1 : (a.real > b.real ? 1 : 0);
}

FieldMatcher::Operand FieldMatcher::operand_of(const std::string& text, bool exact) {
  Operand operand;
  operand.open = text == "*";
  operand.text = folded_unless(exact, text);
  operand.number = number_of(std::string_view(text));
  if (!operand.number) operand.time = parse::parse_time(text, {});
  operand.level = level_from_name(text);
  return operand;
}

Result<FieldMatcher> FieldMatcher::compile(const Node& node) {
  if (node.kind != NodeKind::kField)
    return Error(ErrorCode::kInvalidArgument, "cannot match a field: not a condition on one");
  FieldMatcher m;
  m.origin_ = origin_of(node.field);
  m.name_ = node.field;
  m.op_ = node.op;
  m.exact_ = node.exact;
  m.first_ = operand_of(node.text, node.exact);
  m.second_ = operand_of(node.text2, node.exact);
  if (node.op == FieldOp::kPattern && m.origin_ == FieldOrigin::kFile) m.path_.emplace(node.text, node.exact);
  if (node.op == FieldOp::kPattern && !m.path_) m.segments_ = segments_of(node.text, node.exact);
  if (node.op == FieldOp::kRegex) {
    LB_ASSIGN(Regex regex, Regex::compile(node.text, node.fold));
    m.regex_ = std::make_shared<const Regex>(std::move(regex));
  }
  const bool says_tokens = m.origin_ == FieldOrigin::kParsed && node.op == FieldOp::kEquals && !m.first_.number &&
                           stands_plainly_in_json(node.text);
  if (says_tokens) {
    for_each_token(fold(node.text), [&](std::string_view token) { m.tokens_.emplace_back(token); });
  }
  return m;
}

bool FieldMatcher::equals(const std::optional<Number>& number, std::string_view text) const {
  if (folded_unless(exact_, text) == first_.text) return true;
  return !exact_ && number && first_.number && compare(*number, *first_.number) == 0;
}

bool FieldMatcher::fits_pattern(std::string_view text) const {
  const std::string value = folded_unless(exact_, text);
  if (path_) return path_->matches(value);
  const std::string& head = segments_.front();
  const std::string& tail = segments_.back();
  if (segments_.size() == 1) return value == head;
  if (value.size() < head.size() + tail.size() || !value.starts_with(head) || !value.ends_with(tail)) return false;
  const std::string_view middle = std::string_view(value).substr(0, value.size() - tail.size());
  std::size_t at = head.size();
  for (std::size_t i = 1; i + 1 < segments_.size(); ++i) {
    at = middle.find(segments_[i], at);
    if (at == std::string_view::npos) return false;
    at += segments_[i].size();
  }
  return true;
}

std::optional<int> FieldMatcher::order(const Operand& operand, const std::optional<Number>& number,
                                       std::string_view text) const {
  if (operand.number) return number ? std::optional(compare(*number, *operand.number)) : std::nullopt;
  if (operand.time) {
    const auto time = parse::parse_time(text, {});
    if (!time) return std::nullopt;
    return *time < *operand.time ? -1 : (*time > *operand.time ? 1 : 0);
  }
  return sign_of(folded_unless(exact_, text).compare(operand.text));
}

bool FieldMatcher::op_accepts(const std::optional<int>& to_first, const std::optional<int>& to_second) const {
  switch (op_) {
    case FieldOp::kLess:
      return to_first && *to_first < 0;
    case FieldOp::kLessEqual:
      return to_first && *to_first <= 0;
    case FieldOp::kGreater:
      return to_first && *to_first > 0;
    case FieldOp::kGreaterEqual:
      return to_first && *to_first >= 0;
    case FieldOp::kRange:
      return (first_.open || (to_first && *to_first >= 0)) && (second_.open || (to_second && *to_second <= 0));
    default:
      return false;
  }
}

bool FieldMatcher::in_order(const std::optional<Number>& number, std::string_view text) const {
  const auto to_second = op_ == FieldOp::kRange ? order(second_, number, text) : std::nullopt;
  return op_accepts(order(first_, number, text), to_second);
}

bool FieldMatcher::matches(const std::optional<Number>& number, std::string_view text) const {
  switch (op_) {
    case FieldOp::kExists:
      return true;
    case FieldOp::kEquals:
      return equals(number, text);
    case FieldOp::kPattern:
      return fits_pattern(text);
    case FieldOp::kRegex:
      return regex_->found_in(text);
    default:
      return in_order(number, text);
  }
}

bool FieldMatcher::matches(const parse::FieldValue& value) const {
  if (std::holds_alternative<std::monostate>(value)) return false;  // null: the field has no value
  if (const auto* text = std::get_if<std::string>(&value)) return matches(number_of(std::string_view(*text)), *text);
  return matches(number_of(value), parse::to_text(value));
}

bool FieldMatcher::matches_text(std::string_view value) const {
  if (op_ == FieldOp::kExists) return !value.empty();
  return matches(number_of(value), value);
}

bool FieldMatcher::matches_path(std::string_view path) const {
  if (matches_text(path)) return true;
  const bool whole_path = first_.text.find('/') != std::string::npos;
  const bool names = op_ == FieldOp::kEquals || op_ == FieldOp::kPattern;
  const std::size_t slash = path.rfind('/');
  return names && !whole_path && slash != std::string_view::npos && matches_text(path.substr(slash + 1));
}

bool FieldMatcher::matches_level(Level level) const {
  const std::string_view name = level == Level::kNone ? "none" : level_name(level);
  switch (op_) {
    case FieldOp::kExists:
      return level != Level::kNone;
    case FieldOp::kEquals:
      return first_.level ? level == *first_.level : first_.text == name;
    case FieldOp::kPattern:
      return fits_pattern(name);
    case FieldOp::kRegex:
      return regex_->found_in(name);
    default:
      break;
  }
  const auto to = [&](const Operand& operand) -> std::optional<int> {
    if (!operand.level) return std::nullopt;
    return sign_of(static_cast<int>(level) - static_cast<int>(*operand.level));
  };
  return level != Level::kNone && op_accepts(to(first_), to(second_));
}

}  // namespace logboom::logstore::query
