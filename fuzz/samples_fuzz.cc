// Samples as JSON lines: what is read writes again to the same samples. The same bytes as what /proc and /sys say: no
// text of theirs is taken for granted.
#include <cmath>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "http/json.h"
#include "source/host/proc_text.h"
#include "transport/sample_message.h"

namespace {

using namespace logboom;

void check_lines(std::string_view text) {
  const auto batches = transport::read_sample_lines(text);
  if (!batches.ok()) return;
  for (const SampleBatch& batch : *batches) {
    for (const Sample& sample : batch.samples) {
      LB_CHECK(!sample.measurement.empty() && !sample.fields.empty());
      for (const SampleField& field : sample.fields) {
        if (const auto* number = std::get_if<double>(&field.value)) LB_CHECK(std::isfinite(*number));
      }
    }
    const auto again = transport::read_sample_lines(transport::sample_lines(batch));
    LB_CHECK(again.ok() && again->size() == 1 && again->front() == batch);
  }
}

void check_texts(std::string_view text) {
  using namespace source::host;
  CpuReading cpu;
  if (parse_stat(text, cpu)) LB_CHECK(cpu.cores.size() <= kMostCores);
  MemoryReading memory;
  if (parse_meminfo(text, memory)) LB_CHECK(memory[MemoryKey::kMemTotal] > 0);
  PagingReading paging;
  (void)parse_vmstat(text, paging);
  LoadReading load;
  if (parse_loadavg(text, load)) LB_CHECK(load.load1 >= 0 && std::isfinite(load.load1));
  PressureReading pressure;
  (void)parse_pressure(text, pressure);
  std::vector<DiskActivity> disks;
  (void)parse_diskstats(text, disks);
  std::vector<InterfaceReading> interfaces;
  (void)parse_net_dev(text, interfaces);
  FilesReading files;
  (void)parse_file_nr(text, files);
  ProcessStat process;
  (void)parse_process_stat(text, process);
  std::vector<Mount> mounts;
  if (parse_mountinfo(text, mounts)) {
    LB_CHECK(mounts.size() <= kMostDevices);
    for (const Mount& mount : mounts) LB_CHECK(http::is_utf8(mount.shown.mount) && mount.path.starts_with('/'));
  }
  (void)parse_number(text);
  (void)parse_cpu_max(text);
  (void)parse_keyed(text, "usage_usec");
  LB_CHECK(http::is_utf8(parse_os_release(text)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_lines(text);
  check_texts(text);
  return 0;
}
