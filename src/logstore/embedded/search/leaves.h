// Leaves: a query's conditions on texts in the form a block evaluates.
#pragma once

#include <string>

#include "logstore/embedded/block/leaf.h"
#include "logstore/query/text_matcher.h"

namespace logboom::logstore::embedded {

// The matcher and the scratch string outlive the leaf; one thread at a time uses it.
Leaf make_leaf(const query::TextMatcher& text, std::string& scratch);

}  // namespace logboom::logstore::embedded
