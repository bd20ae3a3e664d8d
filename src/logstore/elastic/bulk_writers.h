// BulkWriters: threads that write pieces of batches as documents, by `_bulk` with op create, until each record is
// there, found to be there already, or refused for good. What the target cannot take now (429, 5xx, no connection, a
// block on the index, no right) is tried again with back-off for ever. The size of a request adapts to what the target
// takes in good time. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "logstore/elastic/cluster.h"
#include "logstore/elastic/document.h"
#include "logstore/elastic/groundwork.h"
#include "record/batch.h"
#include "telemetry/registry.h"

namespace logboom::logstore::elastic {

// A record that did not become a document.
struct Refusal {
  std::uint64_t begin = 0;  // its share of the file
  std::uint64_t end = 0;
  std::string bytes;
  std::string reason;
  bool conflict = false;  // another document has its id, with other bytes: that one stays
};

// A part of a batch for one index.
struct Piece {
  std::shared_ptr<const Batch> batch;
  std::string index;
  std::uint64_t commit = 0;
  // Only compares with the documents that are there; a record without one is left alone.
  bool compare = false;
  std::vector<Refusal> refused;  // the outcome
  std::size_t uncompared = 0;    // records of a comparison that have no document
  std::size_t left = 0;          // records without an outcome; internal
};

struct BulkOptions {
  unsigned writers = 2;
  std::uint64_t least_request = 64u << 10;  // bytes of log lines in one request
  std::uint64_t first_request = 1u << 20;
  std::uint64_t most_request = 8u << 20;
  std::chrono::milliseconds least_pause{100};  // before a failed request; doubles up to most_pause
  std::chrono::milliseconds most_pause{10'000};
};

class BulkWriters {
 public:
  // `on_done` is called once per piece from one of the threads; it must not block. The cluster, the groundwork and the
  // registry outlive it.
  BulkWriters(Cluster& cluster, Groundwork& groundwork, const BulkOptions& options, Registry& registry,
              std::function<void(std::shared_ptr<Piece>)> on_done);
  // As stop().
  ~BulkWriters();

  // Never blocks; the caller bounds what is under way.
  void add(std::shared_ptr<Piece> piece);
  // Ends the threads; pieces that are not done stay so, `on_done` is not called for them.
  void stop();
  // Why nothing is being written now, for people; empty while all is well.
  std::string problem() const;

 private:
  struct Document {
    Piece* piece;
    std::size_t record;
    bool plain = false;
  };
  // Records [first, last) of a piece.
  struct Slice {
    std::shared_ptr<Piece> piece;
    std::size_t first;
    std::size_t last;
  };
  void run(std::stop_token stop);
  std::vector<Slice> take(std::stop_token stop);
  void create(std::vector<Document> documents, DocumentWriter& writer, std::stop_token stop);
  // Sends some of the documents and gives back those to be sent again.
  std::vector<Document> send(std::vector<Document> documents, DocumentWriter& writer, std::stop_token stop);
  std::vector<Document> sort_outcomes(std::vector<Document> documents, const std::string& answer, std::stop_token stop);
  // Compares documents of these ids with the records; gives back those whose documents are not there.
  Result<std::vector<Document>> compare(const std::vector<Document>& documents, std::stop_token stop);
  Status settle(const std::vector<Document>& differing, std::stop_token stop);
  Result<nlohmann::json> fetch(const std::vector<Document>& documents, const char* members, std::stop_token stop);
  void compare_all(std::vector<Document> documents, std::stop_token stop);
  void refuse(const Document& document, std::string reason, bool conflict);
  void finish(const std::vector<Slice>& slices);
  void adapt(std::uint64_t bytes, std::chrono::nanoseconds took);
  void shrink();
  void set_problem(std::string problem);
  void pause(std::chrono::milliseconds& pause, std::stop_token stop);

  Cluster& cluster_;
  Groundwork& groundwork_;
  const BulkOptions options_;
  const std::function<void(std::shared_ptr<Piece>)> on_done_;
  Counter& documents_;
  Counter& repeated_;
  Counter& retried_;
  Counter& refused_;
  Gauge& request_bytes_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Slice> queue_ LB_GUARDED_BY(mutex_);
  std::uint64_t target_ LB_GUARDED_BY(mutex_);
  std::string problem_ LB_GUARDED_BY(mutex_);
  std::vector<std::jthread> threads_;
};

}  // namespace logboom::logstore::elastic
