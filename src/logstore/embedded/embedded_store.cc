#include "logstore/embedded/embedded_store.h"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "base/log.h"
#include "logstore/embedded/committer.h"
#include "logstore/embedded/keeper.h"
#include "logstore/embedded/ledger_view.h"
#include "logstore/embedded/search/searcher.h"
#include "logstore/embedded/store_opening.h"
#include "logstore/embedded/view.h"
#include "logstore/embedded/write_queue.h"
#include "record/encoding/batch_encoding.h"

namespace logboom::logstore {
namespace {

using namespace embedded;

constexpr const char* kLockName = "/store.lock";

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Creates the directory so that its name and those of its new parents last.
Status create_lasting(FileSystem& files, const std::string& directory) {
  std::vector<std::string> parents;  // of directories that are not there yet
  for (std::string at = directory; !files.stat(at).ok(); at = parents.back()) {
    parents.push_back(parent_of(at));
    if (parents.back() == at || at == ".") break;
  }
  LB_TRY(files.create_directories(directory));
  for (const std::string& parent : parents) LB_TRY(files.sync_directory(parent));
  return ok_status();
}

// Everything a writing store has beyond a reading one.
class WriteSide final : public LogWriter {
 public:
  WriteSide(const EmbeddedOptions& options, Catalog& catalog, FileSet& files, const StoreView& view, const Clock& clock,
            Registry& registry, Inventory inventory, ActiveFile active)
      : catalog_(catalog),
        budget_(options.memory),
        queue_(catalog, encoders_, clock, {.block_bytes = options.block_bytes}),
        committer_({options, catalog, files, view, queue_, encoders_, clock, registry}, std::move(inventory),
                   std::move(active)) {
    const unsigned workers = options.workers != 0 ? options.workers : std::max(1u, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < workers; ++i) workers_.emplace_back([this] { queue_.encode_jobs(); });
  }
  ~WriteSide() override { static_cast<void>(close()); }

  Status append(std::shared_ptr<const Batch> batch, std::optional<Position> position, OnCommit on_commit,
                std::stop_token stop) override;
  Status flush() override {
    queue_.wait_until_done();
    return ok_status();
  }
  Result<std::vector<KnownSource>> known_sources(Expired expired) override;
  void expect(const Position& position) override { catalog_.positions().appended(position); }
  void pass_over(const Position& position) override { catalog_.positions().passed_over(position); }
  Status settle(const std::vector<Position>& positions) override;
  Result<std::vector<Position>> positions() override { return catalog_.positions().all(); }
  Status close();
  Committer& committer() { return committer_; }

 private:
  Catalog& catalog_;
  MemoryBudget budget_;
  EncoderPool encoders_;
  WriteQueue queue_;
  Committer committer_;
  Mutex mutex_;
  bool closed_ LB_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> workers_;
};

Status WriteSide::append(std::shared_ptr<const Batch> batch, std::optional<Position> position, OnCommit on_commit,
                         std::stop_token stop) {
  LB_TRY(validate_batch(*batch));
  Pending pending;
  std::optional<MemoryBudget::Lease> lease = budget_.acquire(batch->memory(), std::move(stop));
  if (!lease) return Error(ErrorCode::kCancelled, "cannot append: a stop was requested");
  pending.lease = std::move(*lease);
  pending.ref = catalog_.ref_of(*batch);
  pending.batch = std::move(batch);
  if (position) catalog_.positions().appended(*position);
  pending.position = std::move(position);
  pending.on_commit = std::move(on_commit);
  if (queue_.push(std::move(pending))) return ok_status();
  return Error(ErrorCode::kUnavailable, "cannot append: the store is closed");
}

Result<std::vector<KnownSource>> WriteSide::known_sources(Expired expired) {
  // Ordered by source and epoch: the newest epoch of a channel comes last.
  std::map<std::pair<SourceId, std::string>, std::shared_ptr<const Stream>> newest;
  for (const auto& stream : catalog_.streams()) {
    auto& known = newest[{stream->source, stream->channel}];
    if (known == nullptr || known->epoch < stream->epoch) known = stream;
  }
  std::vector<std::shared_ptr<const Stream>> streams;
  for (const auto& [key, stream] : newest) streams.push_back(stream);
  std::ranges::sort(streams, {}, [](const auto& stream) { return stream->commit; });
  std::vector<KnownSource> out;
  for (const auto& stream : streams) {
    KnownSource known;
    known.source = stream->source;
    known.channel = stream->channel;
    known.epoch = stream->epoch;
    known.coverage = stream->held(expired == Expired::kHeld);
    known.marks = stream->all_marks();
    known.state = stream->state;
    out.push_back(std::move(known));
  }
  return out;
}

Status WriteSide::settle(const std::vector<Position>& positions) {
  return committer_.run([&]() -> Status {
    StoreFile& file = *committer_.active().file;
    LB_ASSIGN(sqlite::Transaction transaction, file.begin());
    for (const Position& mark : catalog_.positions().with(positions)) LB_TRY(file.put_position(mark));
    LB_TRY(transaction.commit());
    catalog_.positions().durable(positions);
    return ok_status();
  });
}

Status WriteSide::close() {
  {
    MutexLock lock(mutex_);
    if (closed_) return ok_status();
    closed_ = true;
  }
  queue_.close();
  const Status status = committer_.close();
  workers_.clear();
  return status;
}

class EmbeddedStore final : public LogStore {
 public:
  EmbeddedStore(const EmbeddedOptions& options, FileSystem& files, const Clock& clock)
      : options_(options), clock_(clock), files_(files, options.directory), view_(catalog_, files_) {}
  ~EmbeddedStore() override { static_cast<void>(close()); }

  Status open(Registry& registry);
  LogWriter* writer() override { return writer_.get(); }
  LogSearcher& searcher() override { return *searcher_; }
  LedgerView& ledger() override { return *ledger_; }
  StoreKeeper& keeper() override { return *keeper_; }

 private:
  Status close();
  void serve();

  const EmbeddedOptions options_;
  const Clock& clock_;
  std::unique_ptr<FileLock> lock_;
  FileSet files_;
  Catalog catalog_;
  View view_;
  Notes notes_;
  std::unique_ptr<WriteSide> writer_;
  std::unique_ptr<LogSearcher> searcher_;
  std::unique_ptr<LedgerView> ledger_;
  std::unique_ptr<StoreKeeper> keeper_;
};

void EmbeddedStore::serve() {
  searcher_ = make_searcher(view_, clock_, {options_.workers, options_.query_memory});
  ledger_ = std::make_unique<EmbeddedLedger>(catalog_, files_, view_, notes_);
  keeper_ = std::make_unique<EmbeddedKeeper>(EmbeddedKeeper::Deps{catalog_, files_, notes_, clock_,
                                                                  writer_ == nullptr ? nullptr : &writer_->committer(),
                                                                  [this] { return close(); }});
}

Status EmbeddedStore::open(Registry& registry) {
  LB_ASSIGN(lock_, lock_embedded_store(options_.directory, options_.access, files_.files()));
  LB_ASSIGN(LoadedStore loaded, load_store(files_, catalog_, notes_, options_.access == StoreAccess::kReadWrite));
  notes_.set_accepted(loaded.inventory.accepted);
  if (options_.access == StoreAccess::kReadWrite) {
    LB_ASSIGN(ActiveFile active, open_active(loaded, files_, catalog_, clock_));
    writer_ = std::make_unique<WriteSide>(options_, catalog_, files_, view_, clock_, registry,
                                          std::move(loaded.inventory), std::move(active));
  } else if (loaded.newest == 0 && loaded.highest != 0) {
    return Error(ErrorCode::kCorrupt,
                 fmt::format("cannot open the log store in {}: none of its files can be read; run `logboom repair`",
                             options_.directory));
  } else if (loaded.newest == 0) {
    return Error(ErrorCode::kNotFound,
                 fmt::format("cannot open the log store in {}: there is none", options_.directory));
  }
  serve();
  return ok_status();
}

Status EmbeddedStore::close() {
  catalog_.close();
  return writer_ == nullptr ? ok_status() : writer_->close();
}

}  // namespace

Result<std::unique_ptr<FileLock>> lock_embedded_store(const std::string& directory, StoreAccess access,
                                                      FileSystem& files) {
  const bool writes = access == StoreAccess::kReadWrite;
  if (writes) LB_TRY(create_lasting(files, directory));
  auto lock = files.lock(directory + kLockName, writes ? LockMode::kExclusive : LockMode::kShared);
  if (lock.ok()) return lock;
  if (lock.error().code() != ErrorCode::kUnavailable) return lock.error().with_context("cannot open the log store");
  return Error(ErrorCode::kUnavailable,
               fmt::format("cannot open the log store in {}: another logboom works on it; stop that one, or ask it "
                           "instead of opening its files",
                           directory));
}

Result<std::unique_ptr<LogStore>> open_embedded_store(const EmbeddedOptions& options, FileSystem& files,
                                                      const Clock& clock, Registry& registry) {
  auto store = std::make_unique<EmbeddedStore>(options, files, clock);
  LB_TRY(store->open(registry));
  return std::unique_ptr<LogStore>(std::move(store));
}

}  // namespace logboom::logstore
