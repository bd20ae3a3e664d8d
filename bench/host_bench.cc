// What one look at this host costs, and all its samples: CPU time of the thread, by the kernel's account.
#include <algorithm>
#include <cstdio>
#include <vector>

#include <time.h>

#include "source/host/host_reader.h"
#include "source/host/samples.h"
#include "transport/sample_message.h"

namespace {

double thread_cpu_us() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

}  // namespace

int main() {
  using namespace logboom;
  constexpr int kLooks = 200;
  source::host::HostReader reader({});
  source::host::HostReadings before;
  const SystemClock clock;
  std::vector<double> looks;
  std::vector<double> messages;
  std::size_t samples = 0;
  std::size_t bytes = 0;
  for (int i = 0; i < kLooks; ++i) {
    const double began = thread_cpu_us();
    source::host::HostReadings now;
    reader.look(clock.monotonic(), now);
    SampleBatch batch{"bench", "", "system", source::host::make_samples(before, now, clock.now(), 100)};
    before = std::move(now);
    const double taken = thread_cpu_us();
    bytes = transport::sample_lines(batch).size();
    looks.push_back(taken - began);
    messages.push_back(thread_cpu_us() - taken);
    samples = batch.samples.size();
  }
  std::ranges::sort(looks);
  std::ranges::sort(messages);
  std::printf("host: %zu processes, %zu samples in one look\n", static_cast<std::size_t>(before.processes->total),
              samples);
  std::printf("host: look and samples, CPU: median %.0f us, 90%% %.0f us\n", looks[kLooks / 2], looks[kLooks * 9 / 10]);
  std::printf("host: as JSON (%zu bytes), CPU: median %.0f us\n", bytes, messages[kLooks / 2]);
}
