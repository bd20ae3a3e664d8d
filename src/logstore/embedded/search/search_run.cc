#include "logstore/embedded/search/search_run.h"

#include <algorithm>
#include <new>

namespace logboom::logstore::embedded {
namespace {

constexpr std::chrono::milliseconds kBetweenProgress{100};
// How long a lane goes on before it lets other searches have its thread, and keeps results without rows to itself: a
// chunk that its filter rules out takes a few microseconds, less than waking the calling thread for it.
constexpr std::chrono::microseconds kTurn{1000};
// A decoded block with its columns, in multiples of its raw bytes.
constexpr std::uint64_t kMemoryPerRawByte = 3;
// Channels that collect one file: their rows have equal keys.
constexpr std::uint64_t kMostEqualKeys = 8;
// Of rows that wait for their turn; with more than this the search goes on with one lane.
constexpr std::uint64_t kMostPendingBytes = 16 << 20;

}  // namespace

SearchRun::SearchRun(const SearchShared& shared, const Plan& plan, SearchVisitor& visitor)
    : shared_(shared),
      plan_(plan),
      visitor_(visitor),
      started_(shared.clock.monotonic()),
      best_times_(plan.order, plan.request.limit),
      merge_(plan.order, plan.request.limit),
      tally_(plan.request.histogram_step, plan.request.values_of.size()),
      done_(plan.chunks.size()) {
  stats_.blocks_total = plan.chunks.size();
}

Result<SearchResult> SearchRun::run(std::stop_token stop) {
  stop_ = stop.stop_requested();
  start_lanes();
  std::vector<Finished> finished;
  while (step(stop, finished)) {
  }
  if (failed_) return *failed_;
  if (is_out_of_memory()) return Error(ErrorCode::kUnavailable, "cannot search: out of memory");
  if (tally_.too_many_buckets()) {
    return Error(ErrorCode::kInvalidArgument,
                 "cannot count per bucket of time: the step is too small for this time range");
  }
  finish_stats();
  SearchResult result;
  result.stats = stats_;
  result.histogram = tally_.histogram();
  for (std::size_t i = 0; i < plan_.request.values_of.size(); ++i) {
    result.values.push_back(tally_.values(i, plan_.request.values_of[i], plan_.request.values_limit));
  }
  return result;
}

// What the calling thread does once lanes have something for it; false when they have all ended. Whatever fails here,
// lanes must have ended before this run may go.
bool SearchRun::step(const std::stop_token& stop, std::vector<Finished>& finished) {
  try {
    if (!wait_for_results(stop, finished)) return false;
    for (Finished& one : finished) take_in(std::move(one));
    show_rows();
    show_progress();
    wake_parked();
  } catch (const std::bad_alloc&) {
    give_up(0);
  }
  finished.clear();
  return true;
}

// Memory is used up: this search fails, and with it so many of its lanes, which do not go on.
void SearchRun::give_up(std::size_t lanes) {
  const MutexLock lock(mutex_);  // the caller may destroy this run as soon as the lock is free
  out_of_memory_ = true;
  stop_ = true;
  cancel_.request_stop();
  lanes_ -= static_cast<unsigned>(lanes);
  changed_.notify_one();
}

bool SearchRun::is_out_of_memory() {
  const MutexLock lock(mutex_);
  return out_of_memory_;
}

void SearchRun::start_lanes() {
  const std::size_t lanes = std::min<std::size_t>(shared_.pool.threads(), plan_.chunks.size());
  {
    const MutexLock lock(mutex_);
    lanes_ = static_cast<unsigned>(lanes);
  }
  std::size_t begun = 0;
  try {
    for (; begun < lanes; ++begun) shared_.pool.add([this, lane = std::make_shared<Lane>()] { run_lane(lane); });
  } catch (const std::bad_alloc&) {
    give_up(lanes - begun);
  }
}

// Then the same holds for all chunks behind it: they are in the order of their first times.
bool SearchRun::is_behind_page(const ChunkMeta& chunk) const {
  if (!plan_.wants_rows() || page_full_) return true;
  if (!has_worst_) return false;
  const TimeNs worst = worst_time_;
  return plan_.order.newest_first ? chunk.newest() < worst : chunk.oldest() > worst;
}

bool SearchRun::none_can_be_shown(const ChunkMeta& chunk) const {
  if (is_behind_page(chunk)) return true;
  if (!plan_.request.after) return false;
  const TimeNs after = plan_.request.after->time;
  return plan_.order.newest_first ? chunk.oldest() > after : chunk.newest() < after;
}

RowsWanted SearchRun::wanted_of(const ChunkMeta& chunk) const {
  RowsWanted wanted;
  if (none_can_be_shown(chunk)) return wanted;
  // A few more than asked for: the page does not end between rows of one key.
  wanted.limit = plan_.request.limit > UINT64_MAX - kMostEqualKeys ? UINT64_MAX : plan_.request.limit + kMostEqualKeys;
  if (has_worst_) wanted.worst_time = worst_time_;
  return wanted;
}

std::optional<std::size_t> SearchRun::next_chunk() {
  const MutexLock lock(mutex_);
  if (stop_ || next_ >= plan_.chunks.size()) return std::nullopt;
  const SearchRequest& request = plan_.request;
  const bool counts =
      request.count_all || request.limit == 0 || request.histogram_step > 0 || !request.values_of.empty();
  if (!counts && is_behind_page(*plan_.chunks[next_])) {
    return std::nullopt;
  }
  ++evaluating_;
  return next_++;
}

// Found rows wait in memory until nothing unread can come before them. When they are too many, only one lane goes on,
// and only when nothing else can bring the order forward.
bool SearchRun::park(const std::shared_ptr<Lane>& lane) {
  const MutexLock lock(mutex_);
  if (stop_ || !crowded_ || evaluating_ + finished_.size() == 0) return false;
  parked_.push_back(lane);
  return true;
}

void SearchRun::wake_one() {
  shared_.pool.add([this, lane = parked_.back()] { run_lane(lane); });
  parked_.pop_back();
}

void SearchRun::wake_parked() {
  const MutexLock lock(mutex_);
  crowded_ = !stop_ && merge_.pending_bytes() + finished_bytes_ > kMostPendingBytes;
  while (!parked_.empty() && (!crowded_ || evaluating_ == 0)) {
    wake_one();
    if (crowded_) break;
  }
}

Result<ChunkResult> SearchRun::evaluate(std::size_t index, Lane& lane) {
  const ChunkMeta& chunk = *plan_.chunks[index];
  const auto lease = shared_.budget.acquire(chunk.raw_bytes * kMemoryPerRawByte, cancel_.get_token());
  if (!lease) return Error(ErrorCode::kCancelled, "cannot search: stopped");
  auto result = chunk.tail ? evaluate_tail(plan_, shared_.view, chunk, wanted_of(chunk), lane.scratch)
                           : evaluate_block(plan_, shared_.view, chunk, wanted_of(chunk), lane.scratch);
  if (result.ok()) result->index = index;
  return result;
}

void SearchRun::hand_over(std::vector<Finished>& finished) {
  if (finished.empty()) return;
  const MutexLock lock(mutex_);
  for (Finished& one : finished) hand_over_locked(std::move(one));
  finished.clear();
  changed_.notify_one();
}

void SearchRun::hand_over_locked(Finished finished) {
  --evaluating_;
  if (finished.result.ok() && plan_.wants_rows()) {
    for (const Row& row : finished.result->rows) {
      best_times_.add(row.time);
      finished_bytes_ += memory_of(row);
    }
    crowded_ = crowded_ || finished_bytes_ > kMostPendingBytes;
    if (const auto worst = best_times_.worst()) {
      worst_time_ = *worst;
      has_worst_ = true;
    }
  }
  finished_.push_back(std::move(finished));
}

// Evaluates chunks for a while, or until one has rows to show; false when there are no more.
bool SearchRun::take_turn(const std::shared_ptr<Lane>& lane) {
  std::vector<Finished> finished;
  const auto end = shared_.clock.monotonic() + kTurn;
  do {
    const std::optional<std::size_t> index = next_chunk();
    if (!index) {
      hand_over(finished);
      const MutexLock lock(mutex_);  // the caller may destroy this run as soon as the lock is free
      --lanes_;
      changed_.notify_one();
      return false;
    }
    finished.push_back({*index, evaluate(*index, *lane)});
    const auto& result = finished.back().result;
    if (!result.ok() || !result->rows.empty()) break;
  } while (shared_.clock.monotonic() < end);
  hand_over(finished);
  return true;
}

// Goes to the end of the pool's queue after each turn, so that searches take turns.
void SearchRun::run_lane(const std::shared_ptr<Lane>& lane) {
  try {
    if (park(lane)) return;
    if (take_turn(lane)) shared_.pool.add([this, lane] { run_lane(lane); });
  } catch (const std::bad_alloc&) {
    give_up(1);
  }
}

bool SearchRun::wait_for_results(std::stop_token stop, std::vector<Finished>& out) {
  const auto something = [this]() LB_NO_THREAD_SAFETY_ANALYSIS { return !finished_.empty() || lanes_ == 0; };
  const std::chrono::nanoseconds deadline = plan_.request.deadline;
  MutexLock lock(mutex_);
  if (!stop_) {
    bool in_time = true;
    if (deadline.count() > 0) {
      const auto left = started_ + deadline - shared_.clock.monotonic();
      in_time = left.count() > 0 && changed_.wait_for(mutex_, stop, left, something);
    } else {
      in_time = changed_.wait(mutex_, stop, something);
    }
    if (!in_time || cancelled_ || stop.stop_requested()) {
      stop_ = true;
      cancel_.request_stop();
    }
  }
  if (stop_) {
    while (!parked_.empty()) wake_one();
    changed_.wait(mutex_, something);
  }
  out.swap(finished_);
  finished_bytes_ = 0;
  return !out.empty() || lanes_ != 0;
}

void SearchRun::take_in(Finished finished) {
  const std::size_t index = finished.index;
  if (!finished.result.ok()) {
    const ErrorCode code = finished.result.error().code();
    if (code == ErrorCode::kCancelled) return;  // not looked at
    if (code == ErrorCode::kCorrupt) {
      ++stats_.damaged_blocks;
    } else if (code != ErrorCode::kNotFound && !failed_) {
      failed_ = finished.result.error();
      cancelled_ = true;
    }
  } else {
    ChunkResult& result = *finished.result;
    tally_.add(result.tally);
    stats_.blocks_read += result.opened ? 1 : 0;
    stats_.bytes_read += result.bytes_read;
    stats_.rows_scanned += result.rows_scanned;
    merge_.add(std::move(result.rows));
  }
  done_[index] = true;
  while (first_undone_ < done_.size() && done_[first_undone_]) ++first_undone_;
}

std::optional<RowKey> SearchRun::bound() const {
  if (first_undone_ >= plan_.chunks.size()) return std::nullopt;
  return plan_.front_key(*plan_.chunks[first_undone_]);
}

void SearchRun::show_rows() {
  if (!plan_.wants_rows() || merge_.full()) return;
  std::vector<Row> rows = merge_.take(bound());
  if (merge_.full()) page_full_ = true;
  if (!rows.empty() && !cancelled_ && !visitor_.on_rows(std::move(rows))) cancelled_ = true;
}

void SearchRun::show_progress() {
  const auto now = shared_.clock.monotonic();
  if (cancelled_ || now - last_progress_ < kBetweenProgress) return;
  last_progress_ = now;
  finish_stats();
  if (!visitor_.on_progress(stats_, tally_.histogram())) cancelled_ = true;
}

void SearchRun::finish_stats() {
  const bool all_done = first_undone_ >= plan_.chunks.size();
  {
    const MutexLock lock(mutex_);
    stats_.partial = cancelled_ || (stop_ && !all_done);
    stats_.exact = all_done && stats_.damaged_blocks == 0;
  }
  stats_.records = tally_.records();
  stats_.lines = tally_.lines();
  const TimeNs end = plan_.order.newest_first ? plan_.request.from : plan_.request.to;
  stats_.searched_back_to = all_done ? end : plan_.front_key(*plan_.chunks[first_undone_]).time;
  stats_.elapsed = shared_.clock.monotonic() - started_;
}

}  // namespace logboom::logstore::embedded
