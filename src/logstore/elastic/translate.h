// Queries as query DSL: a filter that lets through every matching document, and whether it lets through others too;
// then each document is asked again with the matcher itself. What the target's index cannot say exactly (separators in
// phrases, parts of words, regexes, parsed fields) is narrowed by the tokens a match must hold.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "logstore/query/matcher.h"
#include "logstore/query/query.h"

namespace logboom::logstore::elastic {

struct Translation {
  std::string filter;  // query DSL
  bool exact = false;  // it lets through nothing else
};

// The keyword field of documents that says this of the record itself; nullptr: it is parsed from the text.
const char* member_of(query::FieldOrigin origin);

// Every value that a keyword field of the documents has; nullopt: too many to tell.
using ValuesOf = std::function<Result<std::optional<std::vector<std::string>>>(const char* field)>;

// `node` is what `compiled` was compiled from.
Result<Translation> translate(const query::Node& node, const query::MatchNode& compiled, const ValuesOf& values_of);

}  // namespace logboom::logstore::elastic
