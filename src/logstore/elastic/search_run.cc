#include "logstore/elastic/search_run.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "http/json.h"
#include "logstore/elastic/translate.h"
#include "logstore/field_values.h"
#include "logstore/query/shown_text.h"
#include "logstore/tally.h"

namespace logboom::logstore::elastic {
namespace {

constexpr std::size_t kRowsAtOnce = 500;

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
  query::show_as_text(view, row.offset, buffer);
  return view;
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
    w.raw(fmt::format(R"({{"terms":{{"field":"{}","size":{}}}}})", member_of(query::origin_of(request.values_of[i])),
                      kMostValues));
  }
  w.close_object().close_object();
  return body;
}

// Whether the target can count all that is asked for.
bool can_aggregate(const SearchRequest& request) {
  return request.histogram_step % kNsPerMs == 0 &&
         std::all_of(request.values_of.begin(), request.values_of.end(),
                     [](const std::string& name) { return member_of(query::origin_of(name)) != nullptr; });
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

std::string sort_values(const RowKey& key) {
  return fmt::format(R"([{},"{}",{},{},"{:016x}"])", key.time, key.source.to_hex(), key.epoch, key.offset, key.channel);
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

}  // namespace

std::optional<query::RecordView> RecordMatcher::match(const StoredRecord& stored) {
  const query::RecordView view = view_of(stored, text_);
  return matcher_.matches(view, scratch_) ? std::optional(view) : std::nullopt;
}

std::string time_filter(const SearchRequest& request) {
  return in_range("logboom.time", request.from, request.to - (request.to == INT64_MIN ? 0 : 1));
}

Result<SearchResult> run_search(Documents& documents, const Clock& clock, const SearchRequest& request, Plan& plan,
                                SearchVisitor& visitor, std::stop_token stop) {
  return Search(documents, clock, request, plan, visitor, std::move(stop)).run();
}

}  // namespace logboom::logstore::elastic
