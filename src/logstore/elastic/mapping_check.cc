#include "logstore/elastic/mapping_check.h"

#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"

namespace logboom::logstore::elastic {
namespace {

using nlohmann::json;

constexpr int kMostDepth = 10;

struct Mapped {
  std::string type;
  std::string analyzer;
};

std::string text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// "log.file.path" > how it is mapped, for all fields that hold values.
void flatten(const json& mapping, const std::string& prefix, int depth, std::map<std::string, Mapped>& out) {
  if (depth == 0 || !mapping.is_object()) return;
  const auto properties = mapping.find("properties");
  if (properties == mapping.end() || !properties->is_object()) return;
  for (const auto& [name, field] : properties->items()) {
    if (!field.is_object()) continue;
    const std::string type = text_of(field, "type");
    if (!type.empty() && type != "object") out[prefix + name] = {type, text_of(field, "analyzer")};
    flatten(field, prefix + name + ".", depth - 1, out);
  }
}

}  // namespace

std::vector<std::string> mapping_differences(const json& wanted, const json& have) {
  std::map<std::string, Mapped> ours;
  std::map<std::string, Mapped> theirs;
  flatten(wanted, "", kMostDepth, ours);
  flatten(have, "", kMostDepth, theirs);
  std::vector<std::string> differences;
  std::vector<std::string> missing;
  for (const auto& [name, field] : ours) {
    const auto found = theirs.find(name);
    if (found == theirs.end()) {
      missing.push_back(fmt::format("{} is not mapped, {} is wanted", name, field.type));
    } else if (found->second.type != field.type) {
      differences.push_back(fmt::format("{} is {}, not {}", name, printable(found->second.type), field.type));
    } else if (found->second.analyzer != field.analyzer) {
      const std::string analyzer = found->second.analyzer.empty() ? "standard" : printable(found->second.analyzer);
      differences.push_back(fmt::format("{} has the analyzer {}, not {}", name, analyzer, field.analyzer));
    }
  }
  differences.insert(differences.end(), missing.begin(), missing.end());
  return differences;
}

}  // namespace logboom::logstore::elastic
