#include "logstore/embedded/catalog.h"

#include <algorithm>

namespace logboom::logstore::embedded {

void Catalog::add_names(SourceNames names) {
  const SourceRef ref = names.ref;
  refs_[{{names.source, names.epoch, names.channel}, names.host, names.path}] = ref;
  names_[ref] = std::make_shared<const SourceNames>(std::move(names));
  last_ref_ = std::max(last_ref_, ref);
}

// A number that a damaged file still uses is never given again, even where the row it belongs to is lost.
void Catalog::raise_numbers(const LoadedFile& loaded) {
  for (const ChunkList* chunks : {&loaded.blocks, &loaded.tails}) {
    for (const auto& chunk : *chunks) {
      for (const RefRange& range : chunk->refs) last_ref_ = std::max(last_ref_, range.ref);
    }
  }
  for (const Stream& stream : loaded.streams) {
    last_stream_ = std::max(last_stream_, stream.id);
    last_ref_ = std::max(last_ref_, stream.ref);
  }
  if (!loaded.orphans.empty()) last_stream_ = std::max(last_stream_, loaded.orphans.rbegin()->first);
}

// An earlier file may say whose they are; what it says of the ranges is older.
void Catalog::take_orphans(const std::map<std::uint32_t, OrphanRows>& orphans) {
  if (orphans.empty()) return;
  for (auto& [key, stream] : streams_) {
    const auto rows = orphans.find(stream->id);
    if (rows == orphans.end()) continue;
    Stream changed = *stream;
    changed.ranges = rows->second.ranges;
    for (const HeldRange& held : stream->ranges.all()) changed.ranges.fill(held);
    changed.add_marks(rows->second.marks);
    changed.ranges_lost = changed.marks_lost = true;
    stream = std::make_shared<const Stream>(std::move(changed));
  }
}

void Catalog::add_file(LoadedFile& loaded, bool sealed) {
  positions_.load(loaded.positions);
  MutexLock lock(mutex_);
  raise_numbers(loaded);
  for (SourceNames& names : loaded.names) add_names(std::move(names));
  FileEntry& entry = files_[loaded.head.seq];
  entry.sealed = sealed;
  entry.blocks = std::move(loaded.blocks);
  for (const auto& block : entry.blocks) last_commit_ = std::max(last_commit_, block->last_commit);
  for (auto& tail : loaded.tails) {
    last_commit_ = std::max(last_commit_, tail->last_commit);
    const std::int64_t id = tail->key.id;
    entry.tails.emplace(id, std::move(tail));
    add_tail_counts(*entry.tails[id]);
  }
  for (Stream& stream : loaded.streams) {
    last_commit_ = std::max(last_commit_, stream.commit);
    std::shared_ptr<const Stream>& slot = streams_[key_of(stream)];
    // What rows are missing of, an earlier file may have had.
    if (slot != nullptr && stream.ranges_lost) {
      for (const HeldRange& held : slot->ranges.all()) stream.ranges.fill(held);
    }
    if (slot != nullptr && stream.marks_lost) stream.add_marks(slot->all_marks());
    slot = std::make_shared<const Stream>(std::move(stream));
  }
  take_orphans(loaded.orphans);
  cached_ = nullptr;
}

void Catalog::restore_names(SourceNames names) {
  MutexLock lock(mutex_);
  add_names(std::move(names));
}

void Catalog::restore_stream(Stream stream) {
  MutexLock lock(mutex_);
  const StreamKey key = key_of(stream);
  streams_[key] = std::make_shared<const Stream>(std::move(stream));
}

void Catalog::find_lost(const std::set<std::uint32_t>& whole) {
  MutexLock lock(mutex_);
  std::map<StreamKey, Coverage> there;
  const auto add = [&](const ChunkMeta& chunk) LB_REQUIRES(mutex_) {
    for (const RefRange& range : chunk.refs) {
      const auto names = names_.find(range.ref);
      if (names == names_.end()) continue;
      there[{names->second->source, names->second->epoch, names->second->channel}].add(range.begin, range.end);
    }
  };
  for (const auto& [seq, file] : files_) {
    for (const auto& block : file.blocks) add(*block);
    for (const auto& [id, tail] : file.tails) add(*tail);
  }
  for (auto& [key, stream] : streams_) {
    Coverage lost;
    for (const HeldRange& held : stream->ranges.all()) {
      if (held.range.disposition != Disposition::kStored || held.range.expired || !whole.contains(held.file)) continue;
      for (const Interval& part : there[key].missing(held.range.begin, held.range.end)) lost.add(part.begin, part.end);
    }
    if (lost.empty()) continue;
    Stream changed = *stream;
    changed.lost = std::move(lost);
    stream = std::make_shared<const Stream>(std::move(changed));
  }
}

void Catalog::raise_commit(std::uint64_t commit) {
  MutexLock lock(mutex_);
  last_commit_ = std::max(last_commit_, commit);
}

void Catalog::skip_numbers() {
  constexpr std::uint32_t kSkipped = 1u << 18;  // more sources than begin in one file
  MutexLock lock(mutex_);
  last_ref_ += kSkipped;
  last_stream_ += kSkipped;
}

void Catalog::add_active_file(std::uint32_t file) {
  MutexLock lock(mutex_);
  files_[file];
  cached_ = nullptr;
}

void Catalog::seal_file(std::uint32_t file) {
  MutexLock lock(mutex_);
  files_[file].sealed = true;
  files_[file].cached = nullptr;
  cached_ = nullptr;
}

void Catalog::remove_file(std::uint32_t file) {
  MutexLock lock(mutex_);
  files_.erase(file);
  cached_ = nullptr;
}

void Catalog::publish(Changes changes) {
  MutexLock lock(mutex_);
  for (auto& stream : changes.streams) {
    const StreamKey key = key_of(*stream);
    streams_[key] = std::move(stream);
  }
  FileEntry& entry = files_[changes.file];
  for (auto& block : changes.blocks) entry.blocks.push_back(std::move(block));
  for (auto& tail : changes.tails) {
    const std::int64_t id = tail->key.id;
    add_tail_counts(*tail);
    entry.tails.emplace(id, std::move(tail));
  }
  for (auto& tail : changes.replaced_tails) entry.tails.erase(tail->key.id);
  changes.replaced_tails.clear();
  entry.cached = nullptr;
  cached_ = nullptr;
  drop_unused_pins();
  last_commit_ = std::max(last_commit_, changes.commit);
  committed_.notify_all();
}

void Catalog::pin_tail(const std::shared_ptr<const ChunkMeta>& tail, std::string data) {
  MutexLock lock(mutex_);
  pins_[tail->key] = {tail, std::make_shared<const std::string>(std::move(data))};
}

void Catalog::drop_unused_pins() {
  std::erase_if(pins_, [](const auto& pin) { return pin.second.user.expired(); });
}

std::uint64_t Catalog::pinned_bytes() const {
  MutexLock lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [key, pin] : pins_) sum += pin.user.expired() ? 0 : pin.data->size();
  return sum;
}

ChunkList Catalog::tails(std::uint32_t file) const {
  MutexLock lock(mutex_);
  ChunkList out;
  const auto it = files_.find(file);
  if (it == files_.end()) return out;
  for (const auto& [id, tail] : it->second.tails) out.push_back(tail);
  return out;
}

std::uint64_t Catalog::blocks(std::uint32_t file) const {
  MutexLock lock(mutex_);
  const auto it = files_.find(file);
  return it == files_.end() ? 0 : it->second.blocks.size();
}

bool Catalog::has_chunks(std::uint32_t file) const {
  MutexLock lock(mutex_);
  const auto it = files_.find(file);
  return it != files_.end() && !(it->second.blocks.empty() && it->second.tails.empty());
}

void Catalog::add_tail_counts(const ChunkMeta& tail) {
  ++tail_counts_.chunks;
  tail_counts_.bytes += tail.raw_bytes;
}

Catalog::TailCounts Catalog::tail_counts() const {
  MutexLock lock(mutex_);
  return tail_counts_;
}

std::shared_ptr<const std::string> Catalog::pinned_tail(const ChunkKey& key) const {
  MutexLock lock(mutex_);
  const auto it = pins_.find(key);
  return it == pins_.end() ? nullptr : it->second.data;
}

std::uint32_t Catalog::new_stream_id() {
  MutexLock lock(mutex_);
  return ++last_stream_;
}

SourceRef Catalog::ref_of(const Batch& batch) {
  MutexLock lock(mutex_);
  const auto it = refs_.find({key_of(batch), batch.state.host, batch.state.path});
  if (it != refs_.end()) return it->second;
  SourceNames names;
  names.ref = last_ref_ + 1;
  names.source = batch.source;
  names.epoch = batch.epoch;
  names.channel = batch.channel;
  names.host = batch.state.host;
  names.path = batch.state.path;
  add_names(std::move(names));
  return last_ref_;
}

std::shared_ptr<const SourceNames> Catalog::names(SourceRef ref) const {
  MutexLock lock(mutex_);
  const auto it = names_.find(ref);
  return it == names_.end() ? nullptr : it->second;
}

std::vector<SourceRef> Catalog::refs_of(const SourceId& source, std::uint32_t epoch, std::string_view channel) const {
  MutexLock lock(mutex_);
  std::vector<SourceRef> out;
  for (auto it = refs_.lower_bound({{source, epoch, std::string(channel)}, "", ""});
       it != refs_.end() && it->first.stream.source == source && it->first.stream.epoch == epoch; ++it) {
    if (!channel.empty() && it->first.stream.channel != channel) break;
    out.push_back(it->second);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::shared_ptr<const Stream> Catalog::find(const StreamKey& key) const {
  MutexLock lock(mutex_);
  const auto it = streams_.find(key);
  return it == streams_.end() ? nullptr : it->second;
}

std::vector<std::shared_ptr<const Stream>> Catalog::streams() const {
  MutexLock lock(mutex_);
  std::vector<std::shared_ptr<const Stream>> out;
  out.reserve(streams_.size());
  for (const auto& [key, stream] : streams_) out.push_back(stream);
  return out;
}

const std::shared_ptr<const FileSnapshot>& Catalog::file_snapshot(std::uint32_t file, const FileEntry& entry) const {
  if (entry.cached == nullptr) {
    auto made = std::make_shared<FileSnapshot>();
    made->file = file;
    made->sealed = entry.sealed;
    made->blocks = entry.blocks;
    made->tails.reserve(entry.tails.size());
    for (const auto& [id, tail] : entry.tails) made->tails.push_back(tail);
    entry.cached = std::move(made);
  }
  return entry.cached;
}

const std::shared_ptr<const Snapshot>& Catalog::current() const {
  if (cached_ == nullptr) {
    auto made = std::make_shared<Snapshot>();
    made->commit = last_commit_;
    for (const auto& [file, entry] : files_) made->files.push_back(file_snapshot(file, entry));
    cached_ = std::move(made);
  }
  return cached_;
}

std::shared_ptr<const Snapshot> Catalog::snapshot() const {
  MutexLock lock(mutex_);
  return current();
}

std::shared_ptr<const Snapshot> Catalog::snapshot_with(std::vector<std::shared_ptr<const Stream>>& streams) const {
  MutexLock lock(mutex_);
  streams.clear();
  for (const auto& [key, stream] : streams_) streams.push_back(stream);
  return current();
}

std::uint64_t Catalog::last_commit() const {
  MutexLock lock(mutex_);
  return last_commit_;
}

std::uint64_t Catalog::wait_for_commit(std::uint64_t after, std::chrono::nanoseconds wait, std::stop_token stop) const {
  MutexLock lock(mutex_);
  committed_.wait_for(mutex_, std::move(stop), wait,
                      [&]() LB_REQUIRES(mutex_) { return last_commit_ > after || closed_; });
  return last_commit_;
}

void Catalog::close() {
  MutexLock lock(mutex_);
  closed_ = true;
  committed_.notify_all();
}

}  // namespace logboom::logstore::embedded
