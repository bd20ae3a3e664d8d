#include "logstore/embedded/write_queue.h"

#include <algorithm>
#include <set>

#include "logstore/embedded/codec.h"
#include "record/slice.h"

namespace logboom::logstore::embedded {
namespace {

// How far a worker looks for more batches of the same stream.
constexpr std::size_t kLookahead = 256;

bool has_content(const Batch& batch) {
  return batch.disposition == Disposition::kStored && !batch.bytes.empty();
}

// Pieces of about `bytes`, cut between records.
std::vector<std::shared_ptr<const Batch>> split(const std::shared_ptr<const Batch>& batch, std::uint64_t bytes) {
  std::vector<std::shared_ptr<const Batch>> pieces;
  if (batch->bytes.size() <= 2 * bytes) return {batch};
  std::uint64_t from = 0;
  for (const Record& record : batch->records) {
    if (record.end() - from < bytes) continue;
    pieces.push_back(
        std::make_shared<const Batch>(slice_batch(*batch, batch->begin + from, batch->begin + record.end())));
    from = record.end();
  }
  if (from < batch->bytes.size()) {
    pieces.push_back(std::make_shared<const Batch>(slice_batch(*batch, batch->begin + from, batch->end)));
  }
  return pieces;
}

}  // namespace

std::string names_note(const Catalog& catalog, const std::vector<SourceRef>& refs) {
  RowWriter note;
  note.number(refs.size());
  for (const SourceRef ref : refs) {
    const std::shared_ptr<const SourceNames> names = catalog.names(ref);
    note.number(ref);
    note.text(names == nullptr ? std::string() : encode_names(*names));
  }
  return std::move(note).seal(0);
}

std::vector<SourceNames> read_names_note(std::string_view note) {
  std::vector<SourceNames> out;
  Result<RowReader> in = RowReader::open(note, 0, "the note of a block");
  if (!in.ok()) return out;
  for (std::size_t left = in->count(2); left > 0; --left) {
    const SourceRef ref = in->number32();
    Result<SourceNames> names = decode_names(ref, in->text());
    if (names.ok()) out.push_back(std::move(*names));
  }
  return out;
}

Result<std::vector<Part>> encode_batches(ChunkEncoder& encoder, const Catalog& catalog,
                                         const std::vector<RefBatch>& batches, std::uint64_t block_bytes) {
  std::vector<Part> parts;
  std::uint64_t total = 0;
  std::vector<SourceRef> refs;
  for (const RefBatch& item : batches) {
    total += item.batch->bytes.size();
    if (std::find(refs.begin(), refs.end(), item.ref) == refs.end()) refs.push_back(item.ref);
  }
  if (total < block_bytes / 4) {
    for (const RefBatch& item : batches) {
      LB_ASSIGN(Part part, encoder.tail(*item.batch, item.ref));
      parts.push_back(std::move(part));
    }
    return parts;
  }
  const std::string note = names_note(catalog, refs);
  std::vector<RefBatch> block;
  std::uint64_t bytes = 0;
  const auto finish = [&]() -> Status {
    if (block.empty()) return ok_status();
    LB_ASSIGN(Part part, encoder.block(block, note));
    parts.push_back(std::move(part));
    block.clear();
    bytes = 0;
    return ok_status();
  };
  for (const RefBatch& item : batches) {
    for (auto& piece : split(item.batch, block_bytes)) {
      if (bytes > 0 && bytes + piece->bytes.size() > 2 * block_bytes) LB_TRY(finish());
      bytes += piece->bytes.size();
      block.push_back({std::move(piece), item.ref, item.commit});
    }
  }
  LB_TRY(finish());
  return parts;
}

bool WriteQueue::push(Pending pending) {
  MutexLock lock(mutex_);
  if (closed_) return false;
  const Batch& batch = *pending.batch;
  Claim& claim = claims_[key_of(batch)];
  const std::shared_ptr<const Stream> stream = catalog_.find(key_of(batch));
  const auto free = claim.coverage.missing(batch.begin, batch.end);
  const bool claimed = batch.begin < batch.end && (free.size() != 1 || free[0] != Interval{batch.begin, batch.end});
  pending.overlaps = claimed || (stream != nullptr && !stream->ranges.within(batch.begin, batch.end).empty());
  pending.ticket = ++pushed_;
  open_.insert(pending.ticket);
  claim.coverage.add(batch.begin, batch.end);
  ++claim.jobs;
  if (pending.overlaps) ++claim.overlaps;
  auto job = std::make_unique<Job>();
  job->key = key_of(batch);
  job->raw_bytes = batch.bytes.size();
  const bool encode = !pending.overlaps && has_content(batch);
  job->items.push_back(std::move(pending));
  ++encoding_;
  if (encode) {
    unencoded_.push_back(job.get());
    work_.notify_one();
  } else {
    set_ready(*job);
  }
  jobs_.push_back(std::move(job));
  return true;
}

void WriteQueue::set_ready(Job& job) {
  job.ready = true;
  --encoding_;
  ++ready_jobs_;
  ready_bytes_ += job.raw_bytes;
  ready_.notify_one();
}

void WriteQueue::merge_followers(Job& job) {
  const StreamKey& key = job.key;
  if (claims_[key].overlaps > 0) return;
  const std::size_t end = std::min(unencoded_.size(), kLookahead);
  std::size_t merged = 0;
  for (std::size_t i = 0; i < end && job.raw_bytes < block_bytes_; ++i) {
    Job& follower = *unencoded_[i];
    if (follower.key != key) continue;
    if (job.raw_bytes + follower.raw_bytes > block_bytes_ * 5 / 4) break;
    job.raw_bytes += follower.raw_bytes;
    job.items.push_back(std::move(follower.items[0]));
    follower.items.clear();
    unencoded_[i] = nullptr;
    ++merged;
  }
  if (merged == 0) return;
  unencoded_.erase(std::remove(unencoded_.begin(), unencoded_.end(), nullptr), unencoded_.end());
  claims_[key].jobs -= merged;
  encoding_ -= merged;
}

void WriteQueue::encode_jobs() {
  ChunkEncoder encoder;
  MutexLock lock(mutex_);
  for (;;) {
    work_.wait(mutex_, [&]() LB_REQUIRES(mutex_) { return !unencoded_.empty() || closed_; });
    if (unencoded_.empty()) return;
    Job& job = *unencoded_.front();
    unencoded_.pop_front();
    merge_followers(job);
    lock.unlock();
    std::vector<RefBatch> batches;
    for (const Pending& item : job.items) batches.push_back({item.batch, item.ref, 0});
    Result<std::vector<Part>> parts = encode_batches(encoder, catalog_, batches, block_bytes_);
    lock.lock();
    if (parts.ok()) {
      job.parts = std::move(*parts);
    } else {
      job.encoded = parts.error();
    }
    set_ready(job);
  }
}

std::vector<std::unique_ptr<Job>> WriteQueue::take_ready() {
  std::vector<std::unique_ptr<Job>> taken;
  std::set<StreamKey> blocked;  // a job before is not ready, or must be published first
  std::set<StreamKey> going;
  std::uint64_t bytes = 0;
  for (auto& job : jobs_) {
    if (bytes >= 4 * group_bytes_) break;
    if (job->items.empty()) {
      job = nullptr;
      continue;
    }
    StreamKey key = job->key;
    if (blocked.contains(key)) continue;
    const bool alone = job->items[0].overlaps;
    if (!job->ready || (alone && going.contains(key))) {
      blocked.insert(std::move(key));
      continue;
    }
    if (alone) blocked.insert(key);
    going.insert(std::move(key));
    bytes += job->raw_bytes;
    --ready_jobs_;
    ready_bytes_ -= job->raw_bytes;
    taken.push_back(std::move(job));
  }
  jobs_.erase(std::remove(jobs_.begin(), jobs_.end(), nullptr), jobs_.end());
  return taken;
}

std::vector<std::unique_ptr<Job>> WriteQueue::take(std::chrono::nanoseconds wait, std::chrono::nanoseconds company) {
  MutexLock lock(mutex_);
  ready_.wait_for(mutex_, {}, wait,
                  [&]() LB_REQUIRES(mutex_) { return ready_jobs_ > 0 || woken_ || (closed_ && encoding_ == 0); });
  woken_ = false;
  if (ready_jobs_ > 0) {
    ready_.wait_for(mutex_, {}, company,
                    [&]() LB_REQUIRES(mutex_) { return ready_bytes_ >= group_bytes_ || encoding_ == 0 || closed_; });
  }
  return take_ready();
}

void WriteQueue::done(const std::vector<std::unique_ptr<Job>>& jobs) {
  MutexLock lock(mutex_);
  for (const auto& job : jobs) {
    for (const Pending& item : job->items) open_.erase(item.ticket);
    const auto it = claims_.find(job->key);
    if (job->items[0].overlaps) --it->second.overlaps;
    if (--it->second.jobs == 0) claims_.erase(it);
  }
  done_.notify_all();
}

void WriteQueue::wait_until_done() {
  MutexLock lock(mutex_);
  const std::uint64_t target = pushed_;
  done_.wait(mutex_, [&]() LB_REQUIRES(mutex_) { return open_.empty() || *open_.begin() > target; });
}

void WriteQueue::close() {
  MutexLock lock(mutex_);
  closed_ = true;
  work_.notify_all();
  ready_.notify_all();
}

void WriteQueue::wake() {
  MutexLock lock(mutex_);
  woken_ = true;
  ready_.notify_one();
}

bool WriteQueue::empty() const {
  MutexLock lock(mutex_);
  return jobs_.empty();
}

}  // namespace logboom::logstore::embedded
