// A LogStore in memory for tests of what stands above it: rows are matched by plain words of the query only.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/pause.h"
#include "logstore/log_store.h"

namespace logboom::server {

class FakeLogStore final : public logstore::LogStore,
                           public logstore::LogSearcher,
                           public logstore::LedgerView,
                           public logstore::StoreKeeper {
 public:
  // Stores a row and lets followers see it; fills commit, and source, path, host where empty.
  void add(logstore::Row row) {
    MutexLock lock(mutex_);
    row.commit = ++commit_;
    if (row.path.empty()) row.path = "/var/log/app.log";
    if (row.host.empty()) row.host = "web-1";
    if (row.channel.empty()) row.channel = "logs";
    rows_.push_back(std::move(row));
    added_.notify_all();
  }
  void add(std::string text, TimeNs time, Level level = Level::kInfo) {
    logstore::Row row;
    row.source = SourceId{1, 2};
    row.offset = next_offset_;
    next_offset_ += text.size() + 1;
    row.time = time;
    row.level = level;
    row.text = std::move(text);
    add(std::move(row));
  }

  logstore::LogWriter* writer() override { return nullptr; }
  logstore::LogSearcher& searcher() override { return *this; }
  logstore::LedgerView& ledger() override { return *this; }
  logstore::StoreKeeper& keeper() override { return *this; }

  Result<logstore::SearchResult> search(const logstore::SearchRequest& request, logstore::SearchVisitor& visitor,
                                        std::stop_token stop) override {
    {
      MutexLock lock(mutex_);
      last_request = request;
    }
    if (on_search) on_search();
    if (search_blocks) wait_for_stop(stop);
    if (stop.stop_requested()) {
      ++cancelled;
      return Error(ErrorCode::kCancelled, "stopped");
    }
    if (fails) return *fails;
    std::vector<logstore::Row> found = matching(request);
    logstore::SearchResult result;
    result.stats.records = result.stats.lines = found.size();
    count(request, found, result);
    if (found.size() > request.limit) found.resize(request.limit);
    for (auto& row : found) {
      if (!visitor.on_rows({std::move(row)})) return Error(ErrorCode::kCancelled, "stopped");
    }
    visitor.on_progress(result.stats, result.histogram);
    return result;
  }

  Result<std::vector<logstore::Row>> context(const logstore::ContextRequest& request, std::stop_token) override {
    MutexLock lock(mutex_);
    std::vector<logstore::Row> file;
    std::size_t at = 0;
    for (const auto& row : rows_) {
      if (row.source != request.source) continue;
      if (row.offset <= request.offset) at = file.size();
      file.push_back(row);
    }
    const std::size_t first = at > request.before ? at - request.before : 0;
    const std::size_t last = std::min(file.size(), at + request.after + 1);
    return std::vector<logstore::Row>(file.begin() + static_cast<std::ptrdiff_t>(std::min(first, last)),
                                      file.begin() + static_cast<std::ptrdiff_t>(last));
  }

  Result<std::vector<logstore::FieldInfo>> fields(const logstore::SearchRequest&, std::stop_token) override {
    return std::vector<logstore::FieldInfo>{{"http.status", 3}, {"user", 1}};
  }

  Result<std::vector<logstore::Row>> follow(const logstore::query::Node& query, std::uint64_t& commit,
                                            std::size_t limit, std::chrono::milliseconds wait,
                                            std::stop_token stop) override {
    MutexLock lock(mutex_);
    added_.wait_for(mutex_, stop, wait, [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return commit_ > commit; });
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, "stopped");
    std::vector<logstore::Row> out;
    for (const auto& row : rows_) {
      if (row.commit <= commit) continue;
      if (out.size() == limit) break;
      commit = row.commit;
      if (matches(query, row)) out.push_back(row);
    }
    return out;
  }
  std::uint64_t last_commit() const override {
    MutexLock lock(mutex_);
    return commit_;
  }

  Result<std::vector<logstore::SourceInfo>> sources() override {
    logstore::SourceInfo info;
    info.source = SourceId{1, 2};
    info.channel = "logs";
    info.state.path = "/var/log/app.log";
    info.state.host = "web-1";
    info.position = info.stored_bytes = original.size();
    return std::vector<logstore::SourceInfo>{info};
  }
  Result<logstore::AuditReport> audit(const logstore::AuditRequest& request, std::stop_token) override {
    last_audit = request;
    logstore::AuditReport report;
    report.sources.push_back({(*sources())[0], {10, 0, 0, 0, 5}, 0, 0, std::nullopt});
    report.findings.push_back(
        {"f-1", "gap", SourceId{1, 2}, 0, "logs", "/var/log/app.log", 10, 15, "vanished", accepted_by, 7});
    report.clean = !accepted_by.empty();
    return report;
  }
  Result<std::vector<logstore::ExportOmission>> export_bytes(const logstore::ExportRequest& request,
                                                             const std::function<Status(std::string_view)>& sink,
                                                             std::stop_token) override {
    if (request.source != SourceId{1, 2}) return Error(ErrorCode::kNotFound, "no such source");
    for (std::size_t i = 0; i < original.size(); i += 1000) LB_TRY(sink(std::string_view(original).substr(i, 1000)));
    return omissions;
  }
  Result<std::vector<logstore::QuarantineEntry>> quarantine(std::size_t) override {
    return std::vector<logstore::QuarantineEntry>{
        {"q-1", SourceId{1, 2}, 0, "logs", 0, 3, "conflict", std::string("a\xFF\0", 3), 5}};
  }

  Status apply_retention(const logstore::RetentionPolicy&) override { return {}; }
  Status backup(const std::string&, std::stop_token) override { return {}; }
  logstore::StoreStats stats() override {
    logstore::StoreStats stats;
    MutexLock lock(mutex_);
    stats.records = rows_.size();
    for (const auto& row : rows_) {
      stats.oldest = stats.oldest == 0 ? row.time : std::min(stats.oldest, row.time);
      stats.newest = std::max(stats.newest, row.time);
    }
    return stats;
  }
  Status accept(const std::string&, const std::string& who) override {
    accepted_by = who;
    return {};
  }
  Status close() override { return {}; }

  // What tests set and look at.
  std::string original;
  std::vector<logstore::ExportOmission> omissions;
  std::optional<Error> fails;
  std::function<void()> on_search;
  std::atomic<bool> search_blocks{false};
  std::atomic<int> cancelled{0};
  std::string accepted_by;
  logstore::SearchRequest last_request;  // read when no search runs
  logstore::AuditRequest last_audit;

 private:
  static bool matches(const logstore::query::Node& node, const logstore::Row& row) {
    using logstore::query::NodeKind;
    if (node.kind == NodeKind::kPhrase) return row.text.find(node.text) != std::string::npos;
    if (node.kind == NodeKind::kAnd)
      return std::ranges::all_of(node.children, [&](const auto& c) { return matches(c, row); });
    return true;
  }

  std::vector<logstore::Row> matching(const logstore::SearchRequest& request) {
    MutexLock lock(mutex_);
    std::vector<logstore::Row> found;
    for (const auto& row : rows_) {
      if (row.time >= request.from && row.time < request.to && matches(request.query, row)) found.push_back(row);
    }
    const auto key = [](const logstore::Row& r) { return logstore::key_of(r); };
    std::ranges::sort(
        found, [&](const auto& a, const auto& b) { return request.newest_first ? key(b) < key(a) : key(a) < key(b); });
    if (request.after) {
      std::erase_if(found, [&](const auto& r) {
        return request.newest_first ? key(r) >= *request.after : key(r) <= *request.after;
      });
    }
    return found;
  }

  static void count(const logstore::SearchRequest& request, const std::vector<logstore::Row>& rows,
                    logstore::SearchResult& result) {
    std::map<TimeNs, logstore::HistogramBucket> buckets;
    std::map<std::string, std::uint64_t> hosts;
    for (const auto& row : rows) {
      ++hosts[row.host];
      if (request.histogram_step == 0) continue;
      const TimeNs start = row.time / request.histogram_step * request.histogram_step;
      buckets[start].start = start;
      ++buckets[start].counts[static_cast<std::size_t>(row.level)];
    }
    for (const auto& [start, bucket] : buckets) result.histogram.push_back(bucket);
    for (const auto& field : request.values_of) {
      logstore::FieldValues values;
      values.field = field;
      for (const auto& [host, n] : hosts) values.values.push_back({host, n});
      values.distinct = hosts.size();
      result.values.push_back(std::move(values));
    }
  }

  mutable Mutex mutex_;
  CondVar added_;
  std::vector<logstore::Row> rows_ LB_GUARDED_BY(mutex_);
  std::uint64_t commit_ LB_GUARDED_BY(mutex_) = 0;
  std::uint64_t next_offset_ = 0;
};

}  // namespace logboom::server
