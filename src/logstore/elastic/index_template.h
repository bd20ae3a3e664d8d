// What the indices of logboom look like in the target: names, settings, the analyzer whose tokens are those of
// query/tokens.h, mappings (docs/formats/document.md). Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "logstore/elastic/cluster.h"

namespace logboom::logstore::elastic {

// Claims, stored ranges, positions and the quarantine.
inline constexpr const char* kLedgerIndex = "logboom.ledger";
// Longer words are indexed by their beginning.
inline constexpr std::size_t kMaxToken = 1000;
// Longer values of parsed and constant fields are not indexed.
inline constexpr std::size_t kMaxKeyword = 1024;

// The index of a record: `pattern` with {topic} and {day} filled in; what an index name cannot hold becomes '-'.
std::string index_name(std::string_view pattern, std::string_view topic, TimeNs arrival);
// A pattern for all indices of a topic, and of all topics.
std::string indices_of(std::string_view pattern, std::string_view topic);
std::string all_indices(std::string_view pattern);
// Whether an index has a name that such a pattern takes; '*' stands for anything.
bool fits_indices(std::string_view pattern, std::string_view index);
// The name with its day left open: "web-2026.11.20" is "web-*".
std::string any_day_of(std::string_view index);

struct Template {
  std::string target;  // of the PUT
  std::string body;
};
// For the indices of one topic.
Template index_template(const Version& version, std::string_view pattern, std::string_view topic);
// For the index of the ledger, were it deleted by hand and made again by the next write.
Template ledger_template(const Version& version);
// Body that creates it.
std::string ledger_body();

}  // namespace logboom::logstore::elastic
