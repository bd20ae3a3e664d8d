// A query's AST as one line, for golden cases: (and (phrase "a") (not (regex "b"))).
#pragma once

#include <string>

#include "logstore/query/query.h"

namespace logboom::logstore::query {

inline std::string dump(const Node& node) {
  static constexpr const char* kKinds[] = {"all", "and", "or", "not", "phrase", "pattern", "regex", "field"};
  static constexpr const char* kOps[] = {"=", "like", "~", "exists", "<", "<=", ">", ">=", "range"};
  std::string out = std::string("(") + kKinds[static_cast<int>(node.kind)];
  if (node.kind == NodeKind::kField) out += " " + node.field + " " + kOps[static_cast<int>(node.op)];
  const bool has_text =
      node.kind >= NodeKind::kPhrase && !(node.kind == NodeKind::kField && node.op == FieldOp::kExists);
  if (has_text) out += " <" + node.text + ">";
  if (node.kind == NodeKind::kField && node.op == FieldOp::kRange) out += " <" + node.text2 + ">";
  if (node.exact) out += " exact";
  if (node.fold) out += " fold";
  for (const Node& child : node.children) out += " " + dump(child);
  return out + ")";
}

}  // namespace logboom::logstore::query
