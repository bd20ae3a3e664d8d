// Stamps with the name of the month: syslog, access logs, ctime and the like; and klog's letter.
#include "parse/stamp.h"
#include "parse/stamp_iso.h"

namespace logboom::parse {
namespace {

constexpr TimeNs kArrivalStep = 32 * kNsPerDay;  // how long the year of a date without one is believed

Stamp finish(const StampText& text, const char* at, TimeNs time, const TimeContext& context) {
  if (at != text.end && is_digit(*at)) return {};
  return finish_stamp(text, at, time, context);
}

// " 2026" or " UTC 2026" behind the time, as ctime and date write it.
const char* read_late_year(const char* at, const char* end, int& year) {
  if (end - at >= 9 && *at == ' ' && at[4] == ' ' && !is_digit(at[1])) at += 4;
  if (end - at < 5 || *at != ' ' || !digits(at + 1, 4) || (end - at > 5 && is_digit(at[5]))) return nullptr;
  year = number(at + 1, 4);
  return at + 5;
}

// "Nov 20" (six bytes) as a key of the hint; it counts for a while only, as the year comes from the arrival.
std::uint64_t yearless_low(const char* at) {
  return load8(at) & 0x0000FFFFFFFFFFFF;
}
std::uint64_t yearless_high(const TimeContext& context) {
  return static_cast<std::uint64_t>(context.arrival / kArrivalStep) << 8 | kSyslogStamp;
}

bool date_is_known(const char* at, const TimeContext& context, const TimeHint& hint) {
  return yearless_low(at) == hint.date_low && yearless_high(context) == hint.date_high;
}

bool yearless_day(const char* at, int month, int day, TimeNs clock, const TimeContext& context, TimeHint& hint,
                  TimeNs& midnight) {
  if (!latest_day_time(month, day, clock, context, midnight)) return false;
  hint.date_low = yearless_low(at);
  hint.date_high = yearless_high(context);
  hint.day = midnight;
  return true;
}

bool after_weekday(const StampText& text) {
  return text.lead == ' ';
}

}  // namespace

Stamp read_syslog(const StampText& text, const TimeContext& context, TimeHint& hint) {
  const char* const p = text.begin;
  if (text.left() < 15 || p[3] != ' ') return {};
  if (date_is_known(p, context, hint) && p[6] == ' ' && !after_weekday(text)) [[likely]] {
    const TimeNs clock = clock_time(p + 7);
    if (clock >= 0) return finish(text, p + 15, hint.day + clock, context);
  }
  const int month = month_number(p);
  const bool two = is_digit(p[4]) && is_digit(p[5]);
  const bool padded = p[4] == ' ' && is_digit(p[5]);
  const bool one = is_digit(p[4]) && p[5] == ' ';
  if (month == 0 || (!two && !padded && !one)) return {};
  const int day = two ? number(p + 4, 2) : digit(one ? p[4] : p[5]);
  const char* at = p + (one ? 5 : 6);
  if (*at++ != ' ') return {};
  int year = 0;
  if (text.end - at >= 13 && digits(at, 4) && at[4] == ' ') {
    year = number(at, 4);
    at += 5;
  }
  if (text.end - at < 8) return {};
  TimeNs time = clock_time(at);
  if (time < 0) return {};
  at += 8;
  if (at != text.end && is_digit(*at)) return {};
  const TimeNs clock = time;
  at = read_fraction(at, text.end, time);
  if (year == 0 && after_weekday(text)) {
    if (const char* behind = read_late_year(at, text.end, year)) at = behind;
  }
  TimeNs midnight = 0;
  const bool known =
      year != 0 ? day_time(year, month, day, midnight) : yearless_day(p, month, day, clock, context, hint, midnight);
  if (!known) return {};
  time += midnight;
  at = read_zone(at, text.end, context, time);
  return {static_cast<std::size_t>(at - p), time};
}

Stamp read_access(const StampText& text, const TimeContext& context, TimeHint& hint) {
  const char* const p = text.begin;
  if (text.left() < 20 || p[11] != ':') return {};
  const std::uint64_t low = load8(p);
  const std::uint64_t high = load8(p + 3) >> 40;
  TimeNs day = hint.day;
  if (low != hint.date_low || high != hint.date_high) {
    if (!digits(p, 2) || p[2] != '/' || p[6] != '/' || !digits(p + 7, 4)) return {};
    if (!day_time(number(p + 7, 4), month_number(p + 3), number(p, 2), day)) return {};
    hint.date_low = low;
    hint.date_high = high;
    hint.day = day;
  }
  const TimeNs clock = clock_time(p + 12);
  return clock < 0 ? Stamp{} : finish(text, p + 20, day + clock, context);
}

Stamp read_day(const StampText& text, const TimeContext& context) {
  const char* const p = text.begin;
  const int width = text.left() >= 2 && is_digit(p[1]) ? 2 : 1;
  const char* at = p + width;
  if (text.end - at < 18 || !digits(p, width)) return {};
  const char separator = *at;
  if ((separator != '-' && separator != ' ' && separator != '/') || at[4] != separator || !digits(at + 5, 4)) return {};
  if (at[9] != ' ' && at[9] != ':' && at[9] != 'T') return {};
  TimeNs day = 0;
  if (!day_time(number(at + 5, 4), month_number(at + 1), number(p, width), day)) return {};
  const TimeNs clock = clock_time(at + 10);
  return clock < 0 ? Stamp{} : finish(text, at + 18, day + clock, context);
}

Stamp read_klog(const StampText& text, const TimeContext& context) {
  const char* const p = text.begin;
  if (text.left() < 14 || std::string_view("IWEFD").find(*p) == std::string_view::npos) return {};
  if (!digits(p + 1, 4) || p[5] != ' ') return {};
  const TimeNs clock = clock_time(p + 6);
  TimeNs day = 0;
  if (clock < 0 || !latest_day_time(number(p + 1, 2), number(p + 3, 2), clock, context, day)) return {};
  return finish(text, p + 14, day + clock, context);
}

}  // namespace logboom::parse
