// How fast a file becomes records: file > split + annotate > discard, against reading the same file and finding its LFs
// with memchr. Both per CPU second, medians of five runs that alternate; prints both and the ratio.
//
//   parse_bench FILE [--format text|json] [--multiline none|auto]
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "parse/annotate.h"
#include "parse/splitter.h"

namespace logboom::parse {
namespace {

constexpr std::size_t kChunk = 1u << 20;  // as the file collector reads
constexpr int kRuns = 5;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Run {
  double seconds = 0;
  std::uint64_t bytes = 0;
  std::uint64_t lines = 0;
  std::uint64_t timed = 0;
  std::uint64_t levelled = 0;
  double gb_per_second() const { return static_cast<double>(bytes) / seconds * 1e-9; }
};

// Reads until the buffer is full; the bytes read.
std::size_t read_into(int file, char* at, std::size_t room) {
  const ssize_t n = read(file, at, room);
  return n > 0 ? static_cast<std::size_t>(n) : 0;
}

Run run_memchr(int file) {
  Run run;
  std::vector<char> buffer(kChunk);
  lseek(file, 0, SEEK_SET);
  const double start = cpu_seconds();
  for (std::size_t n = 0; (n = read_into(file, buffer.data(), buffer.size())) > 0; run.bytes += n) {
    const char* at = buffer.data();
    const char* const end = at + n;
    while (at != end && (at = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at))))) {
      ++at;
      ++run.lines;
    }
  }
  run.seconds = cpu_seconds() - start;
  return run;
}

struct Options {
  Format format = Format::kText;
  SplitOptions split;
  bool annotate = true;
};

Run run_records(int file, const Options& options) {
  Run run;
  const auto splitter = RecordSplitter::make(options.split).value().release();
  const std::unique_ptr<RecordSplitter> owner(splitter);
  lseek(file, 0, SEEK_SET);
  RecordSplitter::Carry carry;
  AnnotateCarry annotate_carry;
  Batch batch;
  batch.format = options.format;
  batch.arrival = 1'795'000'000 * kNsPerSecond;
  batch.bytes.resize(kChunk);
  const double start = cpu_seconds();
  std::size_t held = 0;
  for (bool last = false; !last;) {
    const std::size_t n = read_into(file, batch.bytes.data() + held, kChunk - held);
    last = n == 0;
    run.bytes += n;
    batch.records.clear();
    batch.bytes.resize(held + n);  // shorter only at the end
    const std::string_view bytes = batch.bytes;
    const SplitResult split = splitter->split(bytes, last ? AtEnd::kFlush : AtEnd::kHold, carry, batch.records);
    if (options.annotate) annotate(batch, 0, annotate_carry);
    run.lines += batch.records.size();
    for (const Record& r : batch.records) {
      run.timed += r.time_origin == TimeOrigin::kParsed;
      run.levelled += r.level != Level::kNone;
    }
    held = bytes.size() - split.consumed;
    std::memmove(batch.bytes.data(), batch.bytes.data() + split.consumed, held);
    batch.bytes.resize(kChunk);
  }
  run.seconds = cpu_seconds() - start;
  return run;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int measure(const char* path, const Options& options) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    fmt::print(stderr, "cannot open {}: {}\n", path, std::strerror(errno));
    return 1;
  }
  run_memchr(file);  // warms the page cache
  std::vector<double> base;
  std::vector<double> split;
  std::vector<double> full;
  Run last;
  for (int i = 0; i < kRuns; ++i) {
    base.push_back(run_memchr(file).gb_per_second());
    Options only = options;
    only.annotate = false;
    split.push_back(run_records(file, only).gb_per_second());
    last = run_records(file, options);
    full.push_back(last.gb_per_second());
  }
  close(file);
  const double b = median(base);
  const double f = median(full);
  fmt::print(
      "{{\"file\":\"{}\",\"bytes\":{},\"records\":{},\"with_time\":{},\"with_level\":{},"
      "\"memchr_gb_per_cpu_s\":{:.3f},\"split_gb_per_cpu_s\":{:.3f},\"records_gb_per_cpu_s\":{:.3f},"
      "\"ns_per_record\":{:.1f},\"ratio\":{:.3f}}}\n",
      path, last.bytes, last.lines, last.timed, last.levelled, b, median(split), f,
      static_cast<double>(last.bytes) / f / static_cast<double>(last.lines), f / b);
  return 0;
}

int run(int argc, char** argv) {
  Options options;
  const char* path = nullptr;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const std::string_view value = i + 1 < argc ? argv[i + 1] : "";
    if (word == "--format") {
      options.format = value == "json" ? Format::kJson : Format::kText;
      ++i;
    } else if (word == "--multiline") {
      options.split.multiline = value == "none" ? MultilineMode::kNone : MultilineMode::kAuto;
      ++i;
    } else {
      path = argv[i];
    }
  }
  if (path == nullptr) {
    fmt::print(stderr, "usage: parse_bench FILE [--format text|json] [--multiline none|auto]\n");
    return 2;
  }
  return measure(path, options);
}

}  // namespace
}  // namespace logboom::parse

int main(int argc, char** argv) {
  return logboom::parse::run(argc, argv);
}
