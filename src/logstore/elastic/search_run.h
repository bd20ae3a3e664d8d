// One search over the documents: what the target may count it counts, everything else is asked of each candidate here.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "base/clock.h"
#include "logstore/elastic/documents.h"
#include "logstore/log_searcher.h"
#include "logstore/query/matcher.h"

namespace logboom::logstore::elastic {

// Of values of a field so many are counted or listed by the target; more are counted here.
inline constexpr std::size_t kMostValues = 10'000;

// A query asked of documents. One thread.
class RecordMatcher {
 public:
  explicit RecordMatcher(query::Matcher matcher) : matcher_(std::move(matcher)) {}
  // The record as the query sees it when it matches; lives until the next call and as long as `stored`.
  std::optional<query::RecordView> match(const StoredRecord& stored);
  const query::Matcher& matcher() const { return matcher_; }
  query::Matcher::Scratch& scratch() { return scratch_; }

 private:
  query::Matcher matcher_;
  query::Matcher::Scratch scratch_;
  std::string text_;
};

// What a search asks, and what it may leave to the target.
struct Plan {
  RecordMatcher matcher;
  std::string filter;
  bool exact = false;
};

// The documents of the request's time range.
std::string time_filter(const SearchRequest& request);

// What LogSearcher::search gives. The plan is of this request.
Result<SearchResult> run_search(Documents& documents, const Clock& clock, const SearchRequest& request, Plan& plan,
                                SearchVisitor& visitor, std::stop_token stop);

}  // namespace logboom::logstore::elastic
