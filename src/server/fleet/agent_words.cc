#include "server/fleet/agent_words.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace logboom::server {
namespace {

using nlohmann::json;

bool is_text_or_absent(const json& row, const char* name) {
  const auto found = row.find(name);
  return found == row.end() || found->is_string();
}

bool is_number_or_none(const json& row, const char* name) {
  const auto found = row.find(name);
  return found == row.end() || found->is_null() || found->is_number_integer();
}

bool is_source_row(const json& row) {
  constexpr std::array kTexts = {"source", "file", "file_raw", "topic", "rule", "state", "problem"};
  constexpr std::array kNumbers = {"epoch", "size", "read", "acknowledged", "lag"};
  return row.is_object() && std::ranges::all_of(kTexts, [&](const char* n) { return is_text_or_absent(row, n); }) &&
         std::ranges::all_of(kNumbers, [&](const char* n) { return is_number_or_none(row, n); });
}

// Of members that older programs do not say.
std::string wrong_in_newer_members(const json& words) {
  if (words.contains("role") && words["role"] != "agent" && words["role"] != "transfer")
    return "/role: expected agent or transfer";
  if (!is_text_or_absent(words["rules"], "from")) return "/rules/from: expected a string";
  if (!is_number_or_none(words["totals"], "lag_messages")) return "/totals/lag_messages: expected a whole number";
  if (!words.contains("topics")) return "";
  const json& topics = words["topics"];
  return topics.is_array() && std::ranges::all_of(topics, is_partition_row)
             ? ""
             : "/topics: expected an array of objects with topic, partition, stored, end and lag";
}

}  // namespace

bool is_partition_row(const json& row) {
  constexpr std::array kNumbers = {"partition", "stored", "end", "lag"};
  return row.is_object() && row.contains("topic") && row["topic"].is_string() &&
         std::ranges::all_of(kNumbers, [&](const char* name) { return is_number_or_none(row, name); });
}

std::string wrong_in_agent_words(const json& words) {
  if (!words.is_object()) return fmt::format("the body must be a JSON object, at most {} deep", kAgentWordsDepth);
  for (const char* name : {"/totals/files", "/totals/lag_bytes", "/totals/unreadable", "/rules/revision"}) {
    const json::json_pointer at(name);
    if (!words.contains(at) || !words[at].is_number_unsigned()) return fmt::format("{}: expected a whole number", name);
  }
  for (const char* name : {"/problem", "/rules/problem"}) {
    const json::json_pointer at(name);
    if (!words.contains(at) || !words[at].is_string()) return fmt::format("{}: expected a string", name);
  }
  if (!words.contains("sources") || !words["sources"].is_array()) return "/sources: expected an array";
  if (!std::ranges::all_of(words["sources"], is_source_row))
    return "/sources: expected objects with source, epoch, file, topic, rule, state, size, read, acknowledged, lag and "
           "problem";
  return wrong_in_newer_members(words);
}

}  // namespace logboom::server
