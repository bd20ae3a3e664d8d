#include "config/previews.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "http/json_reading.h"

namespace logboom::config {
namespace {

using nlohmann::json;

using http::has_count;
using http::has_text;

constexpr int kDepth = 4;

// A path that is no UTF-8 stands in `file_raw`, too.
bool is_file(const json& row) {
  return row.is_object() && has_text(row, "file") && has_text(row, "rule") && has_text(row, "topic") &&
         has_count(row, "size") && has_text(row, "lines_per_second") && has_text(row, "problem") &&
         (!row.contains("file_raw") || row["file_raw"].is_string());
}

bool is_list(const json& tree, const char* name, bool (*is_row)(const json&)) {
  const auto found = tree.find(name);
  if (found == tree.end() || !found->is_array()) return false;
  for (const json& row : *found) {
    if (!is_row(row)) return false;
  }
  return true;
}

// The member that is not as it should be; empty: none.
std::string wrong_member(const json& tree) {
  if (!has_text(tree, "id")) return "/id";
  if (tree.contains("problem")) return tree["problem"].is_string() ? "" : "/problem";
  if (!has_count(tree, "files")) return "/files";
  if (!has_text(tree, "lines_per_second")) return "/lines_per_second";
  if (!is_list(tree, "shown", is_file)) return "/shown";
  if (!is_list(tree, "problems", [](const json& row) { return row.is_string(); })) return "/problems";
  return "";
}

}  // namespace

std::string write_question(const PreviewQuestion& question) {
  return http::dump_json(json{{"id", question.id}, {"yaml", question.yaml}});
}

std::optional<PreviewQuestion> read_question(const json& tree) {
  if (!has_text(tree, "id") || !has_text(tree, "yaml")) return std::nullopt;
  return PreviewQuestion{tree["id"].get<std::string>(), tree["yaml"].get<std::string>()};
}

Result<json> read_preview(std::string_view text) {
  json tree = http::parse_json(text, kDepth);
  if (!tree.is_object()) return Error(ErrorCode::kCorrupt, "the answer of an agent is no JSON object");
  if (const std::string wrong = wrong_member(tree); !wrong.empty())
    return Error(ErrorCode::kCorrupt, fmt::format("the answer of an agent is not understood: {}", wrong));
  return tree;
}

}  // namespace logboom::config
