#include "logstore/elastic/documents.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/pause.h"
#include "http/json.h"
#include "http/url.h"
#include "logstore/elastic/index_template.h"
#include "logstore/elastic/page_plan.h"

namespace logboom::logstore::elastic {
namespace {

using http::JsonWriter;

constexpr int kMostTries = 40;
constexpr auto kBetweenTries = std::chrono::milliseconds(250);

struct SortKey {
  const char* field;
  const char* type;
};

std::vector<SortKey> keys_of(Order order) {
  const SortKey time{"logboom.time", "long"};
  const SortKey source{"logboom.source", "keyword"};
  const SortKey epoch{"logboom.epoch", "long"};
  const SortKey offset{"log.offset", "long"};
  const SortKey channel{"logboom.channel", "keyword"};
  if (order == Order::kFileForward || order == Order::kFileBackward) return {source, epoch, offset, channel};
  if (order == Order::kCommit) return {{"logboom.commit", "long"}, source, epoch, offset, channel};
  return {time, source, epoch, offset, channel};
}

// Opens the body of a search for `count` documents of the query behind `after`.
void open_body(JsonWriter& w, const DocumentQuery& query, std::size_t count, const std::string& after) {
  const bool down = query.order == Order::kNewestFirst || query.order == Order::kFileBackward;
  w.open_object().field("size", std::uint64_t{count}).field("track_total_hits", false);
  w.key("query").raw(query.filter).key("sort").open_array();
  for (const SortKey& key : keys_of(query.order)) {
    w.open_object().key(key.field).open_object();
    w.field("order", down ? "desc" : "asc").field("unmapped_type", key.type).close_object().close_object();
  }
  w.close_array();
  if (!after.empty()) w.key("search_after").raw(after);
}

std::string body_of(const DocumentQuery& query, std::size_t count, const std::string& after) {
  std::string body;
  JsonWriter w(body);
  open_body(w, query, count, after);
  w.key("_source").open_array();
  for (const std::string& member : document_members()) w.string(member);
  w.close_array().close_object();
  return body;
}

std::string body_of_sizes(const DocumentQuery& query, std::size_t count, const std::string& after) {
  std::string body;
  JsonWriter w(body);
  open_body(w, query, count, after);
  w.field("_source", false)
      .field("stored_fields", "_none_")
      .key("docvalue_fields")
      .raw(R"(["logboom.begin","logboom.end"])")
      .close_object();
  return body;
}

// Of its lines.
std::uint64_t size_of(const nlohmann::json& hit) {
  const auto number = [&](const char* name) { return hit.at("fields").at(name).at(0).get<std::uint64_t>(); };
  const std::uint64_t begin = number("logboom.begin");
  return std::max(begin, number("logboom.end")) - begin;
}

std::string with_others(const std::string& indices, const std::vector<std::string>& also) {
  std::string out = indices;
  for (const std::string& pattern : also) out += "," + http::percent_encode(pattern);
  return out;
}

}  // namespace

std::string all_of(const std::vector<std::string>& parts) {
  return fmt::format(R"({{"bool":{{"filter":[{}]}}}})", fmt::join(parts, ","));
}

std::string ours() {
  return R"({"exists":{"field":"logboom.source"}})";
}

std::string of_stream(const StreamKey& key) {
  return all_of({fmt::format(R"({{"term":{{"logboom.source":"{}"}}}})", key.source.to_hex()),
                 fmt::format(R"({{"term":{{"logboom.epoch":{}}}}})", key.epoch),
                 fmt::format(R"({{"term":{{"logboom.channel":"{:016x}"}}}})", channel_key(key.channel))});
}

std::string in_range(std::string_view name, std::int64_t from, std::int64_t to) {
  return fmt::format(R"({{"range":{{"{}":{{"gte":{},"lte":{}}}}}}})", name, from, to);
}

Status Documents::refresh(std::stop_token stop, const std::vector<std::string>& also) {
  const std::string target =
      fmt::format("/{}/_refresh?ignore_unavailable=true&allow_no_indices=true", with_others(indices_, also));
  auto done = cluster_.json("POST", target, {}, stop);
  return done.ok() ? Status() : std::move(done).error();
}

// An index that was just made, or whose node just started, is not there for a moment.
Result<nlohmann::json> Documents::search(const std::string& body, std::stop_token stop,
                                         const std::vector<std::string>& also) {
  const std::string target =
      fmt::format("/{}/_search?ignore_unavailable=true&allow_no_indices=true&allow_partial_search_results=false",
                  with_others(indices_, also));
  for (int tries = 0;; ++tries) {
    LB_ASSIGN(const Answer answer, cluster_.ask("POST", target, body, BodyKind::kJson, stop));
    if (answer.status != 503 || tries == kMostTries) return cluster_.json_of(target, answer);
    if (!pause_for(kBetweenTries, stop)) return Error(ErrorCode::kCancelled, "cannot search: stopped");
  }
}

std::vector<std::string> Documents::beyond(const std::set<std::string>& indices) const {
  std::set<std::string> patterns;
  for (const std::string& index : indices) {
    if (!index.empty() && !fits_indices(indices_, index)) patterns.insert(any_day_of(index));
  }
  return {patterns.begin(), patterns.end()};
}

Result<bool> Documents::exists(const std::string& index, std::stop_token stop) {
  const std::string target = "/" + http::percent_encode(index) + "/_mapping/field/topic";
  LB_ASSIGN(const Answer answer, cluster_.ask("GET", target, {}, BodyKind::kJson, stop));
  if (answer.status == 200 || answer.status == 404) return answer.status == 200;
  return cluster_.error_of(target, answer);
}

Result<StoreStats> Documents::stats(std::stop_token stop) {
  const std::string body = fmt::format(
      R"({{"size":0,"track_total_hits":true,"query":{},"aggs":{{"oldest":{{"min":{{"field":"@timestamp"}}}},)"
      R"("newest":{{"max":{{"field":"@timestamp"}}}}}}}})",
      ours());
  LB_ASSIGN(const nlohmann::json answer, search(body, stop));
  const std::string target = fmt::format("/{}/_stats/store?ignore_unavailable=true&allow_no_indices=true", indices_);
  LB_ASSIGN(const nlohmann::json disk, cluster_.json("GET", target, {}, stop));
  StoreStats stats;
  try {
    stats.records = answer.at("hits").at("total").at("value").get<std::uint64_t>();
    const auto time = [&](const char* name) -> TimeNs {
      const auto& value = answer.at("aggregations").at(name).at("value");
      return value.is_null() ? 0 : static_cast<TimeNs>(value.get<double>()) * kNsPerMs;
    };
    if (stats.records > 0) {
      stats.oldest = time("oldest");
      stats.newest = time("newest") + kNsPerMs - 1;
    }
    stats.files = disk.at("indices").size();
    const auto& total = disk.at("_all").at("total");
    if (total.contains("store")) stats.bytes_on_disk = total.at("store").at("size_in_bytes").get<std::uint64_t>();
  } catch (const nlohmann::json::exception& error) {
    return Error(ErrorCode::kCorrupt, fmt::format("cannot read statistics: {}", error.what()));
  }
  return stats;
}

Result<std::vector<std::uint64_t>> Documents::sizes_of(const DocumentQuery& query, std::size_t count,
                                                       const std::string& after, std::stop_token stop) {
  LB_ASSIGN(const nlohmann::json found, search(body_of_sizes(query, count, after), stop, query.also));
  std::vector<std::uint64_t> sizes;
  try {
    for (const auto& hit : found.at("hits").at("hits")) sizes.push_back(size_of(hit));
  } catch (const nlohmann::json::exception& error) {
    return Error(ErrorCode::kCorrupt, fmt::format("cannot read the sizes of documents: {}", error.what()));
  }
  return sizes;
}

Status Documents::each(const DocumentQuery& query, std::stop_token stop,
                       const std::function<Result<bool>(StoredRecord&&, const std::string&)>& on_record) {
  std::string after = query.after;
  PagePlan plan(query.page, cluster_.page_bytes() / 2);
  while (true) {
    if (plan.wants_sizes()) {
      LB_ASSIGN(const std::vector<std::uint64_t> sizes, sizes_of(query, plan.ahead(), after, stop));
      if (sizes.empty()) return {};
      plan.learn(sizes);
    }
    const std::size_t asked = plan.next();
    auto answer = search(body_of(query, asked, after), stop, query.also);
    if (!answer.ok() && answer.error().code() == ErrorCode::kFull && plan.too_large()) continue;
    if (!answer.ok()) return std::move(answer).error();
    plan.answered();
    try {
      const auto& hits = answer->at("hits").at("hits");
      for (const auto& hit : hits) {
        LB_ASSIGN(StoredRecord record, read_document(hit.at("_source")));
        LB_ASSIGN(const bool more, on_record(std::move(record), hit.at("_index").get<std::string>()));
        if (!more) return {};
      }
      if (hits.size() < asked) return {};
      after = hits.back().at("sort").dump();
    } catch (const nlohmann::json::exception& error) {
      return Error(ErrorCode::kCorrupt, fmt::format("cannot read documents: {}", error.what()));
    }
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, "cannot read documents: stopped");
  }
}

Result<std::vector<StoredRecord>> Documents::of_range(const StreamKey& key, std::uint64_t begin, std::uint64_t end,
                                                      const std::string& index, std::stop_token stop) {
  DocumentQuery query;
  query.order = Order::kFileForward;
  query.also = beyond({index});
  query.filter = all_of({of_stream(key), in_range("logboom.end", static_cast<std::int64_t>(begin) + 1, INT64_MAX),
                         in_range("logboom.begin", 0, static_cast<std::int64_t>(end) - 1)});
  std::vector<StoredRecord> out;
  LB_TRY(each(query, stop, [&](StoredRecord&& record, const std::string&) -> Result<bool> {
    out.push_back(std::move(record));
    return true;
  }));
  return out;
}

}  // namespace logboom::logstore::elastic
