#include "logstore/elastic/elastic_searcher.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/pause.h"
#include "logstore/elastic/search_run.h"
#include "logstore/elastic/translate.h"
#include "logstore/follow_bound.h"
#include "logstore/name_counter.h"

namespace logboom::logstore::elastic {
namespace {

constexpr auto kBetweenLooks = std::chrono::milliseconds(250);  // of a follow

bool is_empty_range(const SearchRequest& request) {
  return request.from >= request.to;
}

class ElasticSearcher final : public LogSearcher {
 public:
  ElasticSearcher(Documents& documents, const Clock& clock, WrittenCommit written)
      : documents_(documents), clock_(clock), written_(std::move(written)) {}

  Result<SearchResult> search(const SearchRequest& request, SearchVisitor& visitor, std::stop_token stop) override {
    LB_ASSIGN(Plan plan, make_plan(request.query, {time_filter(request)}, stop));
    if (is_empty_range(request)) plan.filter = R"({"match_none":{}})";
    return run_search(documents_, clock_, request, plan, visitor, std::move(stop));
  }

  Result<std::vector<Row>> context(const ContextRequest& request, std::stop_token stop) override;
  Result<std::vector<FieldInfo>> fields(const SearchRequest& request, std::stop_token stop) override;
  Result<std::vector<Row>> follow(const query::Node& query, std::uint64_t& commit, std::size_t limit,
                                  std::chrono::milliseconds wait, std::stop_token stop) override;
  std::uint64_t last_commit() const override { return written_(); }

 private:
  Result<Plan> make_plan(const query::Node& query, std::vector<std::string> filters, std::stop_token stop);
  Result<std::optional<std::vector<std::string>>> values_of(const char* field, std::stop_token stop);
  Result<std::string> channel_of(const ContextRequest& request, std::stop_token stop);
  Result<std::vector<Row>> rows_of(const DocumentQuery& query, std::size_t count, std::stop_token stop);
  Result<std::vector<Row>> new_rows(Plan& plan, std::uint64_t& commit, std::uint64_t until, std::size_t limit,
                                    std::stop_token stop);

  Documents& documents_;
  const Clock& clock_;
  const WrittenCommit written_;
};

Result<Plan> ElasticSearcher::make_plan(const query::Node& query, std::vector<std::string> filters,
                                        std::stop_token stop) {
  LB_ASSIGN(query::Matcher matcher, query::Matcher::compile(query));
  LB_ASSIGN(Translation translated,
            translate(query, matcher.root(), [&](const char* field) { return values_of(field, stop); }));
  filters.push_back(ours());
  filters.push_back(std::move(translated.filter));
  return Plan{RecordMatcher(std::move(matcher)), all_of(filters), translated.exact};
}

Result<std::optional<std::vector<std::string>>> ElasticSearcher::values_of(const char* field, std::stop_token stop) {
  using Values = std::optional<std::vector<std::string>>;
  const std::string body =
      fmt::format(R"({{"size":0,"query":{},"aggs":{{"values":{{"terms":{{"field":"{}","size":{}}}}}}}}})", ours(),
                  field, kMostValues);
  LB_ASSIGN(const nlohmann::json answer, documents_.search(body, stop));
  try {
    if (!answer.contains("aggregations")) return Values(std::vector<std::string>());  // no index yet
    const auto& values = answer.at("aggregations").at("values");
    if (values.value("sum_other_doc_count", std::uint64_t{0}) > 0) return Values();
    std::vector<std::string> out;
    for (const auto& bucket : values.at("buckets")) out.push_back(bucket.at("key").get<std::string>());
    return Values(std::move(out));
  } catch (const nlohmann::json::exception& error) {
    return Error(ErrorCode::kCorrupt, fmt::format("cannot read the values of {}: {}", field, error.what()));
  }
}

Result<std::vector<Row>> ElasticSearcher::rows_of(const DocumentQuery& query, std::size_t count, std::stop_token stop) {
  std::vector<Row> rows;
  if (count == 0) return rows;
  DocumentQuery bounded = query;
  bounded.page = std::min<std::size_t>(bounded.page, count);
  LB_TRY(documents_.each(bounded, stop, [&](StoredRecord&& stored, const std::string&) -> Result<bool> {
    rows.push_back(std::move(stored.row));
    return rows.size() < count;
  }));
  return rows;
}

// Without a channel one of those the source has: a context never mixes two.
Result<std::string> ElasticSearcher::channel_of(const ContextRequest& request, std::stop_token stop) {
  if (!request.channel.empty()) return request.channel;
  DocumentQuery query;
  query.filter = all_of({fmt::format(R"({{"term":{{"logboom.source":"{}"}}}})", request.source.to_hex()),
                         fmt::format(R"({{"term":{{"logboom.epoch":{}}}}})", request.epoch)});
  query.order = Order::kFileForward;
  LB_ASSIGN(const std::vector<Row> rows, rows_of(query, 1, stop));
  if (rows.empty()) return Error(ErrorCode::kNotFound, "cannot show the context: this source is not in the store");
  return rows[0].channel;
}

Result<std::vector<Row>> ElasticSearcher::context(const ContextRequest& request, std::stop_token stop) {
  LB_ASSIGN(const std::string channel, channel_of(request, stop));
  const std::string stream = of_stream({request.source, request.epoch, channel});
  const auto at = static_cast<std::int64_t>(std::min<std::uint64_t>(request.offset, INT64_MAX));
  DocumentQuery query;
  query.order = Order::kFileBackward;
  query.filter = all_of({stream, in_range("log.offset", 0, at)});
  // The record itself counts to those before.
  LB_ASSIGN(std::vector<Row> rows, rows_of(query, std::size_t{request.before} + 1, stop));
  std::reverse(rows.begin(), rows.end());
  query.order = Order::kFileForward;
  query.filter = all_of({stream, fmt::format(R"({{"range":{{"log.offset":{{"gt":{}}}}}}})", at)});
  LB_ASSIGN(std::vector<Row> behind, rows_of(query, request.after, stop));
  std::move(behind.begin(), behind.end(), std::back_inserter(rows));
  if (rows.empty()) return Error(ErrorCode::kNotFound, "cannot show the context: this source is not in the store");
  return rows;
}

Result<std::vector<FieldInfo>> ElasticSearcher::fields(const SearchRequest& request, std::stop_token stop) {
  LB_ASSIGN(Plan plan, make_plan(request.query, {time_filter(request)}, stop));
  if (is_empty_range(request)) return std::vector<FieldInfo>();
  DocumentQuery query;
  query.filter = plan.filter;
  NameCounter names;
  LB_TRY(documents_.each(query, stop, [&](StoredRecord&& stored, const std::string&) -> Result<bool> {
    if (const auto seen = plan.matcher.match(stored)) names.add(*seen, plan.matcher.scratch());
    return !names.full();
  }));
  return names.names();
}

// Whole commits up to `limit` rows or kFollowBytes of them; `commit` becomes what has been looked at.
Result<std::vector<Row>> ElasticSearcher::new_rows(Plan& plan, std::uint64_t& commit, std::uint64_t until,
                                                   std::size_t limit, std::stop_token stop) {
  DocumentQuery query;
  query.order = Order::kCommit;
  query.filter = all_of({plan.filter, in_range("logboom.commit", static_cast<std::int64_t>(commit) + 1,
                                               static_cast<std::int64_t>(until))});
  std::vector<Row> rows;
  std::size_t memory = 0;
  std::uint64_t last = until;
  LB_TRY(documents_.each(query, stop, [&](StoredRecord&& stored, const std::string&) -> Result<bool> {
    const bool enough = rows.size() >= limit || memory >= kFollowBytes;
    if (enough && stored.row.commit != rows.back().commit) {
      last = rows.back().commit;
      return false;
    }
    if (!plan.matcher.match(stored)) return true;
    memory += memory_of(stored.row);
    rows.push_back(std::move(stored.row));
    return true;
  }));
  commit = last;
  return rows;
}

Result<std::vector<Row>> ElasticSearcher::follow(const query::Node& query, std::uint64_t& commit, std::size_t limit,
                                                 std::chrono::milliseconds wait, std::stop_token stop) {
  const std::chrono::nanoseconds end = clock_.monotonic() + wait;
  while (true) {
    const std::uint64_t written = written_();
    if (written > commit) {
      LB_TRY(documents_.refresh(stop));
      LB_ASSIGN(Plan plan, make_plan(query, {}, stop));  // values of fields may be new
      LB_ASSIGN(std::vector<Row> rows, new_rows(plan, commit, written, std::max<std::size_t>(limit, 1), stop));
      if (!rows.empty()) return rows;
    }
    const std::chrono::nanoseconds left = end - clock_.monotonic();
    if (left.count() <= 0 || stop.stop_requested()) return std::vector<Row>();
    pause_for(std::min<std::chrono::nanoseconds>(left, kBetweenLooks), stop);
  }
}

}  // namespace

std::unique_ptr<LogSearcher> make_elastic_searcher(Documents& documents, const Clock& clock, WrittenCommit written) {
  return std::make_unique<ElasticSearcher>(documents, clock, std::move(written));
}

}  // namespace logboom::logstore::elastic
