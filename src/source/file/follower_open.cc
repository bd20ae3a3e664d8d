// Descriptors: opening and closing the files that are read, and what happens to those that cannot be.
#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "source/file/follower.h"
#include "source/file/identity/identity.h"

namespace logboom::source {
namespace {

constexpr Moment kRetryOpen = std::chrono::seconds(5);
constexpr Moment kRetryRead = std::chrono::seconds(1);

}  // namespace

Status Follower::open_file(const std::string& path, const FileIdentity* expected, OpenFile& out, bool whole) {
  const auto root = matcher_->root_of(path);
  if (!root)
    return Error(ErrorCode::kRejected,
                 fmt::format("cannot read {}: it lies outside the allowed roots", printable(path)));
  LB_ASSIGN(auto file, deps_.files.open_beneath(*root, path));
  LB_ASSIGN(const FileStat info, file->stat());
  if (info.type != FileType::kRegular) {
    return Error(ErrorCode::kRejected, fmt::format("cannot read {}: it is no regular file", printable(path)));
  }
  if (expected != nullptr && binding_key(info.identity) != binding_key(*expected)) {
    return Error(ErrorCode::kNotFound, fmt::format("cannot read {}: another file took its place", printable(path)));
  }
  out.file = std::move(file);
  out.decoded = false;
  if (compression_of(name_of(path)) != Compression::kNone) {
    std::string head(6, '\0');
    LB_ASSIGN(const std::size_t got, out.file->pread(head.data(), head.size(), 0));
    const auto kind = detect_compression(std::string_view(head).substr(0, got));
    out.decoded = kind && *kind != CompressionKind::kNone;
    if (out.decoded) out.content = decoded_content(*out.file, *kind, whole);
  }
  if (!out.decoded) out.content = plain_content(*out.file);
  return ok_status();
}

// A decoder may need 100 MB: only one compressed file is read at a time. False: this one has to wait.
bool Follower::may_decode(TrackedSource& source) {
  if (decoding_ && *decoding_ != source.id) {
    if (!std::exchange(source.waits_to_decode, true)) waiting_to_decode_.push_back(source.id);
    return false;
  }
  decoding_ = source.id;
  return true;
}

// Its turn is over: read to its end, or something else has to happen first.
void Follower::decoded(TrackedSource& source) {
  if (decoding_ != source.id) return;
  decoding_.reset();
  if (source.open.decoded) close(source);
  while (!waiting_to_decode_.empty()) {
    TrackedSource* next = find(waiting_to_decode_.front());
    waiting_to_decode_.pop_front();
    if (next == nullptr) continue;
    next->waits_to_decode = false;
    return make_ready(*next);
  }
}

bool Follower::open(TrackedSource& source) {
  if (source.copy.content) return true;
  // Opened before its first bytes were there, a compressed copy was taken for plain.
  if (source.open.file && source.undecided && source.compressed && !source.open.decoded) close(source);
  if (source.open.file) return touch(source), true;
  Status status = Error(ErrorCode::kNotFound, "");
  for (const std::string& path : source.paths) {
    status = open_file(path, &source.identity, source.open, !source.cut_off);
    if (status.ok()) break;
  }
  if (status.ok()) {
    if (source.state == FileState::kUnreadable) source.state = FileState::kActive;
    source.problem.clear();
    touch(source);
    close_unused();
    return true;
  }
  if (status.error().code() == ErrorCode::kNotFound) {
    // Gone since it was last seen, and perhaps no event told: it is looked at again behind this round, then at the next
    // scan.
    if (now() - source.missed_at > kRetryRead)
      missing_.insert(missing_.end(), source.paths.begin(), source.paths.end());
    source.missed_at = now();
    return false;
  }
  errors_.add();
  if (source.problem != status.error().message()) log_warn("{}", status.error().message());
  source.state = FileState::kUnreadable;
  source.problem = status.error().message();
  at(source, now() + kRetryOpen);
  return false;
}

void Follower::touch(TrackedSource& source) {
  open_by_use_.erase(source.last_used);
  source.last_used = ++use_;
  open_by_use_[source.last_used] = source.id;
}

// The longest unused first; a file without a name could not be opened again.
void Follower::close_unused() {
  const std::size_t limit = std::max<std::size_t>(deps_.options.max_open_files, 2);
  for (auto at = open_by_use_.begin(); at != open_by_use_.end() && open_by_use_.size() > limit;) {
    TrackedSource* source = find(at->second);
    ++at;
    if (source != nullptr && source->ending == Ending::kNone && source->last_used != use_) close(*source);
  }
  files_open_.set(static_cast<std::int64_t>(open_by_use_.size()));
}

void Follower::close(TrackedSource& source) {
  open_by_use_.erase(source.last_used);
  source.last_used = 0;
  source.open.content.reset();
  source.open.file.reset();
}

void Follower::read_failed(TrackedSource& source, const Error& error) {
  errors_.add();
  ++source.read_errors;
  if (source.problem != error.message()) log_warn("{}", error.message());
  source.problem = error.message();
  source.state = FileState::kUnreadable;
  at(source, now() + kRetryRead);
}

}  // namespace logboom::source
