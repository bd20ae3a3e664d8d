// The text of a record's fields, for facets.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "logstore/query/matcher.h"
#include "logstore/tally.h"

namespace logboom::logstore {

// Of the record itself, a constant of the rule or parsed from the text; nullopt when it has none.
std::optional<std::string> value_of(const std::string& field, const query::RecordView& record,
                                    query::Matcher::Scratch& scratch);
// Counts the value of each of `fields` that the record has.
void count_values(const std::vector<std::string>& fields, const query::RecordView& record,
                  query::Matcher::Scratch& scratch, Tally& tally);

}  // namespace logboom::logstore
