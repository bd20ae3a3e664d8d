// What the embedded metric store costs, in bytes and seconds of CPU. Directories are emptied first.
//   metric_bench size FILE DIR          real samples in line protocol (host_bench record): bytes per value
//   metric_bench fleet DIR [HOSTS [S]]  so many hosts (1000), a sample each every 10 s for so long (1300 s): CPU share
//   metric_bench year DIR               a year of one host's samples, a minute apart; then the hourly tier is asked
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include <fmt/format.h>
#include <sys/resource.h>

#include "base/check.h"
#include "io/sqlite/database.h"
#include "metricstore/embedded/embedded_metric_store.h"

namespace {

using namespace logboom;
using namespace logboom::metricstore;

constexpr TimeNs kStart = 1'700'006'400 * kNsPerSecond;
constexpr TimeNs kHour = 3600 * kNsPerSecond;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * 4096;
}

// A store on the real disk with a clock that runs as the samples say.
class Bench {
 public:
  Bench(const std::string& directory, std::chrono::minutes age_to_chunk) : files_(open_posix_file_system()) {
    std::filesystem::remove_all(directory);
    options_.directory = std::filesystem::absolute(directory);
    options_.free_space_floor = 0;
    options_.age_to_chunk = age_to_chunk;
    if (age_to_chunk > std::chrono::hours(1)) options_.rows_to_chunk = 1000;
    open();
  }
  void open() {
    store_.reset();
    auto opened = open_embedded_metric_store(options_, *files_, clock_, registry_);
    LB_CHECK(opened.ok());
    store_ = std::move(*opened);
  }
  // Everything into chunks, and the log into the file.
  void finish() {
    clock_.advance(std::chrono::hours(1));
    LB_CHECK(store_->append({"last", "", "", {{clock_.now(), "x", {}, {{"x", 1.0}}}}}, {}, {}).ok());
    LB_CHECK(store_->flush().ok());
    LB_CHECK(store_->close().ok());
    open();
  }
  void put(SampleBatch batch) {
    for (const Sample& sample : batch.samples) values_ += sample.fields.size();
    LB_CHECK(store_->append(std::move(batch), [](const Status& status) { LB_CHECK(status.ok()); }, {}).ok());
  }
  void at(TimeNs time) {
    if (time > clock_.now()) clock_.advance(std::chrono::nanoseconds(time - clock_.now()));
  }
  MetricStore& store() { return *store_; }
  std::uint64_t values() const { return values_; }
  // Of the rows of chunks, by tier.
  std::string chunk_bytes();

 private:
  EmbeddedMetricOptions options_;
  std::unique_ptr<FileSystem> files_;
  ManualClock clock_{kStart};
  Registry registry_;
  std::unique_ptr<MetricStore> store_;
  std::uint64_t values_ = 0;
};

std::string Bench::chunk_bytes() {
  LB_CHECK(store_->close().ok());
  store_.reset();
  sqlite::Vfs vfs(*files_);
  auto database =
      sqlite::Database::open(vfs, options_.directory + "/metrics.db", {.access = sqlite::Access::kReadOnly});
  LB_CHECK(database.ok());
  std::string out;
  for (int tier = 0; tier < 3; ++tier) {
    const auto bytes = (*database)->query_int(fmt::format(
        "SELECT coalesce(sum(length(row)), 0) FROM chunk WHERE id >= {0} << 61 AND id < ({0} << 61) + (1 << 61)",
        tier));
    LB_CHECK(bytes.ok());
    out += fmt::format("{}{}", out.empty() ? "[" : ",", *bytes);
  }
  return out + "]";
}

// ---- size

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= text.size();) {
    std::size_t end = text.find(by, at);
    while (end != std::string_view::npos && end > 0 && text[end - 1] == '\\') end = text.find(by, end + 1);
    end = std::min(end, text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::pair<std::string, std::string_view> pair_of(std::string_view text) {
  const std::size_t equals = text.find('=');
  return {std::string(text.substr(0, equals)), text.substr(equals + 1)};
}

Sample parse_line(std::string_view line) {
  const auto parts = split(line, ' ');
  LB_CHECK(parts.size() == 3);
  Sample sample;
  std::from_chars(parts[2].data(), parts[2].data() + parts[2].size(), sample.time);
  const auto head = split(parts[0], ',');
  sample.measurement = head[0];
  for (std::size_t i = 1; i < head.size(); ++i) {
    const auto [name, value] = pair_of(head[i]);
    if (name == "host") continue;
    sample.tags.push_back({name, std::string(value)});
  }
  std::sort(sample.tags.begin(), sample.tags.end());
  for (const std::string_view field : split(parts[1], ',')) {
    const auto [name, value] = pair_of(field);
    if (value == "true" || value == "false") {
      sample.fields.push_back({name, value == "true"});
    } else if (value.back() == 'i') {
      std::int64_t number = 0;
      std::from_chars(value.data(), value.data() + value.size() - 1, number);
      sample.fields.push_back({name, number});
    } else {
      double number = 0;
      std::from_chars(value.data(), value.data() + value.size(), number);
      sample.fields.push_back({name, number});
    }
  }
  return sample;
}

int size_of(const std::string& file, const std::string& directory) {
  std::ifstream in(file);
  std::map<TimeNs, std::vector<Sample>> batches;
  for (std::string line; std::getline(in, line);) {
    Sample sample = parse_line(line);
    batches[sample.time].push_back(std::move(sample));
  }
  Bench bench(directory, std::chrono::minutes(20));
  for (auto& [time, samples] : batches) {
    bench.at(time);
    bench.put({"host", "10.0.0.1", "system", std::move(samples)});
  }
  LB_CHECK(bench.store().flush().ok());
  const std::uint64_t values = bench.values();
  bench.finish();
  fmt::print("{{\"values\":{},\"samples\":{},\"bytes\":{}}}\n", values, batches.size(), bench.chunk_bytes());
  return 0;
}

// ---- fleet

SampleBatch host_batch(std::size_t host, std::int64_t tick) {
  SampleBatch batch{fmt::format("host-{:04}", host), "10.0.0.1", "system", {}};
  const TimeNs time = kStart + tick * 10 * kNsPerSecond;
  std::uint64_t random = host * 0x9e3779b97f4a7c15ULL + static_cast<std::uint64_t>(tick) * 0xc2b2ae3d27d4eb4fULL;
  const auto noise = [&](std::uint64_t below) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (random >> 33) % below;
  };
  const auto series = [&](const char* measurement, std::vector<SampleTag> tags, int doubles, int integers) {
    Sample sample{time, measurement, std::move(tags), {}};
    for (int i = 0; i < doubles; ++i)
      sample.fields.push_back({fmt::format("percent{}", i), static_cast<double>(noise(10'000)) / 100});
    for (int i = 0; i < integers; ++i) {
      const auto grown = static_cast<std::uint64_t>(tick) * 5000;
      sample.fields.push_back({fmt::format("count{}", i), static_cast<std::int64_t>(grown + noise(5000))});
    }
    batch.samples.push_back(std::move(sample));
  };
  for (int cpu = 0; cpu < 9; ++cpu) series("cpu", {{"cpu", std::to_string(cpu)}}, 9, 0);
  series("load", {}, 3, 1);
  series("memory", {}, 3, 12);
  for (int disk = 0; disk < 3; ++disk) series("disk", {{"device", std::to_string(disk)}}, 2, 8);
  for (int disk = 0; disk < 2; ++disk) series("diskio", {{"device", std::to_string(disk)}}, 6, 5);
  for (int net = 0; net < 2; ++net) series("net", {{"interface", std::to_string(net)}}, 8, 8);
  series("processes", {}, 3, 8);
  for (int name = 0; name < 10; ++name) series("process", {{"name", std::to_string(name)}}, 1, 4);
  return batch;
}

int fleet(const std::string& directory, std::size_t hosts, std::int64_t seconds) {
  Bench bench(directory, std::chrono::minutes(20));
  double spent = 0;
  for (std::int64_t tick = 0; tick < seconds / 10; ++tick) {
    std::vector<SampleBatch> batches;
    for (std::size_t host = 0; host < hosts; ++host) batches.push_back(host_batch(host, tick));
    // Fifty commits in ten seconds, as the group commit does.
    const double before = cpu_seconds();
    for (std::size_t host = 0; host < hosts; ++host) {
      if (host % std::max<std::size_t>(1, hosts / 50) == 0)
        bench.at(kStart + tick * 10 * kNsPerSecond +
                 static_cast<TimeNs>(host) * 10 * kNsPerSecond / static_cast<TimeNs>(hosts));
      bench.put(std::move(batches[host]));
      if (host % std::max<std::size_t>(1, hosts / 50) == 0) LB_CHECK(bench.store().flush().ok());
    }
    LB_CHECK(bench.store().flush().ok());
    spent += cpu_seconds() - before;
  }
  const MetricStats stats = bench.store().stats();
  fmt::print(
      "{{\"hosts\":{},\"series\":{},\"values\":{},\"seconds\":{},\"cpu\":{:.3f},\"percent\":{:.2f},\"resident\":{},"
      "\"bytes\":{}}}\n",
      hosts, stats.series, bench.values(), seconds, spent, 100 * spent / static_cast<double>(seconds), resident_bytes(),
      stats.bytes_on_disk);
  return 0;
}

// ---- year

class Counting final : public MetricVisitor {
 public:
  bool on_line(MetricLine line) override {
    points += line.times.size();
    return true;
  }
  std::uint64_t points = 0;
};

int year(const std::string& directory) {
  Bench bench(directory, std::chrono::hours(12));  // a year is written in a minute, not in days
  constexpr std::int64_t kMinutes = 365 * 24 * 60;
  for (std::int64_t minute = 0; minute < kMinutes; ++minute) {
    const TimeNs time = kStart + minute * 60 * kNsPerSecond;
    SampleBatch batch = host_batch(1, minute);
    batch.samples.resize(12);
    for (Sample& sample : batch.samples) sample.time = time;
    bench.at(time);
    bench.put(std::move(batch));
    if (minute % 5000 == 0) LB_CHECK(bench.store().flush().ok());
  }
  bench.finish();
  MetricQuery query;
  query.measurement = "cpu";
  query.tags = {{"cpu", "0"}};
  query.from = kStart;
  query.to = kStart + 366 * 24 * kHour;
  query.step = std::chrono::hours(1);
  std::string rounds;
  std::uint64_t points = 0;
  for (int round = 0; round < 5; ++round) {
    query.fields = round < 4 ? std::vector<std::string>{"percent0"} : std::vector<std::string>();
    Counting counting;
    const auto began = std::chrono::steady_clock::now();
    const double cpu = cpu_seconds();
    const auto answer = bench.store().query(query, counting, {});
    LB_CHECK(answer.ok());
    points = counting.points;
    rounds += fmt::format("{}{{\"ms\":{:.1f},\"cpu_ms\":{:.1f},\"points\":{}}}", round == 0 ? "" : ",",
                          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count(),
                          (cpu_seconds() - cpu) * 1000, points);
  }
  fmt::print("{{\"rounds\":[{}],\"bytes\":{}}}\n", rounds, bench.store().stats().bytes_on_disk);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto number = [&](std::size_t index, std::size_t absent) {
    return words.size() > index ? static_cast<std::size_t>(std::stoul(words[index])) : absent;
  };
  if (words.size() == 3 && words[0] == "size") return size_of(words[1], words[2]);
  if (words.size() >= 2 && words[0] == "fleet")
    return fleet(words[1], number(2, 1000), static_cast<std::int64_t>(number(3, 1300)));
  if (words.size() == 2 && words[0] == "year") return year(words[1]);
  std::cerr << "usage: metric_bench size FILE DIR | fleet DIR [HOSTS [SECONDS]] | year DIR\n";
  return 2;
}
