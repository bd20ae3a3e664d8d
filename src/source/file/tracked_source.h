// TrackedSource, Stream and Remembered: what the collector keeps of one file, of one file on one channel, and of the
// latter when the file has ended. Plain data of the collector's thread; 1 to 3 KB per known file.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "parse/annotate.h"
#include "parse/splitter.h"
#include "record/batch.h"
#include "record/interval_set.h"
#include "source/collector.h"
#include "source/file/identity/content.h"
#include "source/file/identity/identity.h"
#include "source/file/identity/mark_chain.h"
#include "source/file/match/rule_matcher.h"

namespace logboom::source {

using Moment = std::chrono::nanoseconds;  // of Clock::monotonic()

// The cursor of one (source, channel).
struct Stream {
  std::string channel;
  RulePtr rule;                 // null: no rule collects it any more
  std::uint64_t base = 0;       // where this epoch begins on this channel: 0, or the end of an inherited prefix
  std::uint64_t position = 0;   // of the reader
  Coverage acked;               // of this epoch
  std::uint32_t in_flight = 0;  // batches emitted and not acknowledged
  bool failed = false;          // a batch was not made durable: read again once nothing is in flight
  Moment retry_at{0};           // not before
  MarkChain chain;
  std::string guard;  // up to kGuardBytes bytes before `position`
  parse::RecordSplitter::Carry carry;
  parse::AnnotateCarry times;
  bool from_end = false;           // start=end: what is there now is left out
  std::uint64_t starts_at = 0;     // and so much that was; until that is durable it is left out again after a failure
  bool dropping_fragment = false;  // the line whose fragments come is left out
  std::optional<Format> format;    // text or UTF-16, decided at the first bytes
  std::uint64_t seen_size = 0;     // of the source at the last look
  Moment grown_at{0};
  bool looked = false;          // at its file since it was found
  bool lone_line_held = false;  // at the end of the last bytes
  Moment look_again{0};         // when bytes held back are looked at again without growth
  std::uint64_t need = 0;       // bytes to look at at once, after a record did not fit a batch
  std::string held;             // copy of what is held back at the end of the file, for the case that it is truncated

  std::uint64_t acknowledged() const { return acked.contiguous_end(base); }
  bool settled() const { return in_flight == 0 && !failed; }
};

inline constexpr std::int64_t kMissedNever = std::int64_t{1} << 60;  // nanoseconds before any moment

// An open file and its bytes.
struct OpenFile {
  std::unique_ptr<File> file;
  std::unique_ptr<Content> content;
  bool decoded = false;  // of a compressed file
};

// Why a file, or its epoch, is coming to its end.
enum class Ending { kNone, kTruncated, kGone };

struct TrackedSource {
  SourceId id;
  FileIdentity identity;
  std::uint32_t epoch = 0;
  std::uint32_t read_errors = 0;   // in a row
  std::vector<std::string> paths;  // the first is shown
  std::string last_path;           // where it was last seen
  std::string real_folder;         // where it lies, if its path is a symlink
  std::string matched_path;        // under which the rules took it; a rotated file may have another name now
  std::uint64_t size = 0;          // at the last look; plain bytes
  std::uint64_t intact_size = 0;   // at the last look at which the bytes before the position were still those read
  std::uint64_t disk_size = 0;     // as the last scan saw it
  TimeNs modified = 0;
  FileState state = FileState::kActive;
  std::string problem;
  bool compressed = false;  // its name says so
  bool cut_off = false;  // a compressed file that ends in the middle and no longer grows: what there is of it is read
  bool waits_to_decode = false;  // compressed files are read one after the other
  bool known = false;            // the store has ranges or a state of it
  bool checked = false;          // its first look since the start is done
  bool undecided = false;        // unknown handle that may be a copy: not collected yet
  bool alias = false;            // decided: a copy of `original`, which has or gets its bytes
  SourceId original;
  SourceId copy_source;   // the copy as a file of its own, where a rule names it
  SourceId copy_twin;     // what the copy was compressed from, if it was met as a file of its own
  bool has_copy = false;  // `copy` was recognised as holding its rest
  bool copy_searched = false;
  bool last_of_group = true;   // when it moved or vanished, no younger file of its name had lines in the store
  bool state_changed = false;  // a new name: said to the store with the next turn
  bool resumed = false;        // the streams stand where reading goes on, not where the store stood
  bool binary = false;
  bool binary_decided = false;
  bool flagged = false;
  bool finished = false;
  bool refill = false;  // the store lost parts of it since the last look
  Ending ending = Ending::kNone;
  std::uint64_t lost_size = 0;  // last known size of an epoch whose bytes are gone
  bool lost_said = false;       // and what could not be read of it is accounted for
  bool final_read = false;      // nothing more comes: unfinished lines leave
  OpenFile open;
  OpenFile copy;  // finishes the epoch when the file itself no longer has its bytes
  std::string copy_path;
  std::vector<Stream> streams;
  Moment quiet_since{0};            // last growth
  Moment timer_at{0};               // armed timer; 0: none
  Moment missed_at{-kMissedNever};  // last time no name led to it
  bool queued = false;              // in the ready queue
  std::uint64_t generation = 0;     // of the last scan that saw it
  std::uint64_t last_used = 0;      // for closing descriptors
  std::vector<Moment> epochs_at;    // of the last epochs, at most kManyEpochs

  Content* content() { return copy.content ? copy.content.get() : open.content.get(); }
  const std::string& path() const { return paths.empty() ? last_path : paths.front(); }
  // As an original of copies.
  OriginalState copied_state() const {
    if (ending == Ending::kTruncated) return OriginalState::kTruncated;
    return paths.empty() ? OriginalState::kVanished : OriginalState::kLive;
  }
  std::uint64_t read_end(const Stream& stream) const {
    return resumed ? stream.position : std::max(stream.acked.end(), stream.base);
  }
  // Up to here a file can be compared with it: behind what the store lost the marks still tell.
  std::uint64_t known_end(const Stream& stream) const {
    return refill ? std::max(read_end(stream), stream.chain.last_mark()) : read_end(stream);
  }
  // The stream that has read furthest stands for its source; null: it has none.
  const Stream* furthest() const {
    const auto less = [this](const Stream& a, const Stream& b) { return read_end(a) < read_end(b); };
    const auto found = std::max_element(streams.begin(), streams.end(), less);
    return found == streams.end() ? nullptr : &*found;
  }
};

// What is kept of a Stream whose source has no file any more, or none yet.
struct Remembered : KnownSource {
  std::size_t forgotten = 0;  // of the marks: MarkChain::forgotten()
  std::uint64_t turn = 0;     // when it ended, in the order of all that did; of the first of a source
};

}  // namespace logboom::source
