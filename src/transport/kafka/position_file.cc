#include "transport/kafka/position_file.h"

#include <algorithm>

#include "base/log.h"
#include "io/hashing.h"
#include "record/encoding/byte_stream.h"
#include "record/encoding/delivery.h"

namespace logboom::transport::kafka {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::uint64_t kMostBytes = 1u << 30;
constexpr auto kLeastBetween = std::chrono::seconds(1);
constexpr int kShareOfTime = 20;  // a save that takes 100 ms is due every 2 s

// The checksum of the content stands before it.
std::string sealed(const std::string& content) {
  std::string out;
  ByteWriter(out).u64(xxh3_64(content));
  return out + content;
}

Result<std::vector<KnownSource>> parse(std::string_view bytes) {
  ByteReader head(bytes);
  const std::uint64_t checksum = head.u64("checksum");
  if (!head.ok() || xxh3_64(bytes.substr(8)) != checksum)
    return Error(ErrorCode::kCorrupt, "its checksum does not match");
  return decode_known_sources(bytes.substr(8));
}

}  // namespace

Result<std::unique_ptr<PositionFile>> PositionFile::open(FileSystem& files, std::string path) {
  std::unique_ptr<PositionFile> file(new PositionFile(files, std::move(path)));
  auto bytes = read_file(files, file->path_, kMostBytes);
  if (!bytes.ok()) {
    if (bytes.error().code() == ErrorCode::kNotFound) return file;
    return std::move(bytes).error().with_context("cannot read what was delivered to Kafka");
  }
  auto known = parse(*bytes);
  if (!known.ok()) {
    log_error("{}: {}; it is put aside as {}.damaged, and every file is delivered from its beginning again",
              file->path_, known.error().message(), file->path_);
    LB_TRY(files.rename(file->path_, file->path_ + ".damaged"));
    return file;
  }
  file->adopt(std::move(*known));
  return file;
}

bool PositionFile::is_new() const {
  MutexLock lock(mutex_);
  return new_;
}

void PositionFile::adopt(std::vector<KnownSource> known) {
  MutexLock lock(mutex_);
  new_ = false;
  for (KnownSource& source : known) {
    const std::pair key(source.source, source.channel);
    known_.insert_or_assign(key, std::move(source));
  }
}

bool PositionFile::has_changed() const {
  MutexLock lock(mutex_);
  return !unnoted_.empty();
}

std::vector<KnownSource> PositionFile::take_changed() {
  MutexLock lock(mutex_);
  std::vector<KnownSource> out;
  for (const SourceId& source : std::exchange(unnoted_, {})) {
    for (auto at = known_.lower_bound({source, ""}); at != known_.end() && at->first.first == source; ++at)
      out.push_back(at->second);
  }
  return out;
}

std::vector<KnownSource> PositionFile::known() const {
  MutexLock lock(mutex_);
  std::vector<KnownSource> out;
  out.reserve(known_.size());
  for (const auto& [key, source] : known_) out.push_back(source);
  return out;
}

namespace {

void add_marks(const std::vector<PrefixMark>& marks, KnownSource& known) {
  for (const PrefixMark& mark : marks) {
    const auto at = std::lower_bound(known.marks.begin(), known.marks.end(), mark.offset,
                                     [](const PrefixMark& m, std::uint64_t offset) { return m.offset < offset; });
    if (at == known.marks.end() || at->offset != mark.offset) known.marks.insert(at, mark);
  }
}

}  // namespace

bool PositionFile::sending(const Batch& batch) {
  const bool leaves_out = batch.disposition == Disposition::kDropped && batch.cause == kStartAtEnd;
  if (batch.marks.empty() && !leaves_out) return false;
  MutexLock lock(mutex_);
  const auto [at, fresh] = known_.try_emplace({batch.source, batch.channel});
  KnownSource& known = at->second;
  if (fresh) {
    known.source = batch.source;
    known.channel = batch.channel;
    known.epoch = batch.epoch;
    known.state = batch.state;
    known.state.position = 0;
    known.state.guard.clear();
    known.state.finished = false;
  }
  if (known.epoch != batch.epoch) return false;  // the epoch before is not delivered yet
  const std::size_t before = known.marks.size();
  add_marks(batch.marks, known);
  const std::uint64_t starts_at = leaves_out && !known.coverage.contains(batch.begin, batch.end) ? batch.end : 0;
  const bool starts = starts_at > std::exchange(known.starts_at, std::max(known.starts_at, starts_at));
  if (known.marks.size() == before && !starts) return false;
  unnoted_.insert(batch.source);
  changed_ = true;
  return true;
}

void PositionFile::delivered(const Batch& batch) {
  MutexLock lock(mutex_);
  KnownSource& known = known_[{batch.source, batch.channel}];
  if (batch.epoch < known.epoch) return;
  if (batch.epoch > known.epoch) known = {};
  known.source = batch.source;
  known.channel = batch.channel;
  known.epoch = batch.epoch;
  known.coverage.add(batch.begin, batch.end);
  if (known.coverage.contiguous_end(known.state.inherited) >= known.starts_at) known.starts_at = 0;
  add_marks(batch.marks, known);
  if (batch.state.position >= known.state.position) known.state = batch.state;
  unnoted_.insert(batch.source);
  changed_ = true;
}

void PositionFile::save_when_due() {
  const auto began = SteadyClock::now();
  {
    MutexLock lock(mutex_);
    if (!changed_ || began < due_) return;
  }
  const Status saved = save();
  if (!saved.ok()) log_warn("{}", saved.error().message());
  const auto took = SteadyClock::now() - began;
  MutexLock lock(mutex_);
  due_ = SteadyClock::now() + std::max<SteadyClock::duration>(kLeastBetween, took * kShareOfTime);
}

Status PositionFile::save() {
  {
    MutexLock lock(mutex_);
    if (!changed_) return {};
    changed_ = false;
  }
  Status saved = replace_file(files_, path_, sealed(encode_known_sources(known())));
  if (saved.ok()) return saved;
  MutexLock lock(mutex_);
  changed_ = true;
  return saved.error().with_context("cannot note what was delivered to Kafka");
}

}  // namespace logboom::transport::kafka
