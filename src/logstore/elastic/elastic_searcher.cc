#include "logstore/elastic/elastic_searcher.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/mutex.h"
#include "http/json.h"
#include "logstore/elastic/translate.h"
#include "logstore/field_values.h"
#include "logstore/name_counter.h"
#include "logstore/tally.h"
#include "parse/utf16.h"

namespace logboom::logstore::elastic {
namespace {

constexpr std::size_t kMostValues = 10'000;
constexpr std::size_t kRowsAtOnce = 500;
constexpr auto kBetweenLooks = std::chrono::milliseconds(250);  // of a follow

// A document as a query sees it; views into the record.
query::RecordView view_of(const StoredRecord& stored, std::string& buffer) {
  const Row& row = stored.row;
  query::RecordView view;
  view.text = row.text;
  view.host = row.host;
  view.path = row.path;
  view.channel = row.channel;
  view.rule = stored.rule;
  view.source = row.source;
  view.level = row.level;
  view.format = row.format;
  view.constants = &row.fields;
  if (is_utf16(row.format)) {
    buffer = parse::decode_utf16(row.text, row.format, row.offset);
    view.text = buffer;
  }
  return view;
}

class RecordMatcher {
 public:
  explicit RecordMatcher(query::Matcher matcher) : matcher_(std::move(matcher)) {}
  // The record as the query sees it when it matches; lives until the next call and as long as `stored`.
  std::optional<query::RecordView> match(const StoredRecord& stored) {
    const query::RecordView view = view_of(stored, text_);
    return matcher_.matches(view, scratch_) ? std::optional(view) : std::nullopt;
  }
  const query::Matcher& matcher() const { return matcher_; }
  query::Matcher::Scratch& scratch() { return scratch_; }

 private:
  query::Matcher matcher_;
  query::Matcher::Scratch scratch_;
  std::string text_;
};

std::string sort_values(const RowKey& key) {
  return fmt::format(R"([{},"{}",{},{},"{:016x}"])", key.time, key.source.to_hex(), key.epoch, key.offset, key.channel);
}

const char* own_field(const std::string& name) {
  switch (query::origin_of(name)) {
    case query::FieldOrigin::kHost:
      return "host.name";
    case query::FieldOrigin::kFile:
      return "log.file.path";
    case query::FieldOrigin::kLevel:
      return "log.level";
    case query::FieldOrigin::kTopic:
      return "topic";
    case query::FieldOrigin::kSource:
      return "logboom.source";
    case query::FieldOrigin::kRule:
      return "logboom.rule";
    case query::FieldOrigin::kParsed:
      break;
  }
  return nullptr;
}

// What a search asks, and what it may leave to the target.
struct Plan {
  RecordMatcher matcher;
  std::string filter;
  bool exact = false;
};

std::string time_filter(const SearchRequest& request) {
  return in_range("logboom.time", request.from, request.to - (request.to == INT64_MIN ? 0 : 1));
}

bool is_empty_range(const SearchRequest& request) {
  return request.from >= request.to;
}

// ---------------------------------------------------------------- aggregations

std::string counting_body(const SearchRequest& request, const std::string& filter) {
  std::string body;
  http::JsonWriter w(body);
  w.open_object().field("size", std::uint64_t{0}).field("track_total_hits", true).key("query").raw(filter);
  w.key("aggs").open_object();
  w.key("lines").raw(R"({"sum":{"field":"logboom.lines"}})");
  if (request.histogram_step > 0) {
    w.key("buckets").raw(
        fmt::format(R"({{"date_histogram":{{"field":"@timestamp","fixed_interval":"{}ms","min_doc_count":1}},)"
                    R"("aggs":{{"levels":{{"terms":{{"field":"log.level","size":10,"missing":""}}}}}}}})",
                    request.histogram_step / kNsPerMs));
  }
  for (std::size_t i = 0; i < request.values_of.size(); ++i) {
    w.key(fmt::format("values{}", i));
    w.raw(fmt::format(R"({{"terms":{{"field":"{}","size":{}}}}})", own_field(request.values_of[i]), kMostValues));
  }
  w.close_object().close_object();
  return body;
}

// Whether the target can count all that is asked for.
bool can_aggregate(const SearchRequest& request) {
  return request.histogram_step % kNsPerMs == 0 &&
         std::all_of(request.values_of.begin(), request.values_of.end(),
                     [](const std::string& name) { return own_field(name) != nullptr; });
}

void read_buckets(const nlohmann::json& buckets, Tally& tally) {
  for (const auto& bucket : buckets.at("buckets")) {
    const TimeNs start = bucket.at("key").get<std::int64_t>() * kNsPerMs;
    for (const auto& level : bucket.at("levels").at("buckets")) {
      const Level of = level_from_name(level.at("key").get<std::string>()).value_or(Level::kNone);
      tally.add_bucket(start, of, level.at("doc_count").get<std::uint64_t>());
    }
  }
}

// False where the target cannot say it exactly.
bool read_counts(const nlohmann::json& answer, const SearchRequest& request, Tally& tally) {
  if (!answer.contains("aggregations")) return true;  // there is no index yet
  const auto& aggregations = answer.at("aggregations");
  tally.add_rows(answer.at("hits").at("total").at("value").get<std::uint64_t>(),
                 static_cast<std::uint64_t>(aggregations.at("lines").at("value").get<double>()));
  if (request.histogram_step > 0) read_buckets(aggregations.at("buckets"), tally);
  for (std::size_t i = 0; i < request.values_of.size(); ++i) {
    const auto& values = aggregations.at(fmt::format("values{}", i));
    if (values.value("sum_other_doc_count", std::uint64_t{0}) > 0) return false;
    for (const auto& bucket : values.at("buckets")) {
      const std::string value = bucket.at("key").get<std::string>();
      if (!value.empty()) tally.add_value(i, value, bucket.at("doc_count").get<std::uint64_t>());
    }
  }
  return true;
}

// ---------------------------------------------------------------- one search

class Search {
 public:
  Search(Documents& documents, const Clock& clock, const SearchRequest& request, Plan& plan, SearchVisitor& visitor,
         std::stop_token stop)
      : documents_(documents),
        clock_(clock),
        request_(request),
        plan_(plan),
        visitor_(visitor),
        stop_(std::move(stop)),
        started_(clock.monotonic()),
        tally_(request.histogram_step, request.values_of.size()) {}

  Result<SearchResult> run() {
    const bool counts =
        request_.count_all || request_.limit == 0 || request_.histogram_step > 0 || !request_.values_of.empty();
    bool aggregated = false;
    if (counts && plan_.exact && can_aggregate(request_)) {
      LB_ASSIGN(aggregated, aggregate());
    }
    if (!counts || aggregated) {
      if (request_.limit > 0) LB_TRY(pass(false));
      if (!aggregated) stats_.exact = !page_full_;
    } else {
      tally_ = Tally(request_.histogram_step, request_.values_of.size());
      LB_TRY(pass(true));
    }
    if (tally_.too_many_buckets()) {
      return Error(ErrorCode::kInvalidArgument,
                   "cannot count per bucket of time: the step is too small for this time range");
    }
    return result();
  }

 private:
  // False: the target does not count this.
  Result<bool> aggregate() {
    auto answer = documents_.search(counting_body(request_, plan_.filter), stop_);
    if (!answer.ok()) {
      const bool too_much = answer.error().message().find("too_many_buckets") != std::string::npos ||
                            answer.error().message().find("buckets") != std::string::npos;
      if (too_much) return false;
      return std::move(answer).error();
    }
    try {
      return read_counts(*answer, request_, tally_);
    } catch (const nlohmann::json::exception& error) {
      return Error(ErrorCode::kCorrupt, fmt::format("cannot read counts: {}", error.what()));
    }
  }

  // Reads candidates in order. `count`: all of them; else only as many as the page takes, from its start on.
  Status pass(bool count) {
    DocumentQuery query;
    query.filter = plan_.filter;
    query.order = request_.newest_first ? Order::kNewestFirst : Order::kOldestFirst;
    if (!count && request_.after) query.after = sort_values(*request_.after);
    if (!count && plan_.exact && request_.limit < query.page) query.page = std::max<std::size_t>(1, request_.limit);
    const Status read = documents_.each(query, stop_, [&](StoredRecord&& stored, const std::string&) -> Result<bool> {
      return take(std::move(stored), count);
    });
    if (!read.ok() && read.error().code() != ErrorCode::kCancelled) return read;
    if (!read.ok()) ended_early_ = true;
    flush();
    return {};
  }

  bool take(StoredRecord&& stored, bool count) {
    ++stats_.rows_scanned;
    stats_.bytes_read += stored.row.text.size();
    last_time_ = stored.row.time;
    if (const auto seen = plan_.matcher.match(stored)) {
      if (count) {
        tally_.add_rows(1, stored.row.lines);
        if (request_.histogram_step > 0) tally_.add_time(stored.row.time, stored.row.level);
        count_values(request_.values_of, *seen, plan_.matcher.scratch(), tally_);
      } else if (tally_.records() == 0 || !plan_.exact) {
        ++found_;
        found_lines_ += stored.row.lines;
      }
      if (wants(stored.row)) show(std::move(stored.row));
    }
    if (!count && page_full_) return false;
    return goes_on();
  }

  bool wants(const Row& row) const {
    if (shown_ >= request_.limit) return false;
    if (!request_.after) return true;
    const RowKey key = key_of(row);
    return request_.newest_first ? key < *request_.after : key > *request_.after;
  }

  void show(Row row) {
    rows_.push_back(std::move(row));
    ++shown_;
    page_full_ = shown_ >= request_.limit;
    if (rows_.size() >= kRowsAtOnce || page_full_) flush();
  }

  void flush() {
    if (!rows_.empty() && !ended_early_ && !visitor_.on_rows(std::exchange(rows_, {}))) ended_early_ = true;
  }

  bool goes_on() {
    if (stats_.rows_scanned % kRowsAtOnce == 0) {
      fill(stats_);
      if (!visitor_.on_progress(stats_, tally_.histogram())) ended_early_ = true;
    }
    const bool late = request_.deadline.count() > 0 && clock_.monotonic() - started_ > request_.deadline;
    if (late || stop_.stop_requested()) ended_early_ = true;
    return !ended_early_;
  }

  void fill(SearchStats& stats) const {
    stats.records = std::max(tally_.records(), found_);
    stats.lines = tally_.records() > 0 ? tally_.lines() : found_lines_;
    stats.searched_back_to = last_time_;
    stats.elapsed = clock_.monotonic() - started_;
  }

  SearchResult result() {
    SearchResult out;
    stats_.partial = ended_early_;
    if (ended_early_) stats_.exact = false;
    fill(stats_);
    if (!ended_early_ && stats_.exact) stats_.searched_back_to = request_.newest_first ? request_.from : request_.to;
    out.stats = stats_;
    out.histogram = tally_.histogram();
    for (std::size_t i = 0; i < request_.values_of.size(); ++i)
      out.values.push_back(tally_.values(i, request_.values_of[i], request_.values_limit));
    return out;
  }

  Documents& documents_;
  const Clock& clock_;
  const SearchRequest& request_;
  Plan& plan_;
  SearchVisitor& visitor_;
  const std::stop_token stop_;
  const std::chrono::nanoseconds started_;
  Tally tally_;
  SearchStats stats_;
  std::vector<Row> rows_;
  std::uint64_t shown_ = 0;
  std::uint64_t found_ = 0;  // where nothing is counted
  std::uint64_t found_lines_ = 0;
  TimeNs last_time_ = 0;
  bool page_full_ = false;
  bool ended_early_ = false;
};

class NoVisitor final : public SearchVisitor {
 public:
  bool on_rows(std::vector<Row>) override { return true; }
};

// ---------------------------------------------------------------- the searcher

class ElasticSearcher final : public LogSearcher {
 public:
  ElasticSearcher(Documents& documents, const Clock& clock, WrittenCommit written)
      : documents_(documents), clock_(clock), written_(std::move(written)) {}

  Result<SearchResult> search(const SearchRequest& request, SearchVisitor& visitor, std::stop_token stop) override {
    LB_ASSIGN(Plan plan, make_plan(request.query, {time_filter(request)}, stop));
    if (is_empty_range(request)) plan.filter = R"({"match_none":{}})";
    return Search(documents_, clock_, request, plan, visitor, std::move(stop)).run();
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

// Whole commits, about `limit` rows; `commit` becomes what has been looked at.
Result<std::vector<Row>> ElasticSearcher::new_rows(Plan& plan, std::uint64_t& commit, std::uint64_t until,
                                                   std::size_t limit, std::stop_token stop) {
  DocumentQuery query;
  query.order = Order::kCommit;
  query.filter = all_of({plan.filter, in_range("logboom.commit", static_cast<std::int64_t>(commit) + 1,
                                               static_cast<std::int64_t>(until))});
  std::vector<Row> rows;
  std::uint64_t last = until;
  LB_TRY(documents_.each(query, stop, [&](StoredRecord&& stored, const std::string&) -> Result<bool> {
    if (rows.size() >= limit && stored.row.commit != rows.back().commit) {
      last = rows.back().commit;
      return false;
    }
    if (plan.matcher.match(stored)) rows.push_back(std::move(stored.row));
    return true;
  }));
  commit = last;
  return rows;
}

Result<std::vector<Row>> ElasticSearcher::follow(const query::Node& query, std::uint64_t& commit, std::size_t limit,
                                                 std::chrono::milliseconds wait, std::stop_token stop) {
  const std::chrono::nanoseconds end = clock_.monotonic() + wait;
  Mutex mutex;
  CondVar never;
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
    MutexLock lock(mutex);
    never.wait_for(mutex, stop, std::min<std::chrono::nanoseconds>(left, kBetweenLooks), [] { return false; });
  }
}

}  // namespace

std::unique_ptr<LogSearcher> make_elastic_searcher(Documents& documents, const Clock& clock, WrittenCommit written) {
  return std::make_unique<ElasticSearcher>(documents, clock, std::move(written));
}

}  // namespace logboom::logstore::elastic
