#include "metricstore/embedded/embedded_metric_store.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/mutex.h"
#include "io/copy_file.h"
#include "metricstore/embedded/metric_reader.h"
#include "metricstore/embedded/metric_writer.h"

namespace logboom::metricstore {
namespace {

using embedded::Directory;
using embedded::MetricFile;
using embedded::MetricReader;
using embedded::MetricWriter;

constexpr const char* kFileName = "/metrics.db";
constexpr const char* kLockName = "/metrics.lock";

class EmbeddedMetricStore final : public MetricStore, public MetricKeeper {
 public:
  EmbeddedMetricStore(const EmbeddedMetricOptions& options, FileSystem& files, const Clock& clock)
      : options_(options),
        files_(files),
        clock_(clock),
        vfs_(files),
        directory_({.series = options.max_series}),
        refusals_(clock) {}
  ~EmbeddedMetricStore() override { static_cast<void>(close()); }

  Status open(Registry& registry) {
    const bool writes = options_.access == MetricAccess::kReadWrite;
    LB_TRY(lock(writes));
    LB_ASSIGN(file_, MetricFile::open(vfs_, options_.directory + kFileName, writes));
    if (writes) LB_TRY(make_lasting());
    LB_ASSIGN(damaged_rows_, file_->load(directory_, clock_.now()));
    if (damaged_rows_ > 0)
      log_error("{} rows of the metric store in {} are damaged and left out", damaged_rows_, options_.directory);
    if (writes) {
      MetricStats stats;
      directory_.count(stats);
      writer_ = std::make_unique<MetricWriter>(
          MetricWriter::Deps{options_, *file_, directory_, refusals_, files_, clock_, registry}, stats.newest);
    }
    reader_ = std::make_unique<MetricReader>(*file_, directory_, clock_,
                                             [this] { return writer_ ? writer_->retention() : options_.retention; });
    return ok_status();
  }

  Status append(SampleBatch batch, OnStored on_stored, std::stop_token stop) override {
    if (!writer_) return read_only();
    return writer_->append(std::move(batch), std::move(on_stored), std::move(stop));
  }
  Status flush() override { return writer_ ? writer_->flush() : read_only(); }
  Result<MetricAnswer> query(const MetricQuery& query, MetricVisitor& visitor, std::stop_token stop) override {
    return reader_->query(query, visitor, std::move(stop));
  }
  Result<std::vector<SeriesInfo>> series(const SeriesRequest& request, std::stop_token) override {
    return directory_.list(request);
  }
  Status apply_retention(const MetricRetention& retention) override {
    return writer_ ? writer_->apply_retention(retention) : read_only();
  }
  Status backup(const std::string& directory, std::stop_token stop) override {
    if (!writer_) return read_only();
    MutexLock lock(backup_);
    LB_TRY(make_empty_directory(files_, directory));
    // Where samples have to wait, what is durable is copied.
    if (Status flushed = writer_->flush(); !flushed.ok() && flushed.error().code() != ErrorCode::kUnavailable)
      return flushed;
    std::uint64_t size = 0;
    LB_TRY(writer_->run([&]() -> Status {
      LB_ASSIGN(size, file_->hold_main());
      return ok_status();
    }));
    const Status copied = copy_file(files_, options_.directory + kFileName, directory + kFileName, size, stop);
    const Status kept = writer_->run([&]() -> Status {
      if (file_->release_main()) return ok_status();
      return Error(ErrorCode::kUnavailable, "the metric store's file was opened anew while it was copied: try again");
    });
    LB_TRY(copied);
    LB_TRY(kept);
    return files_.sync_directory(directory);
  }
  MetricKeeper& keeper() override { return *this; }
  MetricStats stats() override {
    MetricStats stats;
    directory_.count(stats);
    refusals_.fill(stats);
    stats.damaged_chunks = damaged_rows_ + reader_->damaged();
    for (const char* suffix : {"", "-wal"}) {
      const auto found = files_.stat(options_.directory + kFileName + suffix);
      if (found.ok()) stats.bytes_on_disk += found->size;
    }
    if (writer_) writer_->fill(stats);
    return stats;
  }
  Status close() override { return writer_ ? writer_->close() : ok_status(); }

 private:
  static Status read_only() {
    return Error(ErrorCode::kUnsupported, "cannot change the metric store: it is open for reading");
  }

  // The names of the file and its log, and that of the directory.
  Status make_lasting() {
    LB_TRY(files_.sync_directory(options_.directory));
    const std::size_t slash = options_.directory.rfind('/');
    return files_.sync_directory(slash == 0 ? "/" : options_.directory.substr(0, slash));
  }

  Status lock(bool writes) {
    if (writes) LB_TRY(files_.create_directories(options_.directory));
    auto taken = files_.lock(options_.directory + kLockName, writes ? LockMode::kExclusive : LockMode::kShared);
    if (taken.ok()) {
      lock_ = std::move(*taken);
      return ok_status();
    }
    if (taken.error().code() != ErrorCode::kUnavailable)
      return taken.error().with_context("cannot open the metric store");
    return Error(ErrorCode::kUnavailable,
                 fmt::format("cannot open the metric store in {}: another logboom works on it; stop that one, or ask "
                             "it instead of opening its file",
                             options_.directory));
  }

  const EmbeddedMetricOptions options_;
  FileSystem& files_;
  const Clock& clock_;
  sqlite::Vfs vfs_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<MetricFile> file_;
  Directory directory_;
  Refusals refusals_;
  std::uint64_t damaged_rows_ = 0;
  Mutex backup_;  // one at a time
  std::unique_ptr<MetricWriter> writer_;
  std::unique_ptr<MetricReader> reader_;
};

}  // namespace

Result<std::unique_ptr<MetricStore>> open_embedded_metric_store(const EmbeddedMetricOptions& options, FileSystem& files,
                                                                const Clock& clock, Registry& registry) {
  auto store = std::make_unique<EmbeddedMetricStore>(options, files, clock);
  LB_TRY(store->open(registry));
  return std::unique_ptr<MetricStore>(std::move(store));
}

}  // namespace logboom::metricstore
