// StreamTable: the streams a writer is at work on, as the target has them plus what is changed and not written yet.
// Decides what becomes of a batch: which parts are new and claimed, which are compared with what is there, which go to
// quarantine. One thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "logstore/elastic/bulk_writers.h"
#include "logstore/elastic/ledger_index.h"
#include "logstore/elastic/target_stream.h"

namespace logboom::logstore::elastic {

// A batch that was appended, until it is durable.
struct Work {
  std::shared_ptr<const Batch> batch;
  std::optional<Position> position;
  OnCommit on_commit;
  std::uint64_t memory = 0;
  std::vector<std::shared_ptr<Piece>> pieces;
  std::size_t open_pieces = 0;
};

// What one write of the ledger has besides the streams themselves.
struct Additions {
  std::vector<QuarantineEntry> quarantine;
  std::vector<BlankPiece> blanks;
};

class StreamTable {
 public:
  StreamTable(std::string index_pattern, const Clock& clock) : pattern_(std::move(index_pattern)), clock_(clock) {}

  bool knows(const StreamKey& key) const { return held_.contains(key); }
  // In the place of what is known of it. What is under way stays so.
  void put(TargetStream stream);
  TargetStream& stream(const StreamKey& key) { return held_.at(key).stream; }

  // Whether a part of the batch is under way already, or what its state stands behind: it has to wait.
  bool overlaps_active(const Batch& batch) const;
  // A claim left behind by a crash that this batch meets but does not repeat: look_result() says what is there of it.
  std::optional<Claim> claim_to_look_at(const Batch& batch) const;
  // What the target has of the claim; the claim is settled.
  void look_result(const StreamKey& key, const Claim& claim, const std::vector<StoredRecord>& there);

  // Makes the pieces of the work and puts their claims into the stream.
  void stage(Work& work, std::uint64_t commit, Additions& additions);
  // The piece is done: what was claimed is stored, or refused. `again`: this was done before, on a stream that was
  // read anew since.
  void finish(const Piece& piece, Additions& additions, bool again = false);
  // Takes back what stage() did, for a stream that was read anew; the work has no pieces then.
  void unstage(Work& work);

  std::vector<StreamKey> changed() const { return {changed_.begin(), changed_.end()}; }
  void saved(const StreamKey& key) { changed_.erase(key); }
  // Forgets streams with nothing under way when there are many.
  void shrink();

 private:
  // The state that comes with a batch goes into the stream when the batch and those before it are whole there: what it
  // says of a place in the source must never be ahead of what is stored.
  struct State {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    SourceState state;
  };
  struct Held {
    TargetStream stream;
    std::deque<State> states;          // of batches that are not whole, as they came
    std::optional<SourceState> taken;  // the last one that went into the stream
    std::set<std::uint64_t> active;    // begins of claims and comparisons under way
    std::vector<Interval> under_way;
    std::vector<Claim> settled;  // left by a crash and looked at: what is missing of them goes to the same index
  };
  void take_states(Held& held);
  void stage_stored(Work& work, Held& held, std::uint64_t commit, Additions& additions);
  void add_other(const Batch& batch, Held& held, Additions& additions);
  void add_piece(Work& work, Held& held, std::uint64_t begin, std::uint64_t end, std::string index,
                 std::uint64_t commit, Additions& additions);
  void add_comparison(Work& work, Held& held, const TargetRange& range);
  QuarantineEntry entry_of(const Batch& batch, const Refusal& refusal) const;

  const std::string pattern_;
  const Clock& clock_;
  std::map<StreamKey, Held> held_;
  std::set<StreamKey> changed_;
};

}  // namespace logboom::logstore::elastic
