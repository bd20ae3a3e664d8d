#include "config/yaml.h"

#include <algorithm>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace logboom::config {
namespace {

std::string line_of(std::string_view text, int line) {
  for (int i = 1; i < line; ++i) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return "";
    text.remove_prefix(end + 1);
  }
  return std::string(text.substr(0, std::min<std::size_t>(text.find('\n'), 200)));
}

struct Refused {
  YAML::Mark mark;
  std::string message;
  std::string hint;
};

// Builds the tree from yaml-cpp's events; throws Refused, caught in parse_yaml below.
class TreeBuilder final : public YAML::EventHandler {
 public:
  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(make(YamlNode::Kind::kNull, mark, anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refused{mark, "an alias (*name) is not allowed here", "write the value out"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const bool plain = tag == "?" || tag.empty();
    if (!plain && tag != "!") throw Refused{mark, "a tag is not allowed here", "remove the " + tag};
    const bool null = plain && (value.empty() || value == "~" || value == "null");
    YamlNode node = make(null ? YamlNode::Kind::kNull : YamlNode::Kind::kScalar, mark, anchor);
    node.scalar = value;
    node.quoted = tag == "!";
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(make(YamlNode::Kind::kList, mark, anchor));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(make(YamlNode::Kind::kMap, mark, anchor));
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    YamlNode node;
    std::optional<YamlNode> key;
  };

  static YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) throw Refused{mark, "an anchor (&name) is not allowed here", "remove the &name"};
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }
  void open(YamlNode node) {
    if (static_cast<int>(levels_.size()) >= kMaxYamlDepth) throw Refused{mark_of(node), "nested too deeply", ""};
    levels_.push_back({std::move(node), std::nullopt});
  }
  void close() {
    YamlNode done = std::move(levels_.back().node);
    levels_.pop_back();
    add(std::move(done));
  }
  void add(YamlNode node) {
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& level = levels_.back();
    if (level.node.kind == YamlNode::Kind::kList) {
      level.node.list.push_back(std::move(node));
    } else if (!level.key) {
      add_key(level, std::move(node));
    } else {
      level.node.map.push_back({std::move(*level.key), std::move(node)});
      level.key.reset();
    }
  }
  static void add_key(Level& level, YamlNode key) {
    if (key.kind != YamlNode::Kind::kScalar) throw Refused{mark_of(key), "a key must be a plain word", ""};
    if (const YamlNode* first = level.node.find(key.scalar)) {
      throw Refused{mark_of(key), fmt::format("'{}' stands here twice (first in line {})", key.scalar, first->line),
                    "keep one of them"};
    }
    level.key = std::move(key);
  }
  static YAML::Mark mark_of(const YamlNode& node) {
    YAML::Mark mark;
    mark.line = node.line - 1;
    mark.column = node.column - 1;
    return mark;
  }

  std::vector<Level> levels_;
  YamlNode root_;
};

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const auto& [name, value] : map) {
    if (name.scalar == key) return &value;
  }
  return nullptr;
}

Problem problem_at(const std::string& file, std::string_view text, const YamlNode& node, std::string message,
                   std::string hint) {
  return {file, node.line, node.column, line_of(text, node.line), std::move(message), std::move(hint), false};
}

bool parse_yaml(const std::string& file, std::string_view text, YamlNode& root, std::vector<Problem>& problems) {
  YamlNode place;
  const auto refuse = [&](const YAML::Mark& mark, std::string message, std::string hint) {
    place.line = mark.line + 1;
    place.column = mark.column + 1;
    problems.push_back(problem_at(file, text, place, std::move(message), std::move(hint)));
    return false;
  };
  if (text.size() > kMaxYamlBytes)
    return refuse(YAML::Mark::null_mark(), "larger than 4 MiB", "is this the right file?");
  if (text.find('\0') != std::string_view::npos)
    return refuse(YAML::Mark::null_mark(), "holds NUL bytes; this is no YAML", "");
  TreeBuilder builder;
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    parser.HandleNextDocument(builder);
    root = builder.take();
    return true;
  } catch (const Refused& refused) {
    return refuse(refused.mark, refused.message, refused.hint);
  } catch (const YAML::Exception& exception) {
    const bool tab = line_of(text, exception.mark.line + 1).find('\t') != std::string::npos;
    return refuse(exception.mark, exception.msg, tab ? "YAML is indented with spaces, not tabs" : "");
  } catch (const std::exception& exception) {
    return refuse(YAML::Mark::null_mark(), fmt::format("cannot be read as YAML: {}", exception.what()), "");
  }
}

std::string yaml_scalar(std::string_view text) {
  const auto safe = [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/' || c == '.' ||
           c == '_' || c == '-';
  };
  bool plain = !text.empty() && text[0] != '-' && text != "null" && text != "true" && text != "false" && text != "~";
  for (const char c : text) plain = plain && safe(static_cast<unsigned char>(c));
  if (plain) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace logboom::config
