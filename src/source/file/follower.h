// Follower: the file collector's work, in steps that a loop (file_collector.cc) or a test drives: scan, changed,
// read_ready, take_acks, tick. It never sleeps; time comes from the clock it is given.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "source/file/batch_maker.h"
#include "source/file/file_collector.h"
#include "source/file/folder_index.h"
#include "source/file/identity/identity.h"
#include "source/file/identity/name_index.h"
#include "source/file/match/discovery.h"
#include "source/file/status_board.h"
#include "source/file/tracked_source.h"

namespace logboom::source {

// What a follower works with; everything outlives it.
struct FollowerDeps {
  const FileCollectorOptions& options;
  FileSystem& files;
  const Clock& clock;
  MemoryBudget& budget;
  Registry& registry;
  StatusBoard& board;
};

// Not thread-safe: one thread drives it. Bounds: 1 to 3 KB per file that is there, or ended less than two times
// options.rotated_quiet ago (20 s); what ended before: kRemembered; at most options.max_open_files descriptors, and of
// bytes read nothing but what the budget lends (held ends of lines: at most kMaxHeld each, a quarter of the budget in
// all).
class Follower {
 public:
  static constexpr std::size_t kMaxHeld = 64u << 10;
  static constexpr std::size_t kManyEpochs = 20;  // of one source in an hour: an alarm
  // Of sources that ended and have no file the latest are remembered, about 1.5 KB each.
  static constexpr std::size_t kRemembered = 65'536;
  static constexpr std::size_t kForgottenAtOnce = 4096;

  Follower(const FollowerDeps& deps, Emitter& emitter, std::stop_token stop);

  // Asks the far side what it holds. An error: it could not be asked, try again.
  Status start(const config::RuleSet& rules);
  // Positions are kept; what no rule collects any more is read no further.
  void set_rules(const config::RuleSet& rules);

  // Compares all paths and handles with what is known.
  void scan();
  // The same for some paths only, as a watcher reports them.
  void paths_changed(const std::vector<std::string>& paths);
  // Cheaper: for paths that were only written to.
  void paths_modified(const std::vector<std::string>& paths);
  // One turn of at most one batch per stream for each file that has something to read. True: more is there at once.
  bool read_ready();
  void take_acks();
  // Files whose held back bytes, retries or endings are due.
  void tick();

  // When tick() has something to do next; nullopt: never.
  std::optional<Moment> next_deadline() const;
  // All that was there has been read and acknowledged (one-shot mode).
  bool complete() const;
  // The emitter refused: only a stop does that.
  bool stopped() const { return stopped_; }
  // Bytes handed on so far, of all followers of this registry.
  std::uint64_t bytes_read() const { return bytes_read_.value(); }
  // Folders in which a change matters.
  const std::vector<std::string>& folders() const { return folders_; }

 private:
  // --- scanning (follower_scan.cc)
  void examine(const std::string& path);
  void examine_found(const std::string& path, const FileStat& info);
  TrackedSource& adopt(const std::string& path, const FileStat& info, const std::string& matched_path = {});
  void attach_streams(TrackedSource& source, const std::string& path);
  void attach(TrackedSource& source, const RulePtr& rule);
  void attach_by_group(TrackedSource& source);
  void bind_path(TrackedSource& source, const std::string& path);
  void unbind_path(const std::string& path);
  void after_examination(bool complete);
  void check_paths(TrackedSource& source);
  void locate_lost(TrackedSource& source);
  void moved(TrackedSource& source);
  std::optional<std::string> find_handle(const std::string& folder, TrackedSource& source);
  const FolderIndex& folder_index(const std::string& folder);
  bool may_collect(const std::string& path, const FileStat& info);
  void path_problem(const std::string& path, FileState state, const std::string& text);

  // --- what is remembered (follower_known.cc)
  void take_known(TrackedSource& source);
  TrackedSource* adopt_known(const SourceId& id, const std::string& rule_path);
  void adopt_orphans();
  void pass_lost(TrackedSource& source);
  void resume_stream(TrackedSource& source, Stream& stream, const Remembered& known);
  bool may_retire(const TrackedSource& source) const;
  void retire_finished();
  void retire(const SourceId& id);
  void remember(const SourceId& id);
  void forget_oldest();

  // --- descriptors (follower_open.cc)
  bool open(TrackedSource& source);
  Status open_file(const std::string& path, const FileIdentity* expected, OpenFile& out, bool whole = true);
  bool may_decode(TrackedSource& source);
  void decoded(TrackedSource& source);
  void touch(TrackedSource& source);
  void close_unused();
  void close(TrackedSource& source);
  void read_failed(TrackedSource& source, const Error& error);

  // --- reading (follower_read.cc; the bytes of a turn: follower_bytes.cc)
  enum class Turn { kIdle, kMore, kStopped };
  void first_look(TrackedSource& source);
  Turn read_source(TrackedSource& source);
  Turn read_streams(TrackedSource& source);
  void say_state(TrackedSource& source);
  void end_of_decoded(TrackedSource& source);
  Turn read_stream(TrackedSource& source, Stream& stream);
  Turn make_batch(TrackedSource& source, Stream& stream, std::string& bytes, parse::AtEnd mode,
                  MemoryBudget::Lease& lease, bool to_the_end);
  bool zero_tail(TrackedSource& source, std::uint64_t from, std::uint64_t limit);
  Turn read_bytes(TrackedSource& source, Stream& stream, std::uint64_t limit, bool at_end_of_file);
  Turn emit(TrackedSource& source, Stream& stream, Batch batch);
  Turn read_zeros(TrackedSource& source, Stream& stream, std::size_t run, std::uint64_t limit, bool at_end_of_file);
  Result<std::size_t> read_what_can_be(TrackedSource& source, Stream& stream, std::string& bytes);
  Turn unreadable_block(TrackedSource& source, Stream& stream, const Error& error);
  Turn drop_from_end(TrackedSource& source, Stream& stream);
  bool guard_holds(TrackedSource& source, Stream& stream);
  void decide_kind(TrackedSource& source);
  void decide_format(Stream& stream, std::string_view bytes);
  void resume_reading(TrackedSource& source, Stream& stream);
  parse::AtEnd end_mode(const TrackedSource& source, const Stream& stream) const;
  Moment group_wait(const Stream& stream) const;
  Moment quiet_for(const TrackedSource& source) const;
  void hold(TrackedSource& source, Stream& stream, parse::AtEnd mode, std::string_view rest);
  Status rewind(TrackedSource& source, Stream& stream);
  bool skip_covered(TrackedSource& source, Stream& stream);

  // --- unknown files (follower_unknown.cc), and copies (follower_copies.cc)
  static constexpr Moment kLookAgain = std::chrono::seconds(1);
  enum class CopySearch { kNone, kNotYet, kFound };
  bool is_rotated_folder(std::string_view folder) const;
  bool name_fits(const std::string& path, const TrackedSource& original) const;
  bool intact(TrackedSource& source);
  Result<Likeness> compare(const std::string& path, OpenFile& file, std::uint64_t size, TrackedSource& original);
  std::vector<SourceId> ids_for(const std::string& path) const;
  std::vector<TrackedSource*> originals_for(const TrackedSource& file, const std::string& path);
  void decide_file(TrackedSource& source);
  void act(TrackedSource& source, const UnknownDecision& decision, TrackedSource* original);
  void collect(TrackedSource& source);
  void continue_with(TrackedSource& original, TrackedSource& copy);
  void use_copy(TrackedSource& original, OpenFile file, const std::string& path);
  struct FoundCopy {
    std::string path;
    FileStat info;
    OpenFile file;
    std::uint64_t size = 0;  // plain bytes
  };
  CopySearch find_copy(TrackedSource& original);
  bool send_end_again(TrackedSource& original, FoundCopy& copy);
  bool account_copy(TrackedSource& copy);
  bool awaits_original(TrackedSource& source, std::uint64_t size, bool quiet);
  bool still_read(const SourceId& id, std::uint64_t size);
  bool has_more(std::uint64_t size, TrackedSource& original);

  // --- generations (follower_generations.cc)
  void adopt_generations(TrackedSource& source, const std::function<bool(const FolderEntry&)>& younger);
  bool is_last_generation(const TrackedSource& source) const;
  bool made_later(const FolderEntry& entry, const TrackedSource& source) const;
  void adopt_successors(TrackedSource& source);
  void adopt_heirs(TrackedSource& source);

  // --- endings (follower_ending.cc)
  void inherit(TrackedSource& source);
  void truncated(TrackedSource& source);
  void give_up_rest(TrackedSource& source, Stream& stream, const std::string& cause);
  void next_epoch(TrackedSource& source);
  void note_epoch(TrackedSource& source);
  void gone(TrackedSource& source);
  void rotated(TrackedSource& source);
  void lose_failed(TrackedSource& source, Stream& stream, const std::string& cause);
  bool answered(const TrackedSource& source) const;
  bool copy_done(TrackedSource& source);
  void advance_ending(TrackedSource& source);
  void finish(TrackedSource& source);
  bool drained(const TrackedSource& source) const;

  void answered_all(TrackedSource& source);
  void make_ready(TrackedSource& source);
  void at(TrackedSource& source, Moment when);
  void publish(const TrackedSource& source);
  TrackedSource* find(const SourceId& id);
  Moment now() const { return deps_.clock.monotonic(); }

  const FollowerDeps deps_;
  Emitter& emitter_;
  const std::stop_token stop_;
  BatchMaker maker_;
  std::unique_ptr<RuleMatcher> matcher_;
  bool stopped_ = false;
  bool first_scan_ = true;
  bool forced_ = false;

  std::unordered_map<SourceId, std::unique_ptr<TrackedSource>> sources_;
  std::unordered_map<SourceId, std::vector<Remembered>> known_;  // not bound to a file yet, or no more
  std::deque<std::pair<std::uint64_t, SourceId>> retired_;       // of them, the oldest first; with its turn
  std::uint64_t remembered_ = 0;
  std::unordered_map<Hash128, SourceId> bindings_;  // binding_key(identity) > source
  std::unordered_map<std::string, SourceId> by_path_;
  std::unordered_set<Hash128> never_;
  std::unordered_set<const CompiledRule*> fresh_rules_;  // not run before: start=end means something
  std::vector<SourceId> moved_;                          // found under another name in this examination
  std::vector<SourceId> lost_;                           // lost a path in this examination
  std::map<std::string, FolderIndex> folder_index_;      // of this examination
  NameIndex names_;                                      // of known sources too
  std::string seen_real_folder_;                         // of the file may_collect() was asked about last
  std::set<std::string> real_folders_;                   // where symlinked files lie
  std::vector<std::string> missing_;                     // names that led nowhere in this round
  std::set<std::string> reported_;                       // paths whose problem was said
  std::vector<std::string> folders_;
  std::deque<TrackedSource*> ready_;
  std::set<std::pair<Moment, SourceId>> timers_;
  std::uint64_t generation_ = 0;
  std::uint64_t use_ = 0;
  std::map<std::uint64_t, SourceId> open_by_use_;
  std::optional<SourceId> decoding_;  // the one compressed file that is being read
  std::deque<SourceId> waiting_to_decode_;
  std::uint64_t held_bytes_ = 0;

  Counter& bytes_read_;
  Counter& batches_;
  Counter& records_;
  Counter& errors_;
  Gauge& files_known_;
  Gauge& files_open_;
};

}  // namespace logboom::source
