#include "logstore/elastic/elastic_writer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/pause.h"
#include "http/auth/secret.h"

namespace logboom::logstore::elastic {
namespace {

constexpr std::uint64_t kRoundBytes = 16u << 20;
constexpr std::size_t kRoundWorks = 2000;
constexpr auto kLeastPause = std::chrono::milliseconds(100);
constexpr auto kMostPause = std::chrono::milliseconds(5'000);

}  // namespace

ElasticWriter::ElasticWriter(const WriterOptions& options, Deps deps)
    : options_(options),
      d_(deps),
      name_(http::random_id(8)),
      table_(options.index_pattern, deps.clock),
      groundwork_(deps.cluster, deps.ledger, deps.clock, options.version, options.index_pattern),
      ledger_writes_(
          deps.registry.counter("logboom_elastic_ledger_writes_total", "Writes of the ledger in the target.")) {
  last_commit_ = static_cast<std::uint64_t>(std::max<TimeNs>(0, d_.clock.now()));
  bulk_ = std::make_unique<BulkWriters>(d_.cluster, groundwork_, options_.bulk, d_.registry,
                                        [this](std::shared_ptr<Piece> piece) { piece_done(std::move(piece)); });
  thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
}

ElasticWriter::~ElasticWriter() {
  if (Status closed = close(); !closed.ok()) log_warn("{}", closed.error().message());
}

Status ElasticWriter::append(std::shared_ptr<const Batch> batch, std::optional<Position> position, OnCommit on_commit,
                             std::stop_token stop) {
  auto work = std::make_unique<Work>();
  work->memory = batch->memory();
  work->batch = std::move(batch);
  work->position = std::move(position);
  work->on_commit = std::move(on_commit);
  {
    MutexLock lock(mutex_);
    const bool free = room_.wait(mutex_, stop, [&]() LB_NO_THREAD_SAFETY_ANALYSIS {
      return closed_ || memory_ == 0 || memory_ + work->memory <= options_.memory;
    });
    if (!free) return Error(ErrorCode::kCancelled, "cannot store a batch: stopped");
    if (closed_) return Error(ErrorCode::kUnavailable, "cannot store a batch: the store is closed");
    memory_ += work->memory;
    ++outstanding_;
    if (work->position) marks_.appended(*work->position);
    pending_.push_back(std::move(work));
  }
  changed_.notify_all();
  return {};
}

Status ElasticWriter::settle(const std::vector<Position>& positions) {
  marks_.durable(positions);
  {
    MutexLock lock(mutex_);
    settled_.insert(settled_.end(), positions.begin(), positions.end());
  }
  changed_.notify_all();
  return {};
}

Status ElasticWriter::flush() {
  MutexLock lock(mutex_);
  room_.wait(mutex_, [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return outstanding_ == 0 || given_up_; });
  return what_is_left();
}

Status ElasticWriter::drain() {
  MutexLock lock(mutex_);
  room_.wait_for(mutex_, {}, options_.drain,
                 [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return outstanding_ == 0 && settled_.empty() && !noting_; });
  return what_is_left();
}

Status ElasticWriter::what_is_left() const {
  if (outstanding_ == 0) return {};
  return Error(ErrorCode::kUnavailable, fmt::format("{} batches are not durable in {}{}", outstanding_,
                                                    d_.cluster.where(), problem_.empty() ? "" : ": " + problem_));
}

Status ElasticWriter::close() {
  {
    MutexLock lock(mutex_);
    if (closed_) return {};
  }
  Status flushed = drain();
  {
    MutexLock lock(mutex_);
    closed_ = true;
  }
  room_.notify_all();
  thread_.request_stop();
  bulk_->stop();
  if (thread_.joinable()) thread_.join();
  give_up();
  return flushed;
}

// The round is not durable; give_up() answers for it.
void ElasticWriter::put_back(Round& round) {
  MutexLock lock(mutex_);
  for (auto* works : {&round.fresh, &round.staged, &round.done})
    std::move(works->begin(), works->end(), std::back_inserter(waiting_));
}

// Every append has its answer.
void ElasticWriter::give_up() {
  std::vector<std::unique_ptr<Work>> left;
  {
    MutexLock lock(mutex_);
    left = std::exchange(waiting_, {});
    std::move(pending_.begin(), pending_.end(), std::back_inserter(left));
    pending_.clear();
  }
  for (auto& [key, work] : under_way_) left.push_back(std::move(work));
  under_way_.clear();
  for (const auto& work : left)
    work->on_commit(Error(ErrorCode::kUnavailable, "cannot store a batch: the store was closed before it was durable"));
  MutexLock lock(mutex_);
  given_up_ = true;
  room_.notify_all();
}

Result<std::vector<KnownSource>> ElasticWriter::known_sources(Expired) {
  LB_ASSIGN(const std::vector<TargetStream> streams, d_.ledger.streams(std::nullopt, {}));
  std::map<std::pair<SourceId, std::string>, const TargetStream*> newest;
  for (const TargetStream& stream : streams) {
    const TargetStream*& at = newest[{stream.key.source, stream.key.channel}];
    if (at == nullptr || at->key.epoch < stream.key.epoch) at = &stream;
  }
  std::vector<KnownSource> out;
  for (const auto& [key, stream] : newest) out.push_back(known_of(*stream));
  return out;
}

std::uint64_t ElasticWriter::written_commit() const {
  MutexLock lock(mutex_);
  return open_commits_.empty() ? last_commit_ : *open_commits_.begin() - 1;
}

std::string ElasticWriter::problem() const {
  const std::string of_bulk = bulk_->problem();
  MutexLock lock(mutex_);
  return problem_.empty() ? of_bulk : problem_;
}

void ElasticWriter::set_problem(const std::string& problem) {
  MutexLock lock(mutex_);
  if (problem_ == problem) return;
  if (!problem.empty()) log_warn("nothing is acknowledged now, tried again: {}", problem);
  problem_ = problem;
}

void ElasticWriter::piece_done(std::shared_ptr<Piece> piece) {
  {
    MutexLock lock(mutex_);
    finished_.push_back(std::move(piece));
  }
  changed_.notify_all();
}

// ---------------------------------------------------------------- the ledger's thread

void ElasticWriter::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    Round round = collect(stop);
    if (stop.stop_requested()) break;
    if (!process(round, stop).ok()) {  // stopped
      put_back(round);
      break;
    }
    publish(round);
    table_.shrink();
  }
}

ElasticWriter::Round ElasticWriter::collect(std::stop_token stop) {
  MutexLock lock(mutex_);
  changed_.wait(mutex_, stop, [&]() LB_NO_THREAD_SAFETY_ANALYSIS {
    return !pending_.empty() || !finished_.empty() || !settled_.empty();
  });
  Round round;
  round.finished = std::exchange(finished_, {});
  round.positions = marks_.with(std::exchange(settled_, {}));
  noting_ = !round.positions.empty();
  if (!round.finished.empty()) round.fresh = std::exchange(waiting_, {});
  std::uint64_t bytes = 0;
  while (!pending_.empty() && bytes < kRoundBytes && round.fresh.size() < kRoundWorks) {
    bytes += pending_.front()->memory;
    round.fresh.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
  last_commit_ = std::max(last_commit_ + 1, static_cast<std::uint64_t>(std::max<TimeNs>(0, d_.clock.now())));
  round.commit = last_commit_;
  open_commits_.insert(round.commit);
  return round;
}

Status ElasticWriter::insist(const std::function<Status()>& attempt, std::stop_token stop) {
  auto wait = kLeastPause;
  while (true) {
    const Status done = attempt();
    if (done.ok()) {
      set_problem("");
      return {};
    }
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, "stopped");
    set_problem(done.error().message());
    pause_for(wait, stop);
    wait = std::min(wait * 2, kMostPause);
  }
}

Status ElasticWriter::process(Round& round, std::stop_token stop) {
  LB_TRY(insist([&] { return load_streams(round, stop); }, stop));
  LB_TRY(insist([&] { return put_templates(round, stop); }, stop));
  finish_pieces(round);
  for (const auto& work : round.fresh) LB_TRY(insist([&] { return look_at_claims(*work->batch, stop); }, stop));
  stage_works(round);
  return insist([&] { return save(round, stop); }, stop);
}

Status ElasticWriter::load_streams(const Round& round, std::stop_token stop) {
  std::set<StreamKey> unknown;
  for (const auto& work : round.fresh) {
    const StreamKey key = key_of(*work->batch);
    if (!table_.knows(key)) unknown.insert(key);
  }
  if (unknown.empty()) return {};
  LB_ASSIGN(std::vector<TargetStream> streams,
            d_.ledger.load(std::vector<StreamKey>(unknown.begin(), unknown.end()), stop));
  for (TargetStream& stream : streams) table_.put(std::move(stream));
  return {};
}

Status ElasticWriter::put_templates(const Round& round, std::stop_token stop) {
  for (const auto& work : round.fresh) LB_TRY(groundwork_.put_template(work->batch->channel, stop));
  return {};
}

// What a crash left claimed and this batch does not repeat as it was: what is there of it counts as stored.
Status ElasticWriter::look_at_claims(const Batch& batch, std::stop_token stop) {
  while (const auto claim = table_.claim_to_look_at(batch)) {
    LB_TRY(d_.documents.refresh(stop, d_.documents.beyond({claim->index})));
    LB_ASSIGN(const auto there, d_.documents.of_range(key_of(batch), claim->begin, claim->end, claim->index, stop));
    table_.look_result(key_of(batch), *claim, there);
  }
  return {};
}

void ElasticWriter::finish_pieces(Round& round) {
  for (const auto& piece : round.finished) {
    table_.finish(*piece, round.additions);
    const auto at = works_.find(piece.get());
    Work* work = at->second;
    works_.erase(at);
    if (--work->open_pieces > 0) continue;
    round.done.push_back(std::move(under_way_.at(work)));
    under_way_.erase(work);
  }
}

void ElasticWriter::stage_works(Round& round) {
  for (auto& work : round.fresh) {
    if (table_.overlaps_active(*work->batch)) {
      MutexLock lock(mutex_);
      waiting_.push_back(std::move(work));
      continue;
    }
    table_.stage(*work, round.commit, round.additions);
    round.staged.push_back(std::move(work));
  }
  round.fresh.clear();
}

Status ElasticWriter::save(Round& round, std::stop_token stop) {
  while (true) {
    LB_TRY(groundwork_.check(stop));
    LedgerWrite write;
    for (const StreamKey& key : table_.changed()) {
      TargetStream& stream = table_.stream(key);
      stream.writer = name_;
      ++stream.revision;
      write.streams.push_back(&stream);
    }
    write.positions = round.positions;
    write.quarantine = round.additions.quarantine;
    write.blanks = round.additions.blanks;
    LB_ASSIGN(const std::vector<TargetStream*> overtaken, d_.ledger.save(write, stop));
    ledger_writes_.add();
    for (TargetStream* stream : write.streams) {
      if (std::find(overtaken.begin(), overtaken.end(), stream) == overtaken.end()) table_.saved(stream->key);
    }
    if (overtaken.empty()) return {};
    LB_TRY(reread(round, overtaken, stop));
  }
}

// The documents of these streams are not as we know them: written by us, and the answer was lost; or by another
// program. Then they are taken as they are, and this round is done on them anew.
Status ElasticWriter::reread(Round& round, const std::vector<TargetStream*>& overtaken, std::stop_token stop) {
  std::vector<StreamKey> keys;
  for (const TargetStream* stream : overtaken) keys.push_back(stream->key);
  LB_ASSIGN(std::vector<TargetStream> there, d_.ledger.load(keys, stop));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (there[i].writer != name_) log_debug("another program wrote the ledger of {}", printable(there[i].state.path));
    table_.put(std::move(there[i]));
  }
  const auto is_theirs = [&](const Batch& batch) {
    return std::find(keys.begin(), keys.end(), key_of(batch)) != keys.end();
  };
  for (const auto& piece : round.finished) {
    if (is_theirs(*piece->batch)) table_.finish(*piece, round.additions, true);
  }
  for (const auto& work : round.staged) {
    if (!is_theirs(*work->batch)) continue;
    table_.unstage(*work);
    LB_TRY(look_at_claims(*work->batch, stop));
    table_.stage(*work, round.commit, round.additions);
  }
  return {};
}

// The round is durable: its pieces go out, what is done is acknowledged.
void ElasticWriter::publish(Round& round) {
  std::vector<std::shared_ptr<Piece>> pieces;
  for (auto& work : round.staged) {
    if (work->open_pieces == 0) {
      round.done.push_back(std::move(work));
      continue;
    }
    for (auto& piece : work->pieces) {
      works_[piece.get()] = work.get();
      pieces.push_back(piece);
    }
    work->pieces.clear();
    Work* key = work.get();
    under_way_[key] = std::move(work);
  }
  std::uint64_t freed = 0;
  std::vector<Position> durable;
  for (const auto& work : round.done) {
    freed += work->memory;
    if (work->position) durable.push_back(*work->position);
  }
  {
    MutexLock lock(mutex_);
    for (const auto& piece : round.finished) {
      if (!piece->compare) open_commits_.extract(piece->commit);
    }
    for (const auto& piece : pieces) {
      if (!piece->compare) open_commits_.insert(piece->commit);
    }
    open_commits_.extract(round.commit);
    settled_.insert(settled_.end(), durable.begin(), durable.end());
  }
  marks_.durable(durable);
  for (auto& piece : pieces) bulk_->add(std::move(piece));
  for (const auto& work : round.done) {
    Coverage coverage;
    coverage.add(work->batch->begin, work->batch->end);
    work->on_commit(std::move(coverage));
  }
  {
    MutexLock lock(mutex_);
    memory_ -= freed;
    outstanding_ -= round.done.size();
    noting_ = false;
  }
  room_.notify_all();
}

}  // namespace logboom::logstore::elastic
