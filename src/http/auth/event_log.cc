#include "http/auth/event_log.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "http/json.h"

namespace logboom::http {
namespace {

constexpr std::size_t kMaxText = 200;  // of one member: what is written comes from outside in part

std::string to_line(const AccessEvent& event) {
  std::string line;
  JsonWriter w(line);
  w.open_object().key("time").time(event.time).field("what", event.what).field("who", event.who);
  w.field("address", event.address).field("detail", event.detail).close_object();
  return line + "\n";
}

}  // namespace

Result<std::unique_ptr<EventLog>> EventLog::open(FileSystem& files, std::string path, const Clock& clock) {
  std::unique_ptr<EventLog> log(new EventLog(files, std::move(path), clock));
  auto text = read_file(files, log->path_, 16 << 20);
  if (text.ok()) {
    log->load(*text);
  } else if (text.error().code() != ErrorCode::kNotFound) {
    return std::move(text).error();
  }
  return log;
}

void EventLog::load(const std::string& text) {
  MutexLock lock(mutex_);
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = std::min(text.find('\n', i), text.size());
    const auto item = nlohmann::json::parse(text.begin() + static_cast<std::ptrdiff_t>(i),
                                            text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    i = end + 1;
    ++lines_in_file_;
    try {
      events_.push_back({std::stoll(item.at("time").get<std::string>()), item.at("what"), item.at("who"),
                         item.at("address"), item.at("detail")});
    } catch (const std::exception&) {
      continue;  // a torn last line
    }
    if (events_.size() > kMaxEvents) events_.pop_front();
  }
}

void EventLog::add(std::string what, std::string who, std::string address, std::string detail) {
  for (auto* text : {&who, &address, &detail}) text->resize(std::min(text->size(), kMaxText));
  MutexLock lock(mutex_);
  events_.push_back({clock_.now(), std::move(what), std::move(who), std::move(address), std::move(detail)});
  if (events_.size() > kMaxEvents) events_.pop_front();
  if (const auto status = append(events_.back()); !status.ok())
    log_warn("cannot keep an access event: {}", status.error().message());
}

Status EventLog::append(const AccessEvent& event) {
  if (lines_in_file_ >= 2 * kMaxEvents) {
    std::string all;
    for (const auto& kept : events_) all += to_line(kept);
    lines_in_file_ = events_.size();
    return replace_file(files_, path_, all);
  }
  LB_ASSIGN(auto file, files_.open(path_, OpenMode::kCreate));
  LB_ASSIGN(const auto stat, file->stat());
  const std::string line = to_line(event);
  LB_TRY(file->pwrite(line.data(), line.size(), stat.size));
  ++lines_in_file_;
  return {};
}

std::vector<AccessEvent> EventLog::newest(std::size_t limit) const {
  MutexLock lock(mutex_);
  std::vector<AccessEvent> out;
  for (auto it = events_.rbegin(); it != events_.rend() && out.size() < limit; ++it) out.push_back(*it);
  return out;
}

}  // namespace logboom::http
