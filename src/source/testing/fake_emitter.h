// FakeStore and FakeEmitter: the far side of a collector, in memory, which checks what a store would: ranges never
// overlap, records cover their buffer, marks follow the bytes. The store outlives the emitters: a new emitter on it is
// a restart.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <sys/eventfd.h>
#include <unistd.h>

#include "record/encoding/batch_encoding.h"
#include "source/collector.h"

namespace logboom::source::testing {

struct StoredRange {
  std::uint64_t end = 0;
  Disposition disposition = Disposition::kStored;
  std::string cause;
  std::string bytes;
  std::vector<std::string> lines;  // texts of records, as stored
  std::string rule;
  std::uint64_t dropped_lines = 0;
};

class FakeStore {
 public:
  using Key = std::tuple<SourceId, std::string, std::uint32_t>;  // source, channel, epoch
  struct Stream {
    std::map<std::uint64_t, StoredRange> ranges;
    std::vector<PrefixMark> marks;
    SourceState state;
    Coverage coverage;
  };

  void commit(const Batch& batch) {
    Stream& stream = streams[{batch.source, batch.channel, batch.epoch}];
    if (may_repeat && batch.begin != batch.end && stream.coverage.missing(batch.begin, batch.end).empty()) {
      return compare(batch, stream);
    }
    check(batch, stream);
    stream.state = batch.state;
    stream.marks.insert(stream.marks.end(), batch.marks.begin(), batch.marks.end());
    order.push_back({batch.source, batch.channel, batch.epoch});
    if (batch.begin == batch.end) return;
    StoredRange& range = stream.ranges[batch.begin];
    range.end = batch.end;
    range.disposition = batch.disposition;
    range.cause = batch.cause;
    range.bytes = batch.bytes;
    range.rule = batch.rule;
    for (const Record& record : batch.records) range.lines.emplace_back(batch.text(record));
    for (const DroppedRun& run : batch.drops) range.dropped_lines += run.lines;
    stream.coverage.add(batch.begin, batch.end);
    ++batches;
  }

  std::vector<KnownSource> known() const {
    std::map<std::pair<SourceId, std::string>, KnownSource> newest;
    for (const auto& [key, stream] : streams) {
      const auto& [source, channel, epoch] = key;
      newest[{source, channel}] = KnownSource{source, channel, epoch, stream.coverage, stream.marks, stream.state};
    }
    std::vector<KnownSource> out;  // what changed last comes last
    for (auto changed = order.rbegin(); changed != order.rend(); ++changed) {
      auto known = newest.extract({std::get<0>(*changed), std::get<1>(*changed)});
      if (!known.empty()) out.insert(out.begin(), std::move(known.mapped()));
    }
    return out;
  }

  // The bytes of the streams last seen under this path, all epochs after each other; gaps, holes and drops are left
  // out.
  std::string bytes_of(const std::string& path, const std::string& channel = "logs") const {
    std::string out;
    for (const auto& [key, stream] : streams) {
      if (stream.state.path != path || std::get<1>(key) != channel) continue;
      for (const auto& [begin, range] : stream.ranges) out += range.bytes;
    }
    return out;
  }

  // Gives up, as a repair of a damaged store does, the `n`th stored range of the streams last seen under this path; -1:
  // the last one. Says its place.
  Interval lose(const std::string& path, int n) {
    for (auto& [key, stream] : streams) {
      if (stream.state.path != path || stream.ranges.empty()) continue;
      const auto range = n < 0 ? std::prev(stream.ranges.end()) : std::next(stream.ranges.begin(), n);
      const Interval lost{range->first, range->second.end};
      stream.coverage.remove(lost.begin, lost.end);
      stream.ranges.erase(range);
      return lost;
    }
    return {};
  }

  // Every record text that is stored, with how often.
  std::map<std::string, int> lines(const std::string& channel = "logs") const {
    std::map<std::string, int> out;
    for (const auto& [key, stream] : streams) {
      if (std::get<1>(key) != channel) continue;
      for (const auto& [begin, range] : stream.ranges) {
        for (const std::string& line : range.lines) ++out[line];
      }
    }
    return out;
  }

  // "begin-end:cause" of every range that is not stored.
  std::vector<std::string> causes(const std::string& channel = "logs") const {
    std::vector<std::string> out;
    for (const auto& [key, stream] : streams) {
      if (std::get<1>(key) != channel) continue;
      for (const auto& [begin, range] : stream.ranges) {
        if (range.disposition == Disposition::kStored) continue;
        out.push_back(std::to_string(begin) + "-" + std::to_string(range.end) + ":" +
                      std::string(disposition_name(range.disposition)) +
                      (range.cause.empty() ? "" : ":" + range.cause));
      }
    }
    return out;
  }

  std::set<SourceId> sources() const {
    std::set<SourceId> out;
    for (const auto& [key, stream] : streams) {
      if (!stream.ranges.empty()) out.insert(std::get<0>(key));
    }
    return out;
  }

  std::map<Key, Stream> streams;
  std::vector<Key> order;
  std::vector<std::string> violations;
  std::size_t batches = 0;
  bool may_repeat = false;  // what is held may come again, and is compared
  std::size_t repeats = 0;
  std::size_t conflicts = 0;

 private:
  void compare(const Batch& batch, const Stream& stream) {
    ++repeats;
    for (const auto& [begin, range] : stream.ranges) {
      const std::uint64_t low = std::max(begin, batch.begin);
      const std::uint64_t high = std::min(range.end, batch.end);
      if (low >= high || range.bytes.empty()) continue;
      const std::string_view there = std::string_view(range.bytes).substr(low - begin, high - low);
      if (there != std::string_view(batch.bytes).substr(low - batch.begin, high - low)) ++conflicts;
    }
  }

  void check(const Batch& batch, const Stream& stream) {
    if (const Status valid = validate_batch(batch); !valid.ok()) violations.push_back(valid.error().message());
    if (batch.end < batch.begin) violations.push_back("end before begin");
    if (!stream.coverage.missing(batch.begin, batch.end).empty() || batch.begin == batch.end) {
      const auto missing = stream.coverage.missing(batch.begin, batch.end);
      const bool whole = missing.size() == 1 && missing[0].begin == batch.begin && missing[0].end == batch.end;
      if (batch.begin != batch.end && !whole) violations.push_back("range partly covered");
    } else {
      violations.push_back("range stored twice");
    }
    if (batch.disposition == Disposition::kStored && batch.bytes.size() != batch.end - batch.begin) {
      violations.push_back("bytes do not fill the range");
    }
    if (batch.disposition == Disposition::kStored && batch.begin != batch.end) check_cover(batch);
    if (batch.state.position != batch.end) violations.push_back("state is not at the end of the batch");
    for (const PrefixMark& mark : batch.marks) {
      if (batch.begin != batch.end && (mark.offset <= batch.begin || mark.offset > batch.end))
        violations.push_back("mark outside");
    }
  }

  void check_cover(const Batch& batch) {
    std::map<std::uint32_t, std::uint32_t> parts;
    for (const Record& record : batch.records) parts[record.begin - record.blank] = record.end();
    for (const DroppedRun& run : batch.drops) parts[run.begin] = run.end;
    std::uint32_t at = 0;
    for (const auto& [begin, end] : parts) {
      if (begin != at) violations.push_back("records do not cover the buffer");
      at = end;
    }
    if (at + batch.trailing_blank != batch.bytes.size())
      violations.push_back("records do not reach the end of the buffer");
  }
};

// Acknowledges at once unless `corked`. Single-threaded use, but for the descriptor.
class FakeEmitter final : public Emitter {
 public:
  explicit FakeEmitter(FakeStore& store) : store_(store), descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~FakeEmitter() override { ::close(descriptor_); }

  Status emit(Batch batch, std::stop_token stop) override {
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, "stopped");
    waiting.push_back(std::move(batch));
    if (!corked) deliver();
    return ok_status();
  }
  std::vector<Ack> take_acks() override {
    std::uint64_t n = 0;
    [[maybe_unused]] const auto got = ::read(descriptor_, &n, sizeof n);
    return std::exchange(acks_, {});
  }
  int ack_descriptor() const override { return descriptor_; }
  Result<std::vector<KnownSource>> known_sources() override {
    if (!reachable) return Error(ErrorCode::kUnavailable, "the store is away");
    return store_.known();
  }

  bool idle() const { return acks_.empty(); }

  // Commits what waits, in order and at most so many; `fail` of them are refused instead.
  void deliver(std::size_t most = SIZE_MAX) {
    for (; most > 0 && !waiting.empty(); --most) {
      const Batch batch = std::move(waiting.front());
      waiting.pop_front();
      Ack ack{batch.source, batch.channel, batch.epoch, batch.begin, batch.end, {}};
      if (fail > 0) {
        --fail;
        ack.status = Error(ErrorCode::kUnavailable, "refused by the test");
      } else {
        store_.commit(batch);
      }
      acks_.push_back(std::move(ack));
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto put = ::write(descriptor_, &one, sizeof one);
  }

  bool corked = false;
  bool reachable = true;
  int fail = 0;
  std::deque<Batch> waiting;

 private:
  FakeStore& store_;
  const int descriptor_;
  std::vector<Ack> acks_;
};

}  // namespace logboom::source::testing
