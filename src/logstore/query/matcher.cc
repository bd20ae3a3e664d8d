#include "logstore/query/matcher.h"

#include <algorithm>

#include <fmt/format.h>

namespace logboom::logstore::query {
namespace {

Status compile_into(const Node& node, std::size_t depth, std::size_t& regexes, MatchNode& out) {
  if (depth > kMaxDepth * 2) return Error(ErrorCode::kInvalidArgument, "cannot search: the query is nested too deeply");
  out.kind = node.kind;
  const bool regex = node.kind == NodeKind::kRegex || (node.kind == NodeKind::kField && node.op == FieldOp::kRegex);
  if (regex && ++regexes > kMaxRegexes) {
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("cannot search: the query has more than {} regular expressions", kMaxRegexes));
  }
  switch (node.kind) {
    case NodeKind::kAll:
      break;
    case NodeKind::kAnd:
    case NodeKind::kOr:
    case NodeKind::kNot:
      out.children.resize(node.children.size());
      for (std::size_t i = 0; i < node.children.size(); ++i) {
        LB_TRY(compile_into(node.children[i], depth + 1, regexes, out.children[i]));
      }
      if (node.kind == NodeKind::kNot && node.children.size() != 1) {
        return Error(ErrorCode::kInvalidArgument, "cannot search: NOT has no part to negate");
      }
      break;
    case NodeKind::kPhrase:
    case NodeKind::kPattern:
    case NodeKind::kRegex: {
      LB_ASSIGN(out.text, TextMatcher::compile(node));
      break;
    }
    case NodeKind::kField: {
      LB_ASSIGN(out.field, FieldMatcher::compile(node));
      break;
    }
  }
  return ok_status();
}

}  // namespace

const std::string* constant_of(const std::vector<std::pair<std::string, std::string>>& constants,
                               std::string_view name) {
  const auto found =
      std::find_if(constants.begin(), constants.end(), [&](const auto& field) { return field.first == name; });
  return found == constants.end() ? nullptr : &found->second;
}

Result<Matcher> Matcher::compile(const Node& node) {
  auto root = std::make_shared<MatchNode>();
  std::size_t regexes = 0;
  LB_TRY(compile_into(node, 0, regexes, *root));
  Matcher matcher;
  matcher.root_ = std::move(root);
  return matcher;
}

bool Matcher::matches(const FieldMatcher& field, const RecordView& record, Scratch& scratch) {
  switch (field.origin()) {
    case FieldOrigin::kHost:
      return field.matches_text(record.host);
    case FieldOrigin::kFile:
      return field.matches_path(record.path);
    case FieldOrigin::kLevel:
      return field.matches_level(record.level);
    case FieldOrigin::kTopic:
      return field.matches_text(record.channel);
    case FieldOrigin::kSource:
      return field.matches_text(record.source.to_hex());
    case FieldOrigin::kRule:
      return field.matches_text(record.rule);
    case FieldOrigin::kParsed:
      break;
  }
  if (record.constants != nullptr) {
    if (const std::string* value = constant_of(*record.constants, field.name())) return field.matches_text(*value);
  }
  const auto value = scratch.fields.field(record.format, record.text, field.name());
  return value.has_value() && field.matches(*value);
}

bool Matcher::matches(const MatchNode& node, const RecordView& record, Scratch& scratch) {
  const auto child_matches = [&](const MatchNode& child) { return matches(child, record, scratch); };
  switch (node.kind) {
    case NodeKind::kAll:
      return true;
    case NodeKind::kAnd:
      return std::all_of(node.children.begin(), node.children.end(), child_matches);
    case NodeKind::kOr:
      return std::any_of(node.children.begin(), node.children.end(), child_matches);
    case NodeKind::kNot:
      return !child_matches(node.children.front());
    case NodeKind::kPhrase:
    case NodeKind::kPattern:
    case NodeKind::kRegex:
      return node.text->matches(record.text, scratch.folded);
    case NodeKind::kField:
      return matches(*node.field, record, scratch);
  }
  return false;
}

}  // namespace logboom::logstore::query
