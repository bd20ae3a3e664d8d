// YamlNode: a YAML document as a plain tree with places, read strictly: duplicate keys, anchors and aliases (expansion
// bombs), tags, more than kMaxDepth levels and files over kMaxYamlBytes are errors with line and column.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/problem.h"

namespace logboom::config {

inline constexpr std::size_t kMaxYamlBytes = 4u << 20;
inline constexpr int kMaxYamlDepth = 32;

struct YamlEntry;

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  std::string scalar;
  bool quoted = false;
  int line = 0;    // 1-based
  int column = 0;  // 1-based
  std::vector<YamlNode> list;
  std::vector<YamlEntry> map;  // keys are scalars, in the order of the file

  const YamlNode* find(std::string_view key) const;
};

struct YamlEntry {
  YamlNode first;
  YamlNode second;
};

// Reads one document; an empty one is kNull. On errors appends problems and returns false.
bool parse_yaml(const std::string& file, std::string_view text, YamlNode& root, std::vector<Problem>& problems);

// The problem at a node of `text`, with its line as snippet.
Problem problem_at(const std::string& file, std::string_view text, const YamlNode& node, std::string message,
                   std::string hint = "");

// A scalar as YAML writes it, quoted where a plain one would be read as something else.
std::string yaml_scalar(std::string_view text);

}  // namespace logboom::config
