#include "source/host/samples.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "source/host/delta.h"

namespace logboom::source::host {
namespace {

// Fields of one sample at a time.
class SampleWriter {
 public:
  SampleWriter(std::vector<Sample>& out, TimeNs time, double seconds) : out_(out), time_(time), seconds_(seconds) {}

  // Seconds since the look before; 0: there was none.
  double seconds() const { return seconds_; }

  SampleWriter& begin(std::string_view measurement, std::vector<SampleTag> tags = {}) {
    Sample& sample = out_.emplace_back();
    sample.time = time_;
    sample.measurement = measurement;
    sample.tags = std::move(tags);
    return *this;
  }
  // A sample without fields is none.
  void end() {
    if (out_.back().fields.empty()) out_.pop_back();
  }

  SampleWriter& number(const char* name, double value) {
    if (!std::isfinite(value)) return *this;
    return add(name, std::round(value * 1000) / 1000);
  }
  SampleWriter& count(const char* name, std::uint64_t value) {
    return add(name, static_cast<std::int64_t>(std::min<std::uint64_t>(value, INT64_MAX)));
  }
  SampleWriter& text(const char* name, const std::string& value) { return value.empty() ? *this : add(name, value); }
  SampleWriter& truth(const char* name, bool value) { return add(name, value); }
  SampleWriter& percent(const char* name, std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? *this : number(name, 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  }
  // Growth a second, times `factor`.
  SampleWriter& rate(const char* name, std::uint64_t before, std::uint64_t now, double factor = 1) {
    const auto grown = growth(before, now);
    return !grown || seconds_ <= 0 ? *this : number(name, static_cast<double>(*grown) * factor / seconds_);
  }

 private:
  SampleWriter& add(const char* name, FieldValue value) {
    out_.back().fields.push_back({name, std::move(value)});
    return *this;
  }

  std::vector<Sample>& out_;
  const TimeNs time_;
  const double seconds_;
};

std::uint64_t fallen(std::uint64_t before, std::uint64_t now) {
  return before > now ? before - now : 0;
}

template <typename Item, typename Key>
const Item* find_by(const std::vector<Item>& items, const Item& wanted, Key Item::*key) {
  const auto found = std::ranges::find(items, wanted.*key, key);
  return found == items.end() ? nullptr : &*found;
}

// ---------------------------------------------------------------- cpu, load, pressure

// Single times fall by a few ticks now and then (iowait is no exact account): such count as not grown.
void write_cpu(SampleWriter& out, const std::string& name, const CpuTimes& before, const CpuTimes& now) {
  const auto grown = [](std::uint64_t from, std::uint64_t to) { return to > from ? to - from : 0; };
  const std::pair<const char*, std::uint64_t> parts[] = {
      {"user", grown(before.user, now.user)},       {"nice", grown(before.nice, now.nice)},
      {"system", grown(before.system, now.system)}, {"iowait", grown(before.iowait, now.iowait)},
      {"irq", grown(before.irq, now.irq)},          {"softirq", grown(before.softirq, now.softirq)},
      {"steal", grown(before.steal, now.steal)},    {"idle", grown(before.idle, now.idle)}};
  std::uint64_t all = 0;
  for (const auto& [field, ticks] : parts) all += ticks;
  if (all == 0) return;  // the core was off, or no tick has passed
  out.begin("cpu", {{"cpu", name}});
  for (const auto& [field, ticks] : parts) out.percent(field, ticks, all);
  out.percent("used", all - parts[3].second - parts[7].second, all).end();
}

void cpu_samples(SampleWriter& out, const HostReadings& before, const HostReadings& now) {
  if (!before.cpu || !now.cpu) return;
  write_cpu(out, "total", before.cpu->total, now.cpu->total);
  for (const CoreTimes& core : now.cpu->cores) {
    if (const CoreTimes* old = find_by(before.cpu->cores, core, &CoreTimes::core))
      write_cpu(out, std::to_string(core.core), old->times, core.times);
  }
}

void load_samples(SampleWriter& out, const HostReadings& now) {
  if (!now.load) return;
  out.begin("load").number("load1", now.load->load1).number("load5", now.load->load5);
  out.number("load15", now.load->load15).count("running", now.load->running).end();
}

void write_stall(SampleWriter& out, const Stall* before, const Stall& now, const char* share, const char* avg10,
                 const char* avg60, const char* avg300) {
  if (before != nullptr) out.rate(share, before->total_us, now.total_us, 100e-6);
  out.number(avg10, now.avg10).number(avg60, now.avg60).number(avg300, now.avg300);
}

void pressure_samples(SampleWriter& out, const HostReadings& before, const HostReadings& now) {
  for (const PressureReading& reading : now.pressure) {
    const PressureReading* old = find_by(before.pressure, reading, &PressureReading::resource);
    out.begin("pressure", {{"resource", std::string(reading.resource)}});
    write_stall(out, old ? &old->some : nullptr, reading.some, "some", "some_avg10", "some_avg60", "some_avg300");
    if (reading.full) {
      const Stall* old_full = old && old->full ? &*old->full : nullptr;
      write_stall(out, old_full, *reading.full, "full", "full_avg10", "full_avg60", "full_avg300");
    }
    out.end();
  }
}

// ---------------------------------------------------------------- memory, container

// What is left in a container is the less of what it and the host have.
void memory_samples(SampleWriter& out, const HostReadings& before, const HostReadings& now) {
  if (!now.memory) return;
  const MemoryReading& memory = *now.memory;
  std::uint64_t total = memory[MemoryKey::kMemTotal];
  std::uint64_t available = std::min(total, memory[MemoryKey::kMemAvailable]);
  if (now.limits && now.limits->memory_limit && *now.limits->memory_limit < total) {
    total = *now.limits->memory_limit;
    available = std::min(available, fallen(total, now.limits->memory_used));
  }
  const std::uint64_t swap = memory[MemoryKey::kSwapTotal];
  const std::uint64_t swap_used = fallen(swap, memory[MemoryKey::kSwapFree]);
  out.begin("memory").count("total", total).count("used", total - available).count("available", available);
  out.percent("used_percent", total - available, total).count("free", memory[MemoryKey::kMemFree]);
  out.count("buffers", memory[MemoryKey::kBuffers]);
  out.count("cached", memory[MemoryKey::kCached] + memory[MemoryKey::kReclaimable]);
  out.count("shared", memory[MemoryKey::kShmem]).count("dirty", memory[MemoryKey::kDirty]);
  out.count("writeback", memory[MemoryKey::kWriteback]).count("committed", memory[MemoryKey::kCommitted]);
  out.count("swap_total", swap).count("swap_used", swap_used);
  if (swap > 0) out.percent("swap_used_percent", swap_used, swap);
  if (before.paging && now.paging) {
    out.rate("swap_in_rate", before.paging->swapped_in, now.paging->swapped_in);
    out.rate("swap_out_rate", before.paging->swapped_out, now.paging->swapped_out);
    out.rate("major_faults_rate", before.paging->major_faults, now.paging->major_faults);
  }
  if (now.paging) out.count("oom_kills", now.paging->killed);
  out.end();
}

void container_samples(SampleWriter& out, const HostReadings& before, const HostReadings& now) {
  if (!now.limits) return;
  const LimitsReading& limits = *now.limits;
  out.begin("container").count("memory_used", limits.memory_used);
  if (limits.memory_limit) {
    out.count("memory_limit", *limits.memory_limit);
    out.percent("memory_used_percent", limits.memory_used, *limits.memory_limit);
  }
  if (limits.cores) out.number("cpu_limit", *limits.cores);
  if (before.limits) {
    out.rate("cpu_cores", before.limits->cpu_us, limits.cpu_us, 1e-6);
    if (limits.cores && *limits.cores > 0)
      out.rate("cpu_used_percent", before.limits->cpu_us, limits.cpu_us, 100e-6 / *limits.cores);
    out.rate("throttled_percent", before.limits->throttled_us, limits.throttled_us, 100e-6);
  }
  out.end();
}

// ---------------------------------------------------------------- disks, network, files

void disk_samples(SampleWriter& out, const HostReadings& now) {
  for (const DiskSpace& disk : now.disks) {
    const std::uint64_t used = fallen(disk.total, disk.free);
    out.begin("disk", {{"device", disk.device}, {"mount", disk.mount}, {"type", disk.type}});
    out.count("total", disk.total).count("used", used).count("free", disk.free).count("available", disk.available);
    out.percent("used_percent", used, used + disk.available).truth("read_only", disk.read_only);
    if (disk.inodes > 0) {
      const std::uint64_t taken = fallen(disk.inodes, disk.inodes_free);
      out.count("inodes", disk.inodes).count("inodes_used", taken).count("inodes_free", disk.inodes_free);
      out.percent("inodes_used_percent", taken, disk.inodes);
    }
    out.end();
  }
}

// Milliseconds a request, of those that ended between the looks.
void write_wait(SampleWriter& out, const char* name, std::uint64_t ms_before, std::uint64_t ms_now,
                std::uint64_t done_before, std::uint64_t done_now) {
  const auto ms = growth(ms_before, ms_now);
  const auto done = growth(done_before, done_now);
  if (ms && done) out.number(name, *done == 0 ? 0 : static_cast<double>(*ms) / static_cast<double>(*done));
}

void activity_samples(SampleWriter& out, const HostReadings& before, const HostReadings& now) {
  for (const DiskActivity& disk : now.activity) {
    out.begin("diskio", {{"device", disk.device}});
    out.count("read_bytes", disk.sectors_read * kSectorBytes)
        .count("written_bytes", disk.sectors_written * kSectorBytes);
    out.count("reads", disk.reads).count("writes", disk.writes).count("in_flight", disk.in_flight);
    if (const DiskActivity* old = find_by(before.activity, disk, &DiskActivity::device)) {
      out.rate("read_rate", old->sectors_read, disk.sectors_read, static_cast<double>(kSectorBytes));
      out.rate("write_rate", old->sectors_written, disk.sectors_written, static_cast<double>(kSectorBytes));
      out.rate("reads_rate", old->reads, disk.reads).rate("writes_rate", old->writes, disk.writes);
      if (const auto busy = growth(old->busy_ms, disk.busy_ms); busy && out.seconds() > 0)
        out.number("busy", std::min(100.0, static_cast<double>(*busy) / 10 / out.seconds()));
      out.rate("queue", old->weighted_ms, disk.weighted_ms, 1e-3);
      write_wait(out, "read_wait", old->read_ms, disk.read_ms, old->reads, disk.reads);
      write_wait(out, "write_wait", old->write_ms, disk.write_ms, old->writes, disk.writes);
    }
    out.end();
  }
}

void interface_samples(SampleWriter& out, const HostReadings& before, const HostReadings& now) {
  for (const InterfaceReading& interface : now.interfaces) {
    const Traffic& in = interface.received;
    const Traffic& sent = interface.sent;
    out.begin("net", {{"interface", interface.name}});
    out.count("bytes_received", in.bytes).count("bytes_sent", sent.bytes);
    out.count("packets_received", in.packets).count("packets_sent", sent.packets);
    out.count("errors_received", in.errors).count("errors_sent", sent.errors);
    out.count("dropped_received", in.dropped).count("dropped_sent", sent.dropped);
    if (const InterfaceReading* old = find_by(before.interfaces, interface, &InterfaceReading::name)) {
      out.rate("received_rate", old->received.bytes, in.bytes).rate("sent_rate", old->sent.bytes, sent.bytes);
      out.rate("packets_received_rate", old->received.packets, in.packets);
      out.rate("packets_sent_rate", old->sent.packets, sent.packets);
      out.rate("errors_received_rate", old->received.errors, in.errors);
      out.rate("errors_sent_rate", old->sent.errors, sent.errors);
      out.rate("dropped_received_rate", old->received.dropped, in.dropped);
      out.rate("dropped_sent_rate", old->sent.dropped, sent.dropped);
    }
    out.end();
  }
}

void file_samples(SampleWriter& out, const HostReadings& now) {
  if (!now.files) return;
  out.begin("files").count("open", now.files->open).count("limit", now.files->limit);
  out.percent("used_percent", now.files->open, now.files->limit).end();
}

// ---------------------------------------------------------------- processes, host, logboom

void process_samples(SampleWriter& out, const HostReadings& before, const HostReadings& now) {
  out.begin("processes");
  if (now.processes) {
    const ProcessesReading& all = *now.processes;
    out.count("total", all.total).count("running", all.running).count("sleeping", all.sleeping);
    out.count("waiting", all.waiting).count("stopped", all.stopped).count("zombie", all.zombie);
    out.count("idle", all.idle);
  }
  if (now.load) out.count("threads", now.load->threads);
  if (before.cpu && now.cpu) {
    out.rate("forks_rate", before.cpu->forks, now.cpu->forks);
    out.rate("switches_rate", before.cpu->context_switches, now.cpu->context_switches);
    out.rate("interrupts_rate", before.cpu->interrupts, now.cpu->interrupts);
  }
  out.end();
  if (!now.processes) return;
  for (const ProcessGroup& group : now.processes->top) {
    out.begin("process", {{"name", group.name}}).number("cpu", group.cpu).count("memory", group.memory);
    out.count("processes", group.processes).count("threads", group.threads);
    out.count("pid", static_cast<std::uint64_t>(group.pid)).end();
  }
}

void host_samples(SampleWriter& out, const HostReadings& now, TimeNs time) {
  const HostFacts& facts = now.facts;
  out.begin("host").text("os", facts.os).text("kernel", facts.kernel).text("machine", facts.machine);
  out.text("addresses", facts.addresses);
  if (facts.cores > 0) out.count("cores", facts.cores);
  if (facts.memory > 0) out.count("memory", facts.memory);
  if (facts.boot_time > 0) {
    out.count("boot_time", static_cast<std::uint64_t>(facts.boot_time));
    out.count("uptime", fallen(static_cast<std::uint64_t>(std::max<TimeNs>(0, time / kNsPerSecond)),
                               static_cast<std::uint64_t>(facts.boot_time)));
  }
  out.end();
}

void own_samples(SampleWriter& out, const HostReadings& before, const HostReadings& now, double ticks_per_second) {
  if (!now.own) return;
  out.begin("logboom").count("memory", now.own->memory).count("threads", now.own->threads);
  out.count("descriptors", now.own->descriptors);
  out.number("sample_ms", std::chrono::duration<double, std::milli>(now.cost).count());
  if (before.own) out.rate("cpu", before.own->cpu_ticks, now.own->cpu_ticks, 100 / ticks_per_second);
  out.end();
}

}  // namespace

std::vector<Sample> make_samples(const HostReadings& before, const HostReadings& now, TimeNs time,
                                 double ticks_per_second) {
  const double seconds =
      before.taken && now.taken ? std::chrono::duration<double>(*now.taken - *before.taken).count() : 0;
  std::vector<Sample> samples;
  samples.reserve(64);
  SampleWriter out(samples, time, seconds);
  cpu_samples(out, before, now);
  load_samples(out, now);
  memory_samples(out, before, now);
  pressure_samples(out, before, now);
  disk_samples(out, now);
  activity_samples(out, before, now);
  interface_samples(out, before, now);
  file_samples(out, now);
  process_samples(out, before, now);
  container_samples(out, before, now);
  host_samples(out, now, time);
  own_samples(out, before, now, ticks_per_second);
  return samples;
}

}  // namespace logboom::source::host
