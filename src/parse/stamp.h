// The formats of time stamps, one reader per family. Internal to find_time and parse_time. A reader looks at bytes that
// begin where a stamp may begin; it checks everything it takes, calendar included, and never reads behind `end`.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "parse/time.h"

namespace logboom::parse {

enum StampFormat : std::uint8_t {
  kNoStamp,
  kIsoStamp,      // 2026-11-20T14:31:58.204Z, 2026/11/20 14:31:58,204 +0100
  kCompactStamp,  // 20261120T143158Z, 20261120-14:31:58:204, 201120 14:31:58, 081109 203615
  kAccessStamp,   // 20/Nov/2026:14:31:58 +0000
  kDayStamp,      // 20-Nov-2026 14:31:58, 20 Nov 2026 14:31:58.204
  kSyslogStamp,   // Nov 20 14:31:58, Nov 20 2026 14:31:58, Fri Nov 20 14:31:58.204 2026
  kKlogStamp,     // I1120 14:31:58.204567
  kMonthStamp,    // 11-20 14:31:58.204, 10.30 16:49:06
  kDottedStamp,   // 20.11.2026 14:31:58
  kShortStamp,    // 26/11/20 14:31:58
  kEpochStamp,    // 1700000000, with a fraction, or in ms, us, ns
};

// The bytes a reader looks at.
struct StampText {
  const char* begin = nullptr;  // of the stamp
  const char* end = nullptr;    // of the line's part that is looked at
  char lead = 0;                // the byte before `begin`, 0 for none
  std::size_t left() const { return static_cast<std::size_t>(end - begin); }
};

// What a reader found: the length of the stamp, 0 for none.
struct Stamp {
  std::size_t length = 0;
  TimeNs time = 0;
};

Stamp read_stamp(StampFormat format, const StampText& text, const TimeContext& context, TimeHint& hint);

Stamp read_compact(const StampText& text, const TimeContext& context);
Stamp read_access(const StampText& text, const TimeContext& context, TimeHint& hint);
Stamp read_day(const StampText& text, const TimeContext& context);
Stamp read_syslog(const StampText& text, const TimeContext& context, TimeHint& hint);
Stamp read_klog(const StampText& text, const TimeContext& context);
Stamp read_month(const StampText& text, const TimeContext& context);
Stamp read_dotted(const StampText& text, const TimeContext& context);
Stamp read_short(const StampText& text, const TimeContext& context);
Stamp read_epoch(const StampText& text);

// ---------------------------------------------------------------- pieces

inline constexpr TimeNs kNsPerDay = 86'400 * kNsPerSecond;

inline bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}
inline int digit(char c) {
  return c - '0';
}
inline bool digits(const char* at, int n) {
  for (int i = 0; i < n; ++i) {
    if (!is_digit(at[i])) return false;
  }
  return true;
}
inline int number(const char* at, int n) {
  int value = 0;
  for (int i = 0; i < n; ++i) value = value * 10 + digit(at[i]);
  return value;
}
inline std::uint64_t load8(const char* at) {
  std::uint64_t value;
  std::memcpy(&value, at, 8);
  return value;
}

// Midnight of the day in ns since 1970; false for what no calendar has, and for years an int64 of ns cannot hold.
bool day_time(int year, int month, int day, TimeNs& out);
// The same in the latest year that puts `time_of_day` on that day at most a week behind the arrival: logs are of the
// past.
bool latest_day_time(int month, int day, TimeNs time_of_day, const TimeContext& context, TimeNs& out);
// 1 to 12 for "Jan" to "Dec" at `at` (three bytes, any case); 0 for others.
int month_number(const char* at);

// "14:31:58" at `at` (eight bytes); -1 when it is none. A leap second is the next minute.
inline TimeNs clock_time(const char* at) {
  std::uint64_t x = load8(at) ^ 0x30303A30303A3030;
  const bool bad = ((((x + 0x7676767676767676) | x) & 0x8080808080808080) | (x & 0x0000FF0000FF0000)) != 0;
  if (bad) return -1;
  x = x * 10 + (x >> 8);
  const auto hour = static_cast<std::int64_t>(x & 0xff);
  const auto minute = static_cast<std::int64_t>((x >> 24) & 0xff);
  const auto second = static_cast<std::int64_t>((x >> 48) & 0xff);
  if (hour > 23 || minute > 59 || second > 60) return -1;
  return (hour * 3600 + minute * 60 + second) * kNsPerSecond;
}

// ".204", ",204567": adds the nanoseconds and moves behind the digits; stays where there is none.
inline const char* read_fraction(const char* at, const char* end, TimeNs& time) {
  if (end - at < 2 || (*at != '.' && *at != ',') || !is_digit(at[1])) return at;
  if (end - at >= 5 && is_digit(at[2]) && is_digit(at[3]) && !is_digit(at[4])) [[likely]] {
    time += (digit(at[1]) * 100 + digit(at[2]) * 10 + digit(at[3])) * kNsPerMs;
    return at + 4;
  }
  TimeNs ns = 0;
  TimeNs unit = kNsPerSecond / 10;
  for (++at; at != end && is_digit(*at); ++at, unit /= 10) ns += unit * digit(*at);
  time += ns;
  return at;
}

// "Z", "+01:00", "-0500", " +0000", " UTC": subtracts the offset and moves behind it. Where there is none the context's
// zone counts.
const char* read_zone(const char* at, const char* end, const TimeContext& context, TimeNs& time);

}  // namespace logboom::parse
