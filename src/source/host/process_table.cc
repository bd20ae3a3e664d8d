#include "source/host/process_table.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <unordered_map>

#include <dirent.h>

#include "source/host/proc_text.h"

namespace logboom::source::host {
namespace {

constexpr std::uint64_t kListedAtOnce = 1000;  // with more processes the list is made less often
constexpr std::int64_t kKernelThreads = 2;     // their parent

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

// Of kernel threads only what they are for: "kworker/3:1-events" is kworker.
std::string name_of(const ProcessStat& stat) {
  std::string_view name = stat.name;
  if (stat.parent == kKernelThreads) name = name.substr(0, name.find('/'));
  return name.empty() ? "?" : shown_text(name, 64);
}

}  // namespace

bool ProcessTable::look(std::chrono::nanoseconds now, std::string& buffer, ProcessesReading& out) {
  if (++looks_since_list_ > listed_ / kListedAtOnce && !list(now)) return false;
  for (const auto& at : chosen()) {
    if (!read(at->second, now, buffer)) processes_.erase(at);
  }
  sum_up(out);
  return true;
}

bool ProcessTable::list(std::chrono::nanoseconds now) {
  const std::unique_ptr<DIR, CloseFolder> folder(::opendir(options_.proc.c_str()));
  if (!folder) return false;
  const bool first = ++lists_ == 1;
  looks_since_list_ = 0;
  listed_ = 0;
  list_before_ = std::exchange(last_list_, now);
  while (const dirent* entry = ::readdir(folder.get())) {
    std::int64_t pid = 0;
    const char* end = entry->d_name + std::strlen(entry->d_name);
    if (const auto [at, error] = std::from_chars(entry->d_name, end, pid);
        error != std::errc() || at != end || pid <= 0)
      continue;
    ++listed_;
    auto known = processes_.find(pid);
    if (known == processes_.end()) {
      if (processes_.size() >= options_.most) continue;
      known = processes_.emplace(pid, Process(options_.proc + "/" + entry->d_name + "/stat")).first;
      known->second.born = !first;
    }
    known->second.listed = lists_;
  }
  std::erase_if(processes_, [this](const auto& known) { return known.second.listed != lists_; });
  return true;
}

// All of them, or the new and the busy ones and then others in turn.
std::vector<ProcessTable::Processes::iterator> ProcessTable::chosen() {
  std::vector<Processes::iterator> wanted;
  if (processes_.size() <= options_.looks) {
    for (auto at = processes_.begin(); at != processes_.end(); ++at) wanted.push_back(at);
    return wanted;
  }
  const std::size_t most_busy = options_.looks / 2;
  for (auto at = processes_.begin(); at != processes_.end(); ++at) {
    if (at->second.cpu > 0) wanted.push_back(at);
  }
  if (wanted.size() > most_busy) {
    std::ranges::nth_element(wanted, wanted.begin() + static_cast<std::ptrdiff_t>(most_busy), std::greater{},
                             [](const auto& at) { return at->second.cpu; });
    wanted.resize(most_busy);
  }
  auto at = processes_.upper_bound(turn_);
  for (std::size_t passed = 0; wanted.size() < options_.looks && passed < processes_.size(); ++passed, ++at) {
    if (at == processes_.end()) at = processes_.begin();
    turn_ = at->first;
    if (at->second.cpu > 0 && std::ranges::find(wanted, at) != wanted.end()) continue;
    wanted.push_back(at);
  }
  return wanted;
}

bool ProcessTable::read(Process& process, std::chrono::nanoseconds now, std::string& buffer) {
  const auto text = process.stat.read(buffer);
  ProcessStat stat;
  if (!text.ok() || !parse_process_stat(*text, stat)) return false;
  if (processes_.size() > options_.kept_open) process.stat.close();
  const bool seen = process.looked && process.started_ticks == stat.started_ticks;
  // What began since the last list used all its time since then; of what is older nothing is known yet.
  const auto since = seen ? *process.looked : process.born ? list_before_ : now;
  const std::uint64_t before = seen ? process.cpu_ticks : 0;
  const double seconds = std::chrono::duration<double>(now - since).count();
  process.cpu = 0;
  if (seconds > 0 && stat.cpu_ticks > before)
    process.cpu = 100.0 * static_cast<double>(stat.cpu_ticks - before) / options_.ticks_per_second / seconds;
  process.name = name_of(stat);
  process.state = stat.state;
  process.cpu_ticks = stat.cpu_ticks;
  process.started_ticks = stat.started_ticks;
  process.threads = stat.threads;
  process.memory = stat.resident_pages * options_.page_bytes;
  process.looked = now;
  return true;
}

namespace {

std::uint64_t* counter_of(char state, ProcessesReading& out) {
  switch (state) {
    case 'R':
      return &out.running;
    case 'S':
      return &out.sleeping;
    case 'D':
      return &out.waiting;
    case 'T':
    case 't':
      return &out.stopped;
    case 'Z':
    case 'X':
      return &out.zombie;
    case 'I':
      return &out.idle;
    default:
      return nullptr;
  }
}

}  // namespace

void ProcessTable::sum_up(ProcessesReading& out) const {
  out = {};
  out.total = listed_;
  struct Sum {
    ProcessGroup group;
    std::pair<double, std::uint64_t> largest;
  };
  std::unordered_map<std::string_view, Sum> sums;
  for (const auto& [pid, process] : processes_) {
    if (!process.looked) continue;
    if (std::uint64_t* count = counter_of(process.state, out)) ++*count;
    Sum& sum = sums[process.name];
    sum.group.cpu += process.cpu;
    sum.group.memory += process.memory;
    sum.group.threads += process.threads;
    ++sum.group.processes;
    const std::pair uses(process.cpu, process.memory);
    if (sum.group.pid != 0 && uses < sum.largest) continue;
    sum.group.pid = pid;
    sum.largest = uses;
  }
  std::vector<ProcessGroup*> groups;
  for (auto& [name, sum] : sums) {
    sum.group.name = name;
    groups.push_back(&sum.group);
  }
  const auto take_first = [&](const auto& before) {
    const std::size_t count = std::min(options_.top, groups.size());
    std::ranges::partial_sort(groups, groups.begin() + static_cast<std::ptrdiff_t>(count), before);
    for (std::size_t i = 0; i < count; ++i) {
      if (std::ranges::find(out.top, groups[i]->name, &ProcessGroup::name) == out.top.end())
        out.top.push_back(*groups[i]);
    }
  };
  take_first([](const ProcessGroup* a, const ProcessGroup* b) {
    return std::tie(b->cpu, b->memory, a->name) < std::tie(a->cpu, a->memory, b->name);
  });
  take_first([](const ProcessGroup* a, const ProcessGroup* b) {
    return std::tie(b->memory, b->cpu, a->name) < std::tie(a->memory, a->cpu, b->name);
  });
}

}  // namespace logboom::source::host
