// Finds the time stamp of a log line: ISO 8601 (T or space, comma or point before the fraction, zone or none), syslog
// (RFC 3164 with the year rolled, RFC 5424), nginx and apache access, epoch in s/ms/us/ns, and the common stamps of
// applications (2026/11/20, 20-Nov-2026, [..], klog's I1120). What cannot be a time (30 Feb, year 0) counts as none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace logboom::parse {

// Where in a line a stamp stood and how it was written; the next line of the file is tried the same way first. It also
// keeps the last date met, so that only the first line of a day costs calendar arithmetic.
struct TimeHint {
  std::uint16_t position = 0;
  std::uint8_t format = 0;               // 0: none yet
  char lead = 0;                         // the byte before the stamp, 0 at the start of the line
  std::uint64_t date_low = 0;            // the bytes of the last date
  std::uint64_t date_high = UINT64_MAX;  // no date has this
  TimeNs day = 0;                        // its midnight, as if in UTC
};

struct FoundTime {
  TimeNs time = 0;
  std::uint32_t begin = 0;  // of the stamp in the line
  std::uint32_t end = 0;
};

struct TimeContext {
  TimeNs arrival = 0;             // for stamps without a year: the latest that is at most a week ahead of it
  std::int32_t zone_seconds = 0;  // east of UTC, for stamps without a zone
};

// Looks at the first 256 bytes of the line. Thread-safe; `hint` belongs to the caller, one per file.
std::optional<FoundTime> find_time(std::string_view line, const TimeContext& context, TimeHint& hint);

// A complete value (of a JSON field, or typed by a person): the same formats, also a date alone or without seconds, and
// nothing may follow.
std::optional<TimeNs> parse_time(std::string_view text, const TimeContext& context);
// The same for values of one field of one file.
std::optional<TimeNs> parse_time(std::string_view text, const TimeContext& context, TimeHint& hint);

// "2026-11-20T14:31:58.204Z", nanoseconds shown as far as they are not zero.
std::string format_time_utc(TimeNs time);

}  // namespace logboom::parse
