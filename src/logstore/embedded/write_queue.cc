#include "logstore/embedded/write_queue.h"

#include <algorithm>
#include <set>

#include "logstore/embedded/codec.h"
#include "record/slice.h"

namespace logboom::logstore::embedded {
namespace {

// How far a worker looks for more batches.
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
  const StreamKey key = key_of(batch);
  Claim& claim = claims_[key];
  const std::shared_ptr<const Stream> stream = catalog_.find(key);
  const auto free = claim.coverage.missing(batch.begin, batch.end);
  const bool claimed = batch.begin < batch.end && (free.size() != 1 || free[0] != Interval{batch.begin, batch.end});
  pending.overlaps = claimed || (stream != nullptr && !stream->ranges.within(batch.begin, batch.end).empty());
  pending.ticket = ++pushed_;
  open_.insert(pending.ticket);
  claim.coverage.add(batch.begin, batch.end);
  ++claim.jobs;
  if (pending.overlaps) ++claim.overlaps;
  auto job = std::make_unique<Job>();
  job->keys = {key};
  job->raw_bytes = batch.bytes.size();
  job->pushed = clock_.monotonic();
  const bool encode = !pending.overlaps && has_content(batch);
  job->items.push_back(std::move(pending));
  ++encoding_;
  if (encode) {
    unencoded_.push_back(job.get());
    unencoded_bytes_ += job->raw_bytes;
    inflow_.add(job->raw_bytes, job->pushed);
    gathering_ != nullptr ? wake_gathering() : wake_worker();
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

void WriteQueue::wait_for_work(Worker& worker) {
  while (gathering_ != nullptr || (unencoded_.empty() && !closed_)) {
    worker.woken = false;
    idle_.push_back(&worker);
    worker.wake.wait(mutex_, [&] { return worker.woken; });
  }
}

void WriteQueue::wake_worker() {
  if (idle_.empty()) return;
  Worker& worker = *idle_.back();
  idle_.pop_back();
  worker.woken = true;
  worker.wake.notify_one();
}

void WriteQueue::wake_gathering() {
  if (gathering_ != nullptr) gathering_->wake.notify_one();
}

// The job to encode next, perhaps after some time.
Job& WriteQueue::take_unencoded(Worker& worker) {
  gathering_ = &worker;
  wait_for_company(worker);
  gathering_ = nullptr;
  Job& job = *unencoded_.front();
  unencoded_.pop_front();
  merge_followers(job);
  unencoded_bytes_ -= job.raw_bytes;
  if (!unencoded_.empty() || closed_) wake_worker();
  return job;
}

bool WriteQueue::worth_waiting() const {
  if (closed_ || hurried_ > 0 || unencoded_.empty()) return false;
  // A collector's full batch ends with a line, a little below a block.
  if (unencoded_bytes_ >= limits_.block_bytes - limits_.block_bytes / 16) return false;
  const std::chrono::nanoseconds now = clock_.monotonic();
  return now >= lonely_until_ && now - unencoded_.front()->pushed < limits_.longest_wait &&
         inflow_.bytes_per_second(now) >= limits_.flood;
}

void WriteQueue::wait_for_company(Worker& worker) {
  while (worth_waiting()) {
    const std::uint64_t seen = pushed_;
    const auto left = unencoded_.front()->pushed + limits_.longest_wait - clock_.monotonic();
    const bool more = worker.wake.wait_for(mutex_, {}, std::min(limits_.longest_gap, left),
                                           [&]() LB_REQUIRES(mutex_) { return pushed_ != seen || !worth_waiting(); });
    if (!more) lonely_until_ = clock_.monotonic() + limits_.lonely;
  }
}

void WriteQueue::merge(Job& job, Job& follower) {
  const StreamKey& key = follower.keys[0];
  job.raw_bytes += follower.raw_bytes;
  job.items.push_back(std::move(follower.items[0]));
  follower.items.clear();
  --encoding_;
  if (std::find(job.keys.begin(), job.keys.end(), key) == job.keys.end()) {
    job.keys.push_back(key);
  } else {
    --claims_[key].jobs;
  }
}

void WriteQueue::merge_followers(Job& job, Company company) {
  const std::size_t end = std::min(unencoded_.size(), kLookahead);
  for (std::size_t i = 0; i < end && job.raw_bytes < limits_.block_bytes; ++i) {
    Job& follower = *unencoded_[i];
    if (company == Company::kSameStream && follower.keys[0] != job.keys[0]) continue;
    if (claims_[follower.keys[0]].overlaps > 0) continue;  // what is to be trimmed may stand between
    if (job.raw_bytes + follower.raw_bytes > limits_.block_bytes * 5 / 4) break;
    merge(job, follower);
    unencoded_[i] = nullptr;
  }
  unencoded_.erase(std::remove(unencoded_.begin(), unencoded_.end(), nullptr), unencoded_.end());
}

void WriteQueue::merge_followers(Job& job) {
  if (claims_[job.keys[0]].overlaps > 0) return;
  merge_followers(job, Company::kSameStream);
  merge_followers(job, Company::kAnyStream);
}

void WriteQueue::encode_jobs() {
  Worker worker;
  MutexLock lock(mutex_);
  for (;;) {
    wait_for_work(worker);
    if (unencoded_.empty()) return wake_worker();  // the next one ends too
    Job& job = take_unencoded(worker);
    lock.unlock();
    std::vector<RefBatch> batches;
    for (const Pending& item : job.items) batches.push_back({item.batch, item.ref, 0});
    Result<std::vector<Part>> parts = encode_batches(*encoders_.lend(), catalog_, batches, limits_.block_bytes);
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
    if (bytes >= 4 * limits_.group_bytes) break;
    if (job->items.empty()) {
      job = nullptr;
      continue;
    }
    const std::vector<StreamKey>& keys = job->keys;
    const auto any_in = [&](const std::set<StreamKey>& set) {
      return std::any_of(keys.begin(), keys.end(), [&](const StreamKey& key) { return set.contains(key); });
    };
    const bool alone = job->items[0].overlaps;
    if (!job->ready || any_in(blocked) || (alone && any_in(going))) {
      blocked.insert(keys.begin(), keys.end());
      continue;
    }
    if (alone) blocked.insert(keys.begin(), keys.end());
    going.insert(keys.begin(), keys.end());
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
    ready_.wait_for(mutex_, {}, company, [&]() LB_REQUIRES(mutex_) {
      const bool none_soon = encoding_ == 0 || (encoding_ == unencoded_.size() && worth_waiting());
      return none_soon || ready_bytes_ >= limits_.group_bytes || closed_;
    });
  }
  return take_ready();
}

void WriteQueue::done(const std::vector<std::unique_ptr<Job>>& jobs) {
  MutexLock lock(mutex_);
  for (const auto& job : jobs) {
    for (const Pending& item : job->items) open_.erase(item.ticket);
    for (const StreamKey& key : job->keys) {
      const auto it = claims_.find(key);
      if (job->items[0].overlaps) --it->second.overlaps;
      if (--it->second.jobs == 0) claims_.erase(it);
    }
  }
  done_.notify_all();
}

void WriteQueue::wait_until_done() {
  MutexLock lock(mutex_);
  const std::uint64_t target = pushed_;
  ++hurried_;
  wake_gathering();
  done_.wait(mutex_, [&]() LB_REQUIRES(mutex_) { return open_.empty() || *open_.begin() > target; });
  --hurried_;
}

void WriteQueue::close() {
  MutexLock lock(mutex_);
  closed_ = true;
  wake_gathering();
  while (!idle_.empty()) wake_worker();
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
