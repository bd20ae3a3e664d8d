#include "logstore/query/requirements.h"

#include <algorithm>

#include "logstore/query/tokens.h"
#include "logstore/query/trigrams.h"

namespace logboom::logstore::query {

Requirements Requirements::token(std::string_view folded) {
  Requirements r;
  r.kind_ = Kind::kToken;
  r.token_ = token_hash(folded);
  return r;
}

Requirements Requirements::trigrams(std::string_view folded) {
  Requirements r;
  for_each_trigram(folded, [&](std::uint32_t hash) { r.trigrams_.push_back(hash); });
  std::sort(r.trigrams_.begin(), r.trigrams_.end());
  r.trigrams_.erase(std::unique(r.trigrams_.begin(), r.trigrams_.end()), r.trigrams_.end());
  if (!r.trigrams_.empty()) r.kind_ = Kind::kTrigrams;
  return r;
}

Requirements Requirements::join(Kind kind, std::vector<Requirements> children) {
  const auto says_nothing = [](const Requirements& r) { return r.kind_ == Kind::kNothing; };
  Requirements r;
  if (kind == Kind::kAny && std::any_of(children.begin(), children.end(), says_nothing)) return r;
  if (kind == Kind::kAll) std::erase_if(children, says_nothing);
  if (kind == Kind::kAll && children.empty()) return r;
  if (children.size() == 1) return std::move(children.front());
  r.kind_ = kind;
  r.children_ = std::move(children);
  return r;
}

Requirements Requirements::of_text(const TextMatcher& text) {
  std::vector<Requirements> all;
  for (const std::string& t : text.tokens()) all.push_back(token(t));
  // Whole tokens say nearly all that trigrams would, and their filter is smaller.
  if (all.empty() || text.tokens().size() < text.literals().size()) {
    for (const std::string& literal : text.literals()) all.push_back(trigrams(literal));
  }
  if (const RegexNeeds* needs = text.needs(); needs != nullptr && !needs->literals().empty()) {
    Requirements regex;
    regex.kind_ = Kind::kRegex;
    regex.needs_ = *needs;
    for (const std::string& literal : needs->literals()) regex.children_.push_back(trigrams(literal));
    all.push_back(std::move(regex));
  }
  return join(Kind::kAll, std::move(all));
}

Requirements Requirements::of_field(const FieldMatcher& field) {
  if (field.origin() != FieldOrigin::kParsed || field.tokens().empty()) return {};
  std::vector<Requirements> all;
  for (const std::string& t : field.tokens()) all.push_back(token(t));
  std::vector<Requirements> any;
  any.push_back(join(Kind::kAll, std::move(all)));
  any.push_back(trigrams("\\u0"));     // characters of the value may be spelled as escapes
  any.push_back(trigrams("\\u212a"));  // ... also this one, which folds to k
  Requirements constant;
  constant.kind_ = Kind::kConstant;
  constant.constant_ = field.name();
  any.push_back(std::move(constant));
  return join(Kind::kAny, std::move(any));
}

Requirements Requirements::of(const MatchNode& node) {
  if (node.text) return of_text(*node.text);
  if (node.field) return of_field(*node.field);
  if (node.kind != NodeKind::kAnd && node.kind != NodeKind::kOr) return {};
  std::vector<Requirements> children;
  for (const MatchNode& child : node.children) children.push_back(of(child));
  return join(node.kind == NodeKind::kAnd ? Kind::kAll : Kind::kAny, std::move(children));
}

bool Requirements::has(Kind kind) const {
  if (kind_ == kind) return true;
  return std::any_of(children_.begin(), children_.end(), [&](const Requirements& child) { return child.has(kind); });
}

bool Requirements::needs_trigrams() const {
  return has(Kind::kTrigrams);
}
bool Requirements::needs_tokens() const {
  return has(Kind::kToken);
}

}  // namespace logboom::logstore::query
