// Looks at this host.
//   host_bench                        what a look costs, and all its samples: CPU time of the thread, by the kernel's
//   account host_bench record N SECONDS FILE  N looks so far apart, their samples in line protocol as of every ten
//   seconds; no strings
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <time.h>
#include <unistd.h>

#include "metricstore/influxdb/line_protocol.h"
#include "source/host/host_reader.h"
#include "source/host/samples.h"
#include "transport/sample_message.h"

namespace {

using namespace logboom;

double thread_cpu_us() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

// One look after another.
class Looks {
 public:
  SampleBatch next(TimeNs time) {
    source::host::HostReadings now;
    reader_.look(clock_.monotonic(), now);
    SampleBatch batch{"bench", "", "system",
                      source::host::make_samples(before_, now, time, static_cast<double>(::sysconf(_SC_CLK_TCK)))};
    before_ = std::move(now);
    return batch;
  }
  std::uint64_t processes() const { return before_.processes ? before_.processes->total : 0; }

 private:
  SystemClock clock_;
  source::host::HostReader reader_{{}};
  source::host::HostReadings before_;
};

int cost() {
  constexpr int kLooks = 200;
  Looks host;
  std::vector<double> looks;
  std::vector<double> messages;
  std::size_t samples = 0;
  std::size_t bytes = 0;
  for (int i = 0; i < kLooks; ++i) {
    const double began = thread_cpu_us();
    const SampleBatch batch = host.next(SystemClock().now());
    const double taken = thread_cpu_us();
    bytes = transport::sample_lines(batch).size();
    looks.push_back(taken - began);
    messages.push_back(thread_cpu_us() - taken);
    samples = batch.samples.size();
  }
  std::ranges::sort(looks);
  std::ranges::sort(messages);
  std::printf(
      "{\"processes\":%llu,\"samples\":%zu,\"look_us\":%.0f,\"look_us_90\":%.0f,\"json_bytes\":%zu,\"json_us\":%.0f}\n",
      static_cast<unsigned long long>(host.processes()), samples, looks[kLooks / 2], looks[kLooks * 9 / 10], bytes,
      messages[kLooks / 2]);
  return 0;
}

int record(int count, int seconds, const std::string& file) {
  namespace influxdb = metricstore::influxdb;
  std::ofstream out(file);
  Looks host;
  static_cast<void>(host.next(0));
  const TimeNs first = SystemClock().now() / (10 * kNsPerSecond) * 10 * kNsPerSecond;
  for (int i = 0; i < count; ++i) {
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
    for (const Sample& sample : host.next(first + i * 10 * kNsPerSecond).samples) {
      std::vector<std::string> fields;
      for (const SampleField& field : sample.fields)
        if (!std::holds_alternative<std::string>(field.value)) fields.push_back(influxdb::line_field(field));
      if (!fields.empty()) out << influxdb::line_of(influxdb::line_head("bench", "", sample), fields, sample.time);
    }
  }
  return out.flush() ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  if (count == 5 && std::string(words[1]) == "record")
    return record(std::atoi(words[2]), std::atoi(words[3]), words[4]);
  if (count == 1) return cost();
  std::fprintf(stderr, "usage: host_bench [record N SECONDS FILE]\n");
  return 2;
}
