// Catalog: what is durable, in memory: streams with their ledgers, names, and the metas of all blocks and tail chunks.
// The commit thread publishes after COMMIT has returned; everyone else reads. Thread-safe; no call touches the disk.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "logstore/embedded/file_reader.h"
#include "logstore/embedded/snapshot.h"
#include "logstore/embedded/stream.h"
#include "logstore/position_marks.h"

namespace logboom::logstore::embedded {

struct StreamKey {
  SourceId source;
  std::uint32_t epoch = 0;
  std::string channel;
  auto operator<=>(const StreamKey&) const = default;
};
inline StreamKey key_of(const Batch& batch) {
  return {batch.source, batch.epoch, batch.channel};
}
inline StreamKey key_of(const Stream& stream) {
  return {stream.source, stream.epoch, stream.channel};
}

using ChunkList = std::vector<std::shared_ptr<const ChunkMeta>>;

// What one transaction on a file changed.
struct Changes {
  std::uint32_t file = 0;
  std::uint64_t commit = 0;  // 0: no new rows
  std::vector<std::shared_ptr<const Stream>> streams;
  ChunkList blocks;
  ChunkList tails;
  ChunkList replaced_tails;
};

class Catalog {
 public:
  // ---- at the start, files in ascending order: what a later file says of a stream replaces what earlier ones said
  void add_file(LoadedFile& loaded, bool sealed);
  void raise_commit(std::uint64_t commit);
  // A file cannot be read: the numbers of streams and refs it may have given are not given again.
  void skip_numbers();
  // Fills Stream::lost; `whole`: the files everything of which could be read.
  void find_lost(const std::set<std::uint32_t>& whole);
  // What LedgerSalvage made again of lost rows.
  void restore_names(SourceNames names);
  void restore_stream(Stream stream);

  // Where reading the transport goes on.
  PositionMarks& positions() { return positions_; }
  const PositionMarks& positions() const { return positions_; }

  // ---- commit thread
  void add_active_file(std::uint32_t file);
  void seal_file(std::uint32_t file);
  void remove_file(std::uint32_t file);
  void publish(Changes changes);
  // The sealed data of a tail chunk that a block has replaced, for the snapshots that still name it; to be called
  // before the COMMIT that deletes it.
  void pin_tail(const std::shared_ptr<const ChunkMeta>& tail, std::string data);
  std::uint64_t pinned_bytes() const;
  ChunkList tails(std::uint32_t file) const;
  std::uint64_t blocks(std::uint32_t file) const;
  bool has_chunks(std::uint32_t file) const;
  // Tail chunks ever added, and their raw bytes; what there was at the start included.
  struct TailCounts {
    std::uint64_t chunks = 0;
    std::uint64_t bytes = 0;
  };
  TailCounts tail_counts() const;
  std::uint32_t new_stream_id();

  // ---- anyone
  // The ref of the batch's stream, host and path; made when new.
  SourceRef ref_of(const Batch& batch);
  std::shared_ptr<const SourceNames> names(SourceRef ref) const;
  std::vector<SourceRef> refs_of(const SourceId& source, std::uint32_t epoch, std::string_view channel) const;
  std::shared_ptr<const Stream> find(const StreamKey& key) const;
  std::vector<std::shared_ptr<const Stream>> streams() const;
  std::shared_ptr<const Snapshot> snapshot() const;
  // The same together with the streams of the same moment.
  std::shared_ptr<const Snapshot> snapshot_with(std::vector<std::shared_ptr<const Stream>>& streams) const;
  std::shared_ptr<const std::string> pinned_tail(const ChunkKey& key) const;
  std::uint64_t last_commit() const;
  // As StoreView::wait_for_commit; close() ends all waits.
  std::uint64_t wait_for_commit(std::uint64_t after, std::chrono::nanoseconds wait, std::stop_token stop) const;
  void close();

 private:
  struct NamesKey {
    StreamKey stream;
    std::string host;
    std::string path;
    auto operator<=>(const NamesKey&) const = default;
  };
  struct FileEntry {
    bool sealed = false;
    ChunkList blocks;
    std::map<std::int64_t, std::shared_ptr<const ChunkMeta>> tails;
    mutable std::shared_ptr<const FileSnapshot> cached;  // nullptr after a change
  };
  struct Pin {
    std::weak_ptr<const ChunkMeta> user;  // expired: nobody needs the data any more
    std::shared_ptr<const std::string> data;
  };
  void add_names(SourceNames names) LB_REQUIRES(mutex_);
  void raise_numbers(const LoadedFile& loaded) LB_REQUIRES(mutex_);
  void take_orphans(const std::map<std::uint32_t, OrphanRows>& orphans) LB_REQUIRES(mutex_);
  void add_tail_counts(const ChunkMeta& tail) LB_REQUIRES(mutex_);
  void drop_unused_pins() LB_REQUIRES(mutex_);
  const std::shared_ptr<const Snapshot>& current() const LB_REQUIRES(mutex_);
  const std::shared_ptr<const FileSnapshot>& file_snapshot(std::uint32_t file, const FileEntry& entry) const
      LB_REQUIRES(mutex_);

  PositionMarks positions_;
  mutable Mutex mutex_;
  mutable CondVar committed_;
  std::map<StreamKey, std::shared_ptr<const Stream>> streams_ LB_GUARDED_BY(mutex_);
  std::unordered_map<SourceRef, std::shared_ptr<const SourceNames>> names_ LB_GUARDED_BY(mutex_);
  std::map<NamesKey, SourceRef> refs_ LB_GUARDED_BY(mutex_);
  std::map<std::uint32_t, FileEntry> files_ LB_GUARDED_BY(mutex_);
  std::map<ChunkKey, Pin> pins_ LB_GUARDED_BY(mutex_);
  mutable std::shared_ptr<const Snapshot> cached_ LB_GUARDED_BY(mutex_);
  std::uint64_t last_commit_ LB_GUARDED_BY(mutex_) = 0;
  std::uint32_t last_stream_ LB_GUARDED_BY(mutex_) = 0;
  SourceRef last_ref_ LB_GUARDED_BY(mutex_) = 0;
  TailCounts tail_counts_ LB_GUARDED_BY(mutex_);
  bool closed_ LB_GUARDED_BY(mutex_) = false;
};

}  // namespace logboom::logstore::embedded
