#include "source/host/proc_text.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "http/json.h"
#include "source/host/text_scan.h"

namespace logboom::source::host {

const std::array<std::string_view, kMemoryKeys> kMemoryNames = {
    "MemTotal",     "MemFree",    "MemAvailable", "Buffers",    "Cached",      "SwapCached",  "Active", "Inactive",
    "SwapTotal",    "SwapFree",   "Dirty",        "Writeback",  "AnonPages",   "Mapped",      "Shmem",  "Slab",
    "SReclaimable", "SUnreclaim", "KernelStack",  "PageTables", "CommitLimit", "Committed_AS"};

namespace {

bool parse_cpu_times(std::string_view rest, CpuTimes& out) {
  std::uint64_t* const all[] = {&out.user,   &out.nice, &out.system,  &out.idle,
                                &out.iowait, &out.irq,  &out.softirq, &out.steal};
  int given = 0;  // old kernels have fewer
  for (std::uint64_t* time : all) {
    const std::string_view word = take_word(rest);
    if (word.empty()) break;
    if (!to_number(word, *time)) return false;
    ++given;
  }
  return given >= 4;
}

}  // namespace

bool parse_stat(std::string_view text, CpuReading& out) {
  out.cores.clear();
  bool total = false;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::string_view name = take_word(line);
    if (name == "cpu") {
      total = parse_cpu_times(line, out.total);
      if (!total) return false;
    } else if (name.starts_with("cpu")) {
      std::uint64_t core = 0;
      CoreTimes& added = out.cores.emplace_back();
      if (!to_number(name.substr(3), core) || !parse_cpu_times(line, added.times)) return false;
      added.core = static_cast<unsigned>(core);
      if (out.cores.size() > kMostCores) out.cores.pop_back();
    } else {
      const std::pair<std::string_view, std::uint64_t*> counts[] = {{"intr", &out.interrupts},
                                                                    {"ctxt", &out.context_switches},
                                                                    {"processes", &out.forks},
                                                                    {"procs_running", &out.running},
                                                                    {"procs_blocked", &out.blocked}};
      for (const auto& [key, count] : counts) {
        if (name == key && !to_number(take_word(line), *count)) return false;
      }
      std::uint64_t seconds = 0;
      if (name == "btime" && to_number(take_word(line), seconds))
        out.boot_time = static_cast<std::int64_t>(std::min<std::uint64_t>(seconds, 1ull << 40));
    }
  }
  return total;
}

bool parse_meminfo(std::string_view text, MemoryReading& out) {
  out.bytes.fill(0);
  bool available = false;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    std::string_view name = take_word(line);
    if (!name.ends_with(':')) continue;
    name.remove_suffix(1);
    const auto key = std::ranges::find(kMemoryNames, name);
    if (key == kMemoryNames.end()) continue;
    std::uint64_t number = 0;
    if (!to_number(take_word(line), number) || take_word(line) != "kB") return false;
    const auto index = static_cast<std::size_t>(key - kMemoryNames.begin());
    out.bytes[index] = std::min(number, std::numeric_limits<std::uint64_t>::max() >> 10) << 10;
    available = available || index == static_cast<std::size_t>(MemoryKey::kMemAvailable);
  }
  if (!available) {  // before Linux 3.14
    out.bytes[static_cast<std::size_t>(MemoryKey::kMemAvailable)] = std::min(
        out[MemoryKey::kMemTotal], out[MemoryKey::kMemFree] + out[MemoryKey::kBuffers] + out[MemoryKey::kCached]);
  }
  return out[MemoryKey::kMemTotal] > 0;
}

bool parse_vmstat(std::string_view text, PagingReading& out) {
  const std::pair<std::string_view, std::uint64_t*> wanted[] = {{"pswpin", &out.swapped_in},
                                                                {"pswpout", &out.swapped_out},
                                                                {"pgfault", &out.faults},
                                                                {"pgmajfault", &out.major_faults},
                                                                {"oom_kill", &out.killed}};
  bool any = false;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::string_view name = take_word(line);
    for (const auto& [key, count] : wanted) {
      if (name != key) continue;
      if (!to_number(take_word(line), *count)) return false;
      any = true;
    }
  }
  return any;
}

bool parse_loadavg(std::string_view text, LoadReading& out) {
  std::string_view line = take_line(text);
  double* const loads[] = {&out.load1, &out.load5, &out.load15};
  if (!take_numbers<double>(line, loads)) return false;
  const std::string_view threads = take_word(line);
  const std::size_t slash = threads.find('/');
  return slash != std::string_view::npos && to_number(threads.substr(0, slash), out.running) &&
         to_number(threads.substr(slash + 1), out.threads);
}

namespace {

bool parse_stall(std::string_view line, Stall& out) {
  const std::pair<std::string_view, double*> averages[] = {
      {"avg10=", &out.avg10}, {"avg60=", &out.avg60}, {"avg300=", &out.avg300}};
  for (const auto& [name, value] : averages) {
    std::string_view word = take_word(line);
    if (!word.starts_with(name) || !to_number(word.substr(name.size()), *value)) return false;
  }
  const std::string_view total = take_word(line);
  return total.starts_with("total=") && to_number(total.substr(6), out.total_us);
}

}  // namespace

bool parse_pressure(std::string_view text, PressureReading& out) {
  bool some = false;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::string_view name = take_word(line);
    if (name == "some") {
      some = parse_stall(line, out.some);
      if (!some) return false;
    } else if (name == "full") {
      if (!parse_stall(line, out.full.emplace())) return false;
    }
  }
  return some;
}

bool parse_diskstats(std::string_view text, std::vector<DiskActivity>& out) {
  out.clear();
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (line.empty()) continue;
    if (!skip_words(line, 2)) return false;
    DiskActivity disk;
    const std::string_view name = take_word(line);
    std::uint64_t* const numbers[] = {&disk.reads,     &disk.reads_merged,  &disk.sectors_read,    &disk.read_ms,
                                      &disk.writes,    &disk.writes_merged, &disk.sectors_written, &disk.write_ms,
                                      &disk.in_flight, &disk.busy_ms,       &disk.weighted_ms};
    if (name.empty() || !take_numbers<std::uint64_t>(line, numbers)) return false;
    disk.device = shown_text(name);
    if (out.size() < kMostDevices) out.push_back(std::move(disk));
  }
  return true;
}

bool parse_net_dev(std::string_view text, std::vector<InterfaceReading>& out) {
  out.clear();
  bool headed = false;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (line.empty()) continue;
    const std::size_t colon = line.rfind(':');  // names may hold colons
    if (colon == std::string_view::npos) {
      headed = headed || line.find('|') != std::string_view::npos;
      if (line.find('|') == std::string_view::npos) return false;
      continue;
    }
    std::string_view name = line.substr(0, colon);
    line.remove_prefix(colon + 1);
    InterfaceReading interface;
    std::uint64_t ignored = 0;
    Traffic& in = interface.received;
    Traffic& sent = interface.sent;
    std::uint64_t* const numbers[] = {&in.bytes, &in.packets, &in.errors,  &in.dropped,   &ignored,     &ignored,
                                      &ignored,  &ignored,    &sent.bytes, &sent.packets, &sent.errors, &sent.dropped};
    if (!take_numbers<std::uint64_t>(line, numbers)) return false;
    interface.name = shown_text(take_word(name));
    if (interface.name.empty()) return false;
    if (out.size() < kMostDevices) out.push_back(std::move(interface));
  }
  return headed;
}

bool parse_file_nr(std::string_view text, FilesReading& out) {
  std::string_view line = take_line(text);
  std::uint64_t unused = 0;
  std::uint64_t* const numbers[] = {&out.open, &unused, &out.limit};
  if (!take_numbers<std::uint64_t>(line, numbers)) return false;
  out.open -= std::min(out.open, unused);
  return true;
}

// The name may hold anything, parentheses and line feeds as well: it ends at the last one.
bool parse_process_stat(std::string_view text, ProcessStat& out) {
  const std::size_t begin = text.find('(');
  const std::size_t end = text.rfind(')');
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return false;
  out.name = text.substr(begin + 1, end - begin - 1);
  std::string_view rest = text.substr(end + 1);
  const std::string_view state = take_word(rest);
  const std::string_view parent = take_word(rest);
  if (state.size() != 1 || std::from_chars(parent.data(), parent.data() + parent.size(), out.parent).ec != std::errc())
    return false;
  out.state = state.front();
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  if (!skip_words(rest, 9) || !to_number(take_word(rest), user) || !to_number(take_word(rest), system)) return false;
  out.cpu_ticks = user + system;
  if (!skip_words(rest, 4) || !to_number(take_word(rest), out.threads) || !skip_words(rest, 1)) return false;
  if (!to_number(take_word(rest), out.started_ticks) || !skip_words(rest, 1)) return false;
  return to_number(take_word(rest), out.resident_pages);
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::string_view line = take_line(text);
  std::uint64_t number = 0;
  if (!to_number(take_word(line), number) || !take_word(line).empty()) return std::nullopt;
  return number;
}

std::optional<double> parse_cpu_max(std::string_view text) {
  std::string_view line = take_line(text);
  std::uint64_t quota = 0;
  std::uint64_t period = 0;
  if (!to_number(take_word(line), quota) || !to_number(take_word(line), period) || period == 0) return std::nullopt;
  return static_cast<double>(quota) / static_cast<double>(period);
}

std::optional<std::uint64_t> parse_keyed(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    std::uint64_t number = 0;
    if (take_word(line) == key && to_number(take_word(line), number)) return number;
  }
  return std::nullopt;
}

std::string shown_text(std::string_view bytes, std::size_t most) {
  std::string text(bytes.substr(0, most));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  // Where it was cut within a character, or never was UTF-8.
  if (!http::is_utf8(text)) {
    for (char& c : text) c = static_cast<unsigned char>(c) < 0x80 ? c : '?';
  }
  return text;
}

std::string parse_os_release(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (!line.starts_with("PRETTY_NAME=")) continue;
    line.remove_prefix(12);
    while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
    if (line.size() >= 2 && (line.front() == '"' || line.front() == '\'') && line.back() == line.front())
      line = line.substr(1, line.size() - 2);
    return shown_text(line);
  }
  return "";
}

}  // namespace logboom::source::host
