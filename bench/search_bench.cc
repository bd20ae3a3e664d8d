// The searcher alone over blocks in memory: how long each query takes, against the bytes it stands for. No SQLite, no
// disk.
//
//   search_bench [--runs N] [--workers N] [--mode count|histogram|newest] [--query Q]... FILE...
//   search_bench --check [--query Q]... FILE...    compares every count with looking at each record; 1 when they differ
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <time.h>

#include "logstore/embedded/search/searcher.h"
#include "logstore/embedded/search/testing/memory_view.h"
#include "logstore/query/matcher.h"
#include "parse/annotate.h"
#include "parse/splitter.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::size_t kBlockBytes = 2u << 20;

struct Options {
  int runs = 5;
  unsigned workers = 0;
  std::string mode;  // empty: all of them
  bool check = false;
  std::vector<std::string> queries;
  std::vector<std::string> files;
};

Options options_of(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--runs" && i + 1 < argc) {
      options.runs = std::atoi(argv[++i]);
    } else if (arg == "--workers" && i + 1 < argc) {
      options.workers = static_cast<unsigned>(std::atoi(argv[++i]));
    } else if (arg == "--mode" && i + 1 < argc) {
      options.mode = argv[++i];
    } else if (arg == "--check") {
      options.check = true;
    } else if (arg == "--query" && i + 1 < argc) {
      options.queries.emplace_back(argv[++i]);
    } else {
      options.files.push_back(arg);
    }
  }
  if (options.queries.empty()) {
    options.queries = {"zzabsentzz", "timeout",      "error", "GET",         "*imeou*",
                       "/time.ut/",  "/[0-9]{5}ms/", "-info", "level:error", ""};
  }
  return options;
}

// The file in blocks, as the store would cut it; returns its bytes.
std::uint64_t load(const std::string& path, std::uint64_t number, MemoryView& view) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return 0;
  auto splitter = parse::RecordSplitter::make({});
  parse::RecordSplitter::Carry carry;
  parse::AnnotateCarry annotations;
  std::string bytes;
  std::uint64_t begin = 0;
  bool end = false;
  while (!end) {
    const std::size_t kept = bytes.size();
    bytes.resize(kBlockBytes);
    const std::size_t got = std::fread(bytes.data() + kept, 1, kBlockBytes - kept, file);
    bytes.resize(kept + got);
    end = got == 0;
    Batch batch;
    const auto at_end = end ? parse::AtEnd::kFlush : parse::AtEnd::kHold;
    const auto cut = (*splitter)->split(bytes, at_end, carry, batch.records);
    batch.source = {number, 1};
    batch.channel = "default";
    batch.state.host = "bench";
    batch.state.path = path;
    batch.begin = begin, batch.end = begin += cut.consumed;
    batch.bytes = bytes.substr(0, cut.consumed);
    batch.trailing_blank = cut.trailing_blank;
    batch.arrival = 1'795'000'000 * kNsPerSecond;
    batch.format = !bytes.empty() && bytes.front() == '{' ? Format::kJson : Format::kText;
    parse::annotate(batch, 0, annotations);
    bytes.erase(0, cut.consumed);
    if (!batch.records.empty()) {
      std::vector<Batch> one;
      one.push_back(std::move(batch));
      view.commit_block(std::move(one));
    }
  }
  std::fclose(file);
  return begin;
}

struct Silent final : SearchVisitor {
  bool on_rows(std::vector<Row> rows) override {
    count += rows.size();
    return true;
  }
  std::size_t count = 0;
};

struct Mode {
  const char* name;
  std::uint64_t limit;
  bool count;
  TimeNs step;
};

// Of all threads: what a loaded machine cannot stretch.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void measure(LogSearcher& searcher, const Options& options, const std::string& text, const Mode& mode,
             std::uint64_t bytes) {
  SearchRequest request;
  request.query = query::parse(text)->root;
  request.limit = mode.limit;
  request.count_all = mode.count;
  request.histogram_step = mode.step;
  std::vector<double> seconds;
  std::vector<double> cpu;
  SearchStats stats;
  for (int i = 0; i < options.runs; ++i) {
    Silent visitor;
    const auto start = std::chrono::steady_clock::now();
    const double cpu_start = cpu_seconds();
    const auto result = searcher.search(request, visitor, {});
    cpu.push_back(cpu_seconds() - cpu_start);
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    if (result.ok()) stats = result->stats;
  }
  std::sort(seconds.begin(), seconds.end());
  std::sort(cpu.begin(), cpu.end());
  const double median = seconds[seconds.size() / 2];
  const double cpu_median = cpu[cpu.size() / 2];
  const double per_4gb = 4e12 / static_cast<double>(bytes);
  fmt::print(
      "{:<14} {:<10} {:>8.2f} ms, CPU {:>8.2f} ms; per 4 GB {:>8.1f} ms, CPU {:>8.1f} ms; {:>8} records, {:>4}/{} "
      "blocks\n",
      text, mode.name, median * 1e3, cpu_median * 1e3, median * per_4gb, cpu_median * per_4gb, stats.records,
      stats.blocks_read, stats.blocks_total);
}

// Looks at each record that a search for everything gives.
struct Checker final : SearchVisitor {
  bool on_rows(std::vector<Row> rows) override {
    for (const Row& row : rows) {
      query::RecordView view;
      view.text = row.text, view.host = row.host, view.path = row.path, view.channel = row.channel;
      view.source = row.source, view.level = row.level, view.format = row.format, view.constants = &row.fields;
      for (std::size_t i = 0; i < matchers.size(); ++i) counts[i] += matchers[i].matches(view, scratch) ? 1 : 0;
    }
    return true;
  }
  std::vector<query::Matcher> matchers;
  std::vector<std::uint64_t> counts;
  query::Matcher::Scratch scratch;
};

// The number of queries whose count is wrong.
int check(LogSearcher& searcher, const Options& options) {
  Checker checker;
  for (const std::string& text : options.queries) {
    auto matcher = query::Matcher::compile(query::parse(text)->root);
    if (!matcher.ok()) return 1;
    checker.matchers.push_back(std::move(*matcher));
  }
  checker.counts.resize(checker.matchers.size());
  SearchRequest everything;
  everything.limit = UINT64_MAX;
  if (!searcher.search(everything, checker, {}).ok()) return 1;
  int wrong = 0;
  for (std::size_t i = 0; i < options.queries.size(); ++i) {
    SearchRequest request;
    request.query = query::parse(options.queries[i])->root;
    request.limit = 0;
    request.count_all = true;
    Silent visitor;
    const auto result = searcher.search(request, visitor, {});
    const std::uint64_t found = result.ok() ? result->stats.records : UINT64_MAX;
    if (found == checker.counts[i]) continue;
    ++wrong;
    fmt::print("{}: {} records, {} by looking at each\n", options.queries[i], found, checker.counts[i]);
  }
  fmt::print("{} queries, {} wrong\n", options.queries.size(), wrong);
  return wrong;
}

int run(int argc, char** argv) {
  const Options options = options_of(argc, argv);
  MemoryView view;
  std::uint64_t bytes = 0;
  std::uint64_t number = 0;
  for (const std::string& file : options.files) bytes += load(file, ++number, view);
  if (bytes == 0) {
    fmt::print(stderr,
               "usage: search_bench [--runs N] [--workers N] [--mode count|histogram|newest] [--query Q]... FILE...\n");
    return 2;
  }
  fmt::print("{} blocks, {:.1f} MB raw\n", view.blocks(), static_cast<double>(bytes) * 1e-6);
  SystemClock clock;
  const auto searcher = make_searcher(view, clock, {options.workers, 64u << 20});
  if (options.check) return check(*searcher, options) == 0 ? 0 : 1;
  const Mode modes[] = {
      {"count", 0, true, 0}, {"histogram", 0, true, 60 * kNsPerSecond}, {"newest 100", 100, false, 0}};
  for (const std::string& text : options.queries) {
    for (const Mode& mode : modes) {
      if (!std::string_view(mode.name).starts_with(options.mode)) continue;
      measure(*searcher, options, text, mode, bytes);
    }
  }
  return 0;
}

}  // namespace
}  // namespace logboom::logstore::embedded

int main(int argc, char** argv) {
  return logboom::logstore::embedded::run(argc, argv);
}
