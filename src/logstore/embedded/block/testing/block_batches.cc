#include "logstore/embedded/block/testing/block_batches.h"

#include <ctime>
#include <optional>

namespace logboom::logstore::embedded::testing {
namespace {

int number(std::string_view text, std::size_t at, std::size_t digits) {
  int value = 0;
  for (std::size_t i = at; i < at + digits; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// "2026-11-20T14:31:58.204" with any separators, anywhere in the first 64 bytes.
std::optional<TimeNs> stamp_of(std::string_view line) {
  const std::size_t last = line.size() < 64 ? line.size() : 64;
  for (std::size_t at = 0; at + 19 <= last; ++at) {
    if (line[at] != '2' || line[at + 4] != '-' || line[at + 13] != ':') continue;
    std::tm tm{};
    tm.tm_year = number(line, at, 4) - 1900;
    tm.tm_mon = number(line, at + 5, 2) - 1;
    tm.tm_mday = number(line, at + 8, 2);
    tm.tm_hour = number(line, at + 11, 2);
    tm.tm_min = number(line, at + 14, 2);
    tm.tm_sec = number(line, at + 17, 2);
    if (tm.tm_year < 0 || tm.tm_year > 300 || tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_hour < 0 || tm.tm_min < 0 ||
        tm.tm_sec < 0)
      continue;
    const int ms = at + 23 <= line.size() ? number(line, at + 20, 3) : -1;
    return timegm(&tm) * kNsPerSecond + (ms < 0 ? 0 : ms) * kNsPerMs;
  }
  return std::nullopt;
}

Level level_of(std::string_view line) {
  const std::string_view head = line.substr(0, 80);
  if (head.find("ERROR") != std::string_view::npos) return Level::kError;
  if (head.find("WARN") != std::string_view::npos) return Level::kWarn;
  if (head.find("INFO") != std::string_view::npos) return Level::kInfo;
  return Level::kNone;
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of('\r') == std::string_view::npos;
}

}  // namespace

Batch batch_of(std::string_view text, std::uint64_t begin) {
  Batch batch;
  batch.begin = begin;
  batch.end = begin + text.size();
  batch.bytes = text;
  batch.rule = "test";
  TimeNs time = 1'700'000'000 * kNsPerSecond;
  std::uint32_t blank = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t lf = text.find('\n', at);
    const std::size_t end = lf == std::string_view::npos ? text.size() : lf;
    const std::string_view line = text.substr(at, end - at);
    if (is_blank(line) && lf != std::string_view::npos) {
      blank += static_cast<std::uint32_t>(line.size() + 1);
      at = end + 1;
      continue;
    }
    const auto stamp = stamp_of(line);
    if (stamp) time = *stamp;
    Record record;
    record.time = time;
    record.begin = static_cast<std::uint32_t>(at);
    record.length = static_cast<std::uint32_t>(line.size());
    record.blank = blank;
    record.flags = lf == std::string_view::npos ? 0 : Record::kTerminated;
    record.level = level_of(line);
    record.time_origin = stamp ? TimeOrigin::kParsed : TimeOrigin::kPredecessor;
    batch.records.push_back(record);
    blank = 0;
    at = end + 1;
  }
  batch.trailing_blank = blank;
  return batch;
}

}  // namespace logboom::logstore::embedded::testing
