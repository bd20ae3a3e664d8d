// The bytes of one turn: whole records, long runs of zeros, and blocks that cannot be read.
#include <algorithm>

#include "base/log.h"
#include "parse/fields.h"
#include "source/file/follower.h"

namespace logboom::source {
namespace {

constexpr std::uint32_t kReadAttempts = 5;
constexpr std::uint64_t kDiskBlock = 4096;
constexpr std::size_t kLongZeros = 4096;  // a run of zeros of this length is a range of its own

struct ZeroRun {
  std::size_t begin = 0;
  std::size_t length = 0;  // 0: there is none
};

// The first run of at least kLongZeros zeros.
ZeroRun find_zero_run(std::string_view bytes) {
  for (std::size_t at = bytes.find('\0'); at != std::string_view::npos;) {
    const std::size_t end = std::min(bytes.find_first_not_of('\0', at), bytes.size());
    if (end - at >= kLongZeros) return {at, end - at};
    at = end == bytes.size() ? std::string_view::npos : bytes.find('\0', end);
  }
  return {};
}

// Whether something may still be written into the zeros at the end of the file. If not, they are a range like any.
bool tail_may_fill(const TrackedSource& source, bool one_shot) {
  return !one_shot && !source.final_read && !source.copy.content && !source.open.decoded &&
         source.state != FileState::kRotated;
}

}  // namespace

void Follower::decide_format(Stream& stream, std::string_view bytes) {
  if (stream.format) return;
  const bool marked = stream.rule->rule.format == config::FormatChoice::kAuto && stream.position == 0;
  stream.format = marked ? parse::detect_format(bytes) : Format::kText;
}

Moment Follower::group_wait(const Stream& stream) const {
  return stream.lone_line_held ? deps_.options.lone_idle : deps_.options.group_idle;
}

parse::AtEnd Follower::end_mode(const TrackedSource& source, const Stream& stream) const {
  if (deps_.options.one_shot || source.final_read || source.copy.content || source.open.decoded)
    return parse::AtEnd::kFlush;
  const Moment idle = now() - stream.grown_at;
  if (idle >= deps_.options.line_idle) return parse::AtEnd::kFlush;
  return idle >= group_wait(stream) ? parse::AtEnd::kCloseGroup : parse::AtEnd::kHold;
}

Follower::Turn Follower::read_bytes(TrackedSource& source, Stream& stream, std::uint64_t limit, bool at_end_of_file) {
  const std::uint64_t wanted = std::max(deps_.options.batch_bytes, stream.need);
  auto lease = deps_.budget.acquire(std::min(wanted, limit - stream.position), stop_);
  if (!lease) return Turn::kStopped;
  std::string bytes(lease->bytes(), '\0');
  const auto got = read_what_can_be(source, stream, bytes);
  if (!got.ok()) return unreadable_block(source, stream, got.error());
  // After the read: what a truncation put in the place of the old bytes is noticed whenever it happened.
  if (!guard_holds(source, stream)) return truncated(source), Turn::kIdle;
  if (!source.copy.content) source.intact_size = stream.seen_size;
  if (bytes.empty()) return Turn::kIdle;
  bool to_the_end = stream.position + bytes.size() >= limit;
  bool line_broken = to_the_end && !at_end_of_file;  // what follows is covered, zeros or unreadable: lines end here
  if (source.read_errors > 0 && !to_the_end) line_broken = source.read_errors >= kReadAttempts;
  const ZeroRun zeros = find_zero_run(bytes);
  if (zeros.length > 0 && zeros.begin == 0) {
    return read_zeros(source, stream, zeros.length, limit, at_end_of_file);
  }
  if (zeros.length > 0) {
    bytes.resize(zeros.begin);
    to_the_end = at_end_of_file && tail_may_fill(source, deps_.options.one_shot) &&
                 zero_tail(source, stream.position + zeros.begin + zeros.length, limit);
    line_broken = !to_the_end;
  }
  const parse::AtEnd mode = line_broken  ? parse::AtEnd::kFlush
                            : to_the_end ? end_mode(source, stream)
                                         : parse::AtEnd::kHold;
  const Turn turn = make_batch(source, stream, bytes, mode, *lease, to_the_end);
  // Behind a range that is durable already the file may go on.
  return turn == Turn::kIdle && !at_end_of_file && stream.position >= limit ? Turn::kMore : turn;
}

Follower::Turn Follower::make_batch(TrackedSource& source, Stream& stream, std::string& bytes, parse::AtEnd mode,
                                    MemoryBudget::Lease& lease, bool to_the_end) {
  decide_format(stream, bytes);
  std::string held;
  auto batch = maker_.records(source, stream, bytes, mode, lease, held);
  if (!batch && source.read_errors > 0) return unreadable_block(source, stream, Error(ErrorCode::kIo, source.problem));
  if (!batch && !to_the_end) {
    // A record longer than a batch: look at more at once.
    stream.need = 2 * std::max<std::uint64_t>(std::max(deps_.options.batch_bytes, stream.need), deps_.options.max_line);
    return Turn::kMore;
  }
  stream.need = 0;
  if (to_the_end) hold(source, stream, mode, batch ? held : bytes);
  if (!batch) return Turn::kIdle;
  const Turn turn = emit(source, stream, std::move(*batch));
  return turn == Turn::kStopped || !to_the_end ? turn : Turn::kIdle;
}

// --- zeros

// Whether nothing but zeros stands between `from` and the end of the file.
bool Follower::zero_tail(TrackedSource& source, std::uint64_t from, std::uint64_t limit) {
  if (from >= limit) return true;
  const auto next = source.content()->next_data(from);
  return next.ok() && (!*next || **next >= limit);
}

// A long run of zeros is one range, however it lies on the disk; over holes nothing is read. At the end of a file it
// waits: programs allocate ahead, and write into it later.
Follower::Turn Follower::read_zeros(TrackedSource& source, Stream& stream, std::size_t run, std::uint64_t limit,
                                    bool at_end_of_file) {
  std::uint64_t end = stream.position + run;
  if (end < limit) {
    const auto next = source.content()->next_data(end);
    if (next.ok()) end = std::max(end, next->has_value() ? std::min(**next, limit) : limit);
  }
  const bool tail = end >= limit && at_end_of_file;
  if (tail && end_mode(source, stream) != parse::AtEnd::kFlush) return Turn::kIdle;
  if (tail && tail_may_fill(source, deps_.options.one_shot)) {
    stream.look_again = Moment::max();  // until it changes
    return Turn::kIdle;
  }
  std::string guard(std::min<std::uint64_t>(kGuardBytes, end - stream.position), '\0');
  return emit(source, stream, maker_.range(source, stream, end, Disposition::kHole, "", std::move(guard)));
}

// --- damaged disks

// Fills `bytes` from the position; behind a part that cannot be read it stops, and remembers that it did.
Result<std::size_t> Follower::read_what_can_be(TrackedSource& source, Stream& stream, std::string& bytes) {
  const auto got = source.content()->read(bytes.data(), bytes.size(), stream.position);
  if (got.ok()) {
    bytes.resize(*got);
    source.read_errors = 0;
    return *got;
  }
  std::size_t done = 0;
  while (done < bytes.size()) {
    const std::uint64_t at = stream.position + done;
    const std::size_t step = std::min<std::uint64_t>(bytes.size() - done, kDiskBlock - at % kDiskBlock);
    const auto part = source.content()->read(bytes.data() + done, step, at);
    if (!part.ok() || *part == 0) break;
    done += *part;
  }
  if (done == 0) return got.error();
  bytes.resize(done);
  if (source.read_errors == 0) source.read_errors = 1;
  source.problem = got.error().message();
  return done;
}

// The block at the position cannot be read: tried again for a while, then a gap with the system's error.
Follower::Turn Follower::unreadable_block(TrackedSource& source, Stream& stream, const Error& error) {
  if (source.read_errors < kReadAttempts) return read_failed(source, error), Turn::kIdle;
  const std::uint64_t end = std::min(stream.seen_size, (stream.position / kDiskBlock + 1) * kDiskBlock);
  if (end <= stream.position) return Turn::kIdle;
  log_error("{}: {} bytes at {} are listed as a gap", error.message(), end - stream.position, stream.position);
  source.read_errors = 0;
  return emit(source, stream, maker_.range(source, stream, end, Disposition::kGap, error.message(), {}));
}

// What stands behind the last record waits for more bytes, or for its time.
void Follower::hold(TrackedSource& source, Stream& stream, parse::AtEnd mode, std::string_view rest) {
  held_bytes_ -= stream.held.size();
  stream.held.clear();
  if (rest.empty()) return;
  if (rest.size() <= kMaxHeld && held_bytes_ + rest.size() <= deps_.budget.limit() / 4) stream.held = rest;
  held_bytes_ += stream.held.size();
  const Moment wait = mode == parse::AtEnd::kHold ? group_wait(stream) : deps_.options.line_idle;
  stream.look_again = stream.grown_at + std::max(wait, Moment{1});
  at(source, stream.look_again);
}

}  // namespace logboom::source
