// Stamps with the name of the month: syslog, access logs, ctime and the like; and klog's letter.
#include "parse/stamp.h"

namespace logboom::parse {
namespace {

constexpr TimeNs kArrivalStep = 32 * kNsPerDay;  // how long the year of a date without one is believed

Stamp finish(const StampText& text, const char* at, TimeNs time, const TimeContext& context) {
  if (at != text.end && is_digit(*at)) return {};
  at = read_fraction(at, text.end, time);
  at = read_zone(at, text.end, context, time);
  return {static_cast<std::size_t>(at - text.begin), time};
}

// " 2026" or " UTC 2026" behind the time, as ctime and date write it.
const char* read_late_year(const char* at, const char* end, int& year) {
  if (end - at >= 9 && *at == ' ' && at[4] == ' ' && !is_digit(at[1])) at += 4;
  if (end - at < 5 || *at != ' ' || !digits(at + 1, 4) || (end - at > 5 && is_digit(at[5]))) return nullptr;
  year = number(at + 1, 4);
  return at + 5;
}

// Midnight of "Nov 20" (six bytes), from the hint when it is the one before.
bool yearless_day(const char* at, int month, int day, TimeNs clock, const TimeContext& context, TimeHint& hint,
                  TimeNs& midnight) {
  const std::uint64_t low = load8(at) & 0x0000FFFFFFFFFFFF;
  const auto high = static_cast<std::uint64_t>(context.arrival / kArrivalStep) << 8 | kSyslogStamp;
  if (low == hint.date_low && high == hint.date_high) {
    midnight = hint.day;
    return true;
  }
  if (!latest_day_time(month, day, clock, context, midnight)) return false;
  hint.date_low = low;
  hint.date_high = high;
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
