// How fast the file collector turns files into batches that are thrown away, per CPU second, against reading the same
// files and finding their LFs with memchr. Medians of five runs that alternate; also the peak of resident memory.
//
//   collect_bench FILE ...
//   collect_bench --follow GLOB SECONDS    follows what others write for that long; prints the CPU time it took
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "source/file/file_collector.h"

namespace logboom::source {
namespace {

constexpr int kRuns = 5;
constexpr std::size_t kChunk = 1u << 20;
constexpr std::uint64_t kBudget = 16u << 20;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Peak of resident memory in KB. Not ru_maxrss: that one goes on from the program that started this one.
std::uint64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6));
  }
  return 0;
}

// Acknowledges everything at once and keeps nothing.
class DiscardingEmitter final : public Emitter {
 public:
  DiscardingEmitter() : descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~DiscardingEmitter() override { ::close(descriptor_); }
  Status emit(Batch batch, std::stop_token) override {
    bytes += batch.end - batch.begin;
    for (const Record& record : batch.records) lines += record.lines;
    acks_.push_back({batch.source, batch.channel, batch.epoch, batch.begin, batch.end, {}});
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto put = ::write(descriptor_, &one, sizeof one);
    return {};
  }
  std::vector<Ack> take_acks() override {
    std::uint64_t n = 0;
    [[maybe_unused]] const auto got = ::read(descriptor_, &n, sizeof n);
    return std::exchange(acks_, {});
  }
  int ack_descriptor() const override { return descriptor_; }
  Result<std::vector<KnownSource>> known_sources() override { return std::vector<KnownSource>{}; }

  std::atomic<std::uint64_t> bytes = 0;
  std::uint64_t lines = 0;

 private:
  const int descriptor_;
  std::vector<Ack> acks_;
};

struct Run {
  double seconds = 0;
  std::uint64_t bytes = 0;
  std::uint64_t lines = 0;
  double gb_per_second() const { return static_cast<double>(bytes) / seconds * 1e-9; }
};

Run run_memchr(const std::vector<std::string>& paths) {
  Run run;
  std::vector<char> buffer(kChunk);
  const double start = cpu_seconds();
  for (const std::string& path : paths) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    for (ssize_t n = 0; (n = ::read(file, buffer.data(), buffer.size())) > 0;
         run.bytes += static_cast<std::uint64_t>(n)) {
      const char* at = buffer.data();
      const char* const end = at + n;
      while (at != end && (at = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at))))) {
        ++at;
        ++run.lines;
      }
    }
    ::close(file);
  }
  run.seconds = cpu_seconds() - start;
  return run;
}

Run run_collector(const std::vector<std::string>& paths) {
  FileCollectorOptions options;
  options.one_shot = options.explicit_paths = true;
  config::RuleSet rules;
  for (const std::string& path : paths) {
    config::Rule& rule = rules.rules.emplace_back();
    rule.name = rule.path = path;
  }
  const auto files = open_posix_file_system();
  SystemClock clock;
  MemoryBudget budget(kBudget);
  Registry registry;
  DiscardingEmitter emitter;
  const auto collector = make_file_collector(options, rules, *files, clock, budget, registry);
  const double start = cpu_seconds();
  const Status status = collector->run(emitter, {});
  Run run{cpu_seconds() - start, emitter.bytes, emitter.lines};
  if (!status.ok()) fmt::print(stderr, "{}\n", status.error().message());
  return run;
}

Run median(std::vector<Run> runs) {
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.seconds < b.seconds; });
  return runs[runs.size() / 2];
}

int main_of(const std::vector<std::string>& paths) {
  std::vector<Run> collected;
  std::vector<Run> yardstick;
  for (int i = 0; i < kRuns; ++i) {
    yardstick.push_back(run_memchr(paths));
    collected.push_back(run_collector(paths));
  }
  const Run figure = median(collected);
  const Run stick = median(yardstick);
  fmt::print("collector       {:.2f} GB per CPU second, {:.2f} M lines, {} bytes\n", figure.gb_per_second(),
             static_cast<double>(figure.lines) / figure.seconds * 1e-6, figure.bytes);
  fmt::print("read + memchr   {:.2f} GB per CPU second\nratio           {:.3f}\npeak memory     {} KB\n",
             stick.gb_per_second(), figure.gb_per_second() / stick.gb_per_second(), peak_memory());
  return figure.bytes == stick.bytes ? 0 : 1;
}

int follow(const std::string& glob, int seconds) {
  config::RuleSet rules;
  rules.rules.emplace_back().path = glob;
  const auto files = open_posix_file_system();
  SystemClock clock;
  MemoryBudget budget(kBudget);
  Registry registry;
  DiscardingEmitter emitter;
  const auto collector = make_file_collector({}, rules, *files, clock, budget, registry);
  std::jthread thread([&](std::stop_token stop) { static_cast<void>(collector->run(emitter, stop)); });
  ::sleep(5);  // the first scan is not what is measured
  const double start = cpu_seconds();
  const std::uint64_t before = emitter.bytes;
  ::sleep(static_cast<unsigned>(seconds));
  const double used = cpu_seconds() - start;
  thread.request_stop();
  thread.join();
  fmt::print("{} bytes in {} s: {:.2f} % of one core, {} sources, peak memory {} KB\n", emitter.bytes - before, seconds,
             used / seconds * 100, collector->status().size(), peak_memory());
  return 0;
}

}  // namespace
}  // namespace logboom::source

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: collect_bench FILE ...\n");
    return 2;
  }
  if (argc == 4 && std::string_view(argv[1]) == "--follow") return logboom::source::follow(argv[2], std::atoi(argv[3]));
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    char* real = ::realpath(argv[i], nullptr);
    if (real == nullptr) return fmt::print(stderr, "cannot find {}\n", argv[i]), 3;
    paths.emplace_back(real);
    std::free(real);
  }
  return logboom::source::main_of(paths);
}
