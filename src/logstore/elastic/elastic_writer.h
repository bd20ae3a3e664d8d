// ElasticWriter: the LogWriter of the store in OpenSearch or Elasticsearch. One thread keeps the ledger: it claims the
// ranges of new batches, hands their records to the BulkWriters, and marks them stored when they are; what is claimed
// and what is done meanwhile goes into one write of the ledger. A batch is acknowledged when its range is marked.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "logstore/elastic/bulk_writers.h"
#include "logstore/elastic/documents.h"
#include "logstore/elastic/ledger_index.h"
#include "logstore/elastic/stream_table.h"
#include "logstore/log_store.h"
#include "logstore/position_marks.h"
#include "telemetry/registry.h"

namespace logboom::logstore::elastic {

struct WriterOptions {
  Version version;
  std::string index_pattern;
  BulkOptions bulk;
  std::uint64_t memory = 32u << 20;        // batches appended and not durable
  std::chrono::milliseconds drain{4'000};  // longest wait of close()
};

class ElasticWriter final : public LogWriter {
 public:
  // All of these outlive it.
  struct Deps {
    Cluster& cluster;
    LedgerIndex& ledger;
    Documents& documents;
    const Clock& clock;
    Registry& registry;
  };
  ElasticWriter(const WriterOptions& options, Deps deps);
  ~ElasticWriter() override;

  Status append(std::shared_ptr<const Batch> batch, std::optional<Position> position, OnCommit on_commit,
                std::stop_token stop) override;
  // As long as the target takes nothing it waits for close(), which answers for all there is: then kUnavailable.
  Status flush() override;
  Result<std::vector<KnownSource>> known_sources(Expired expired) override;
  void expect(const Position& position) override { marks_.appended(position); }
  void pass_over(const Position& position) override { marks_.passed_over(position); }
  Status settle(const std::vector<Position>& positions) override;
  Result<std::vector<Position>> positions() override { return d_.ledger.positions({}); }

  // Drains for options.drain at most, then ends; what is not durable by then is not acknowledged.
  Status close();
  // Every document with a commit up to this one has been written; the target shows them after its next refresh.
  std::uint64_t written_commit() const;
  // Why nothing is acknowledged now; empty while all is well.
  std::string problem() const;

 private:
  // One write of the ledger and what belongs to it.
  struct Round {
    std::vector<std::unique_ptr<Work>> fresh;      // to be staged
    std::vector<std::shared_ptr<Piece>> finished;  // to be marked
    std::vector<std::unique_ptr<Work>> staged;
    std::vector<std::unique_ptr<Work>> done;  // acknowledged behind the write
    std::vector<Position> positions;
    Additions additions;
    std::uint64_t commit = 0;
  };
  void run(std::stop_token stop);
  Round collect(std::stop_token stop);
  Status process(Round& round, std::stop_token stop);
  Status load_streams(const Round& round, std::stop_token stop);
  Status put_templates(const Round& round, std::stop_token stop);
  Status look_at_claims(const Batch& batch, std::stop_token stop);
  void finish_pieces(Round& round);
  void stage_works(Round& round);
  Status save(Round& round, std::stop_token stop);
  Status reread(Round& round, const std::vector<TargetStream*>& overtaken, std::stop_token stop);
  void publish(Round& round);
  void put_back(Round& round);
  void give_up();
  // Waits for everything appended, for options.drain at most.
  Status drain();
  Status what_is_left() const LB_REQUIRES(mutex_);
  // Calls `attempt` until it succeeds, with back-off; the error is a stop.
  Status insist(const std::function<Status()>& attempt, std::stop_token stop);
  void piece_done(std::shared_ptr<Piece> piece);
  void set_problem(const std::string& problem);

  const WriterOptions options_;
  const Deps d_;
  const std::string name_;  // of this writer, in the ledger
  StreamTable table_;       // ledger thread only
  Groundwork groundwork_;
  std::map<const Piece*, Work*> works_;
  std::map<const Work*, std::unique_ptr<Work>> under_way_;
  PositionMarks marks_;
  Counter& ledger_writes_;

  mutable Mutex mutex_;
  CondVar changed_;
  CondVar room_;
  std::deque<std::unique_ptr<Work>> pending_ LB_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Work>> waiting_ LB_GUARDED_BY(mutex_);  // for a piece that overlaps them
  std::vector<std::shared_ptr<Piece>> finished_ LB_GUARDED_BY(mutex_);
  std::vector<Position> settled_ LB_GUARDED_BY(mutex_);  // durable, their marks to be written
  bool noting_ LB_GUARDED_BY(mutex_) = false;            // marks are being written
  std::multiset<std::uint64_t> open_commits_ LB_GUARDED_BY(mutex_);
  std::uint64_t last_commit_ LB_GUARDED_BY(mutex_) = 0;
  std::uint64_t memory_ LB_GUARDED_BY(mutex_) = 0;
  std::size_t outstanding_ LB_GUARDED_BY(mutex_) = 0;
  std::string problem_ LB_GUARDED_BY(mutex_);
  bool closed_ LB_GUARDED_BY(mutex_) = false;
  bool given_up_ LB_GUARDED_BY(mutex_) = false;  // every append has its answer
  std::unique_ptr<BulkWriters> bulk_;
  std::jthread thread_;
};

}  // namespace logboom::logstore::elastic
