#include "logstore/elastic/elastic_store.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/pause.h"
#include "logstore/elastic/elastic_ledger.h"
#include "logstore/elastic/elastic_searcher.h"
#include "logstore/elastic/elastic_writer.h"
#include "logstore/elastic/index_template.h"

namespace logboom::logstore {
namespace {

using namespace elastic;

// What a reader takes as written although another program writes: so long a request of that one may be on its way.
constexpr TimeNs kOnTheWay = 5 * kNsPerSecond;
constexpr auto kBetweenTries = std::chrono::milliseconds(500);

class ElasticKeeper final : public StoreKeeper {
 public:
  ElasticKeeper(LedgerIndex& ledger, Documents& documents, ElasticWriter* writer, const Clock& clock, std::string where)
      : ledger_(ledger), documents_(documents), writer_(writer), clock_(clock), where_(std::move(where)) {}

  // The cluster's policies delete indices; audits call what was in them expired.
  Status apply_retention(const RetentionPolicy&) override { return {}; }
  Status backup(const std::string&, std::stop_token) override {
    return Error(ErrorCode::kUnsupported, fmt::format("cannot back up {}: take a snapshot of the cluster", where_));
  }
  StoreStats stats() override {
    auto stats = documents_.stats({});
    if (!stats.ok()) {
      StoreStats none;
      none.problem = stats.error().message();
      return none;
    }
    if (writer_ != nullptr) stats->problem = writer_->problem();
    return *stats;
  }
  Status accept(const std::string& finding, const std::string& who) override {
    return ledger_.accept({finding, who, clock_.now()});
  }
  Status close() override { return writer_ != nullptr ? writer_->close() : Status(); }

 private:
  LedgerIndex& ledger_;
  Documents& documents_;
  ElasticWriter* writer_;
  const Clock& clock_;
  const std::string where_;
};

class ElasticStore final : public LogStore {
 public:
  ElasticStore(const ElasticOptions& options, const Clock& clock, Registry& registry)
      : options_(options),
        clock_(clock),
        registry_(registry),
        cluster_(cluster_options(options)),
        ledger_index_(cluster_),
        documents_(cluster_, all_indices(options.index)),
        ledger_(ledger_index_, documents_) {}

  Status open(const std::stop_token& stop) {
    if (options_.read_only) {
      LB_TRY(find_out(stop));
    } else {
      LB_TRY(patiently([&] { return find_out(stop); }, stop));
      LB_TRY(patiently([&] { return ledger_index_.prepare(version_, stop); }, stop));
      WriterOptions writer;
      writer.version = version_;
      writer.index_pattern = options_.index;
      writer.bulk.writers = options_.writers;
      writer.memory = options_.memory;
      writer.drain = options_.drain;
      writer_ = std::make_unique<ElasticWriter>(
          writer, ElasticWriter::Deps{cluster_, ledger_index_, documents_, clock_, registry_});
      log_info("storing in {} at {}", version_.text, cluster_.where());
    }
    searcher_ = make_elastic_searcher(documents_, clock_, [this] { return written_commit(); });
    keeper_ = std::make_unique<ElasticKeeper>(ledger_index_, documents_, writer_.get(), clock_, cluster_.where());
    return {};
  }

  LogWriter* writer() override { return writer_.get(); }
  LogSearcher& searcher() override { return *searcher_; }
  LedgerView& ledger() override { return ledger_; }
  StoreKeeper& keeper() override { return *keeper_; }

 private:
  static ClusterOptions cluster_options(const ElasticOptions& options) {
    ClusterOptions cluster{options.urls, options.user, options.password, options.api_key, options.client};
    if (cluster.client.silence_time.count() == 0) cluster.client.silence_time = std::chrono::seconds(60);
    return cluster;
  }

  Status find_out(const std::stop_token& stop) {
    LB_ASSIGN(version_, cluster_.version(stop));
    return {};
  }

  // A cluster that is not there yet is waited for.
  Status patiently(const std::function<Status()>& attempt, const std::stop_token& stop) {
    const auto end = clock_.monotonic() + options_.patience;
    for (bool said = false;; said = true) {
      Status done = attempt();
      const bool later = !done.ok() && done.error().code() == ErrorCode::kUnavailable;
      if (!later || clock_.monotonic() >= end) return done;
      if (!said) log_warn("waiting for {}: {}", cluster_.where(), done.error().message());
      if (!pause_for(kBetweenTries, stop))
        return Error(ErrorCode::kCancelled, fmt::format("stopped waiting for {}", cluster_.where()));
    }
  }

  std::uint64_t written_commit() const {
    const auto others = static_cast<std::uint64_t>(std::max<TimeNs>(0, clock_.now() - kOnTheWay));
    if (!writer_) return others;
    return options_.shared ? std::min(others, writer_->written_commit()) : writer_->written_commit();
  }

  const ElasticOptions options_;
  const Clock& clock_;
  Registry& registry_;
  Cluster cluster_;
  Version version_;
  LedgerIndex ledger_index_;
  Documents documents_;
  ElasticLedger ledger_;
  std::unique_ptr<ElasticWriter> writer_;
  std::unique_ptr<LogSearcher> searcher_;
  std::unique_ptr<ElasticKeeper> keeper_;
};

}  // namespace

Result<std::unique_ptr<LogStore>> open_elastic_store(const ElasticOptions& options, const Clock& clock,
                                                     Registry& registry, std::stop_token stop) {
  if (options.urls.empty()) {
    return Error(ErrorCode::kInvalidArgument,
                 "elastic.url: name at least one node of OpenSearch or Elasticsearch, as in http://10.0.0.1:9200");
  }
  auto store = std::make_unique<ElasticStore>(options, clock, registry);
  LB_TRY(store->open(stop));
  return std::unique_ptr<LogStore>(std::move(store));
}

}  // namespace logboom::logstore
