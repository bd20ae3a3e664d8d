// Whether an index can hold logboom's documents and be searched as its own: the mapping it has beside the one its
// template asks for. Pure functions; the JSON is a server's and may be anything.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace logboom::logstore::elastic {

// Fields of `wanted` ("properties" at the top) that `have` maps otherwise or not at all, each as a sentence: "message
// is keyword, not text". Those that are mapped otherwise come first; each in the order of their names.
std::vector<std::string> mapping_differences(const nlohmann::json& wanted, const nlohmann::json& have);

}  // namespace logboom::logstore::elastic
