#include "app/generate/log_writer.h"

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/pause.h"

namespace logboom::app {
namespace {

constexpr TimeNs kFixedStart = 1'795'132'800 * kNsPerSecond;  // 2026-11-20T00:00:00Z
constexpr TimeNs kMeanGap = 400'000;                          // between events of one file, in simulated time
constexpr std::size_t kBuffer = 1 << 20;

// One file being written, with O_APPEND as loggers open theirs.
class Writer {
 public:
  Writer(std::string path, LineFormat format, std::uint64_t seed, TimeNs start)
      : path_(std::move(path)), maker_(format, seed), time_(start) {}
  ~Writer() { close(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Status open() {
    close();
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor_ < 0) return os_error("create " + path_, errno);
    return {};
  }

  // One event at the given or the simulated time; written when the buffer is full or at flush().
  Status event(std::optional<TimeNs> now) {
    time_ = now ? *now : time_ + maker_.gap(kMeanGap);
    const std::size_t before = buffer_.size();
    lines_ += maker_.append(buffer_, time_);
    bytes_ += buffer_.size() - before;
    return buffer_.size() >= kBuffer ? flush() : Status();
  }

  Status flush() {
    std::size_t done = 0;
    while (done < buffer_.size()) {
      const ssize_t n = ::write(descriptor_, buffer_.data() + done, buffer_.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return os_error("write " + path_, errno);
      done += static_cast<std::size_t>(n);
    }
    buffer_.clear();
    return {};
  }

  Status rotate(Rotation rotation, const std::string& name_pattern, TimeNs now);

  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t lines() const { return lines_; }

 private:
  void close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }
  std::string rotated_name(const std::string& pattern, TimeNs now);
  Status copy_to(const std::string& target);
  Status gzip_to(const std::string& from, const std::string& target);

  std::string path_;
  LineMaker maker_;
  TimeNs time_;
  int descriptor_ = -1;
  std::string buffer_;
  std::uint64_t bytes_ = 0;
  std::uint64_t lines_ = 0;
};

std::string Writer::rotated_name(const std::string& pattern, TimeNs now) {
  namespace fs = std::filesystem;
  if (!pattern.empty()) {
    char name[256];
    const std::time_t seconds = static_cast<std::time_t>(now / kNsPerSecond);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    const std::size_t length = std::strftime(name, sizeof name, pattern.c_str(), &parts);
    const fs::path base = fs::path(path_).parent_path() / std::string(name, length);
    fs::path target = base;
    for (int i = 1; fs::exists(target); ++i) target = base.string() + "." + std::to_string(i);
    return target.string();
  }
  // The way of logrotate: every older copy moves one number up.
  int last = 1;
  const auto numbered = [&](int n, const char* suffix) { return fmt::format("{}.{}{}", path_, n, suffix); };
  while (fs::exists(numbered(last, "")) || fs::exists(numbered(last, ".gz"))) ++last;
  std::error_code ignored;
  for (int n = last; n > 1; --n) {
    for (const char* suffix : {"", ".gz"}) {
      if (fs::exists(numbered(n - 1, suffix))) fs::rename(numbered(n - 1, suffix), numbered(n, suffix), ignored);
    }
  }
  return numbered(1, "");
}

Status Writer::copy_to(const std::string& target) {
  std::error_code error;
  std::filesystem::copy_file(path_, target, std::filesystem::copy_options::overwrite_existing, error);
  if (error) return os_error("copy " + path_ + " to " + target, error.value());
  return {};
}

Status Writer::gzip_to(const std::string& from, const std::string& target) {
  std::FILE* in = std::fopen(from.c_str(), "rbe");
  if (!in) return os_error("read " + from, errno);
  gzFile out = ::gzopen(target.c_str(), "wb1");
  std::vector<char> chunk(kBuffer);
  bool good = out != nullptr;
  while (good) {
    const std::size_t n = std::fread(chunk.data(), 1, chunk.size(), in);
    if (n == 0) break;
    good = ::gzwrite(out, chunk.data(), static_cast<unsigned>(n)) == static_cast<int>(n);
  }
  std::fclose(in);
  if (out && ::gzclose(out) != Z_OK) good = false;
  if (!good) return Error(ErrorCode::kIo, "cannot compress " + from + " to " + target);
  if (::unlink(from.c_str()) != 0) return os_error("remove " + from, errno);
  return {};
}

Status Writer::rotate(Rotation rotation, const std::string& name_pattern, TimeNs now) {
  LB_TRY(flush());
  const std::string target = rotated_name(name_pattern, now);
  if (rotation == Rotation::kCopyTruncate) {
    LB_TRY(copy_to(target));
    if (::ftruncate(descriptor_, 0) != 0) return os_error("truncate " + path_, errno);
    return {};
  }
  if (::rename(path_.c_str(), target.c_str()) != 0) return os_error("rename " + path_ + " to " + target, errno);
  LB_TRY(open());
  return rotation == Rotation::kGzip ? gzip_to(target, target + ".gz") : Status();
}

class Run {
 public:
  Run(const GenerateOptions& options, const Clock& clock) : options_(options), clock_(clock) {}

  Status prepare() {
    const TimeNs start = options_.start.value_or(kFixedStart);
    for (std::size_t i = 0; i < options_.paths.size(); ++i) {
      const LineFormat format = options_.formats[i % options_.formats.size()];
      writers_.push_back(std::make_unique<Writer>(options_.paths[i], format, options_.seed * 1'000'003 + i, start));
      LB_TRY(writers_.back()->open());
    }
    return {};
  }

  Status go(const std::function<void(const GenerateProgress&)>& on_progress, std::stop_token stop) {
    const auto began = std::chrono::steady_clock::now();
    next_rotation_ = began + rotate_every();
    for (std::uint64_t round = 0; !stop.stop_requested(); ++round) {
      if (all_full()) break;
      LB_TRY(one_round());
      LB_TRY(rotate_if_due());
      if (round % 1024 == 0 || options_.rate > 0) on_progress(progress());
      if (options_.rate > 0 && !wait_for_turn(began, stop)) break;
    }
    for (auto& writer : writers_) LB_TRY(writer->flush());
    return {};
  }

  GenerateProgress progress() const {
    GenerateProgress sum;
    for (const auto& writer : writers_) sum.bytes += writer->bytes(), sum.lines += writer->lines();
    return sum;
  }

 private:
  bool all_full() const {
    for (std::size_t i = 0; i < writers_.size(); ++i) {
      if (!full(i)) return false;
    }
    return true;
  }
  std::uint64_t share(std::uint64_t total, std::size_t i) const {
    const std::uint64_t n = writers_.size();
    return total / n + (i < total % n ? 1 : 0);
  }
  bool full(std::size_t i) const {
    if (options_.bytes > 0 && writers_[i]->bytes() >= share(options_.bytes, i)) return true;
    return options_.lines > 0 && writers_[i]->lines() >= share(options_.lines, i);
  }
  std::chrono::milliseconds rotate_every() const {
    return options_.rotate_every.count() > 0 ? options_.rotate_every : std::chrono::milliseconds(1000);
  }
  std::optional<TimeNs> live_time() const {
    if (options_.rate > 0 && !options_.start) return clock_.now();
    return std::nullopt;
  }

  Status one_round() {
    for (std::size_t i = 0; i < writers_.size(); ++i) {
      if (full(i)) continue;
      LB_TRY(writers_[i]->event(live_time()));
      if (options_.rate > 0) LB_TRY(writers_[i]->flush());
    }
    return {};
  }

  Status rotate_if_due() {
    if (options_.rotation == Rotation::kNone || std::chrono::steady_clock::now() < next_rotation_) return {};
    for (auto& writer : writers_) LB_TRY(writer->rotate(options_.rotation, options_.rotate_name, clock_.now()));
    next_rotation_ += rotate_every();
    return {};
  }

  bool wait_for_turn(std::chrono::steady_clock::time_point began, std::stop_token stop) {
    const auto due = began + std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(progress().lines) /
                                                                                options_.rate * 1e9));
    return pause_for(due - std::chrono::steady_clock::now(), stop);
  }

  const GenerateOptions& options_;
  const Clock& clock_;
  std::vector<std::unique_ptr<Writer>> writers_;
  std::chrono::steady_clock::time_point next_rotation_;
};

}  // namespace

Result<GenerateProgress> generate_logs(const GenerateOptions& options, const Clock& clock,
                                       const std::function<void(const GenerateProgress&)>& on_progress,
                                       std::stop_token stop) {
  Run run(options, clock);
  LB_TRY(run.prepare());
  LB_TRY(run.go(on_progress, stop));
  return run.progress();
}

}  // namespace logboom::app
