// Stamps written in digits: ISO 8601 and its relatives, epochs.
#include "parse/stamp.h"
#include "parse/stamp_iso.h"

namespace logboom::parse {
namespace {

constexpr std::uint64_t kEpochEnd = 4'102'444'800;  // the year 2100

bool is_date_sign(char c) {
  return c == '-' || c == '/' || c == '.';
}

// Nothing but a delimiter may follow a bare number.
bool ends_number(const char* at, const char* end) {
  if (at == end) return true;
  const char c = *at;
  return !is_digit(c) && c != '.' && c != '-' && c != '_' && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z');
}

}  // namespace

bool new_iso_day(const char* at, std::uint64_t low, std::uint64_t high, TimeHint& hint, TimeNs& day) {
  if (!digits(at, 4) || !is_date_sign(at[4]) || !digits(at + 5, 2) || at[7] != at[4] || !digits(at + 8, 2))
    return false;
  if (!day_time(number(at, 4), number(at + 5, 2), number(at + 8, 2), day)) return false;
  hint.date_low = low;
  hint.date_high = high;
  hint.day = day;
  return true;
}

// yyyymmdd or yymmdd, a separator, and the time with or without colons.
Stamp read_compact(const StampText& text, const TimeContext& context) {
  const char* p = text.begin;
  const bool full = text.left() >= 15 && digits(p, 8);
  if (!full && (text.left() < 13 || !digits(p, 6))) return {};
  const int year = full ? number(p, 4) : 2000 + number(p, 2);
  p += full ? 4 : 2;
  TimeNs time = 0;
  if (!day_time(year, number(p, 2), number(p + 2, 2), time)) return {};
  p += 4;
  const char separator = *p++;
  if (separator != ' ' && !(full && (separator == 'T' || separator == '-'))) return {};
  TimeNs clock = -1;
  if (text.end - p >= 8 && p[2] == ':') {
    clock = clock_time(p);
    p += 8;
    const bool millis = text.end - p >= 4 && *p == ':' && digits(p + 1, 3);
    if (millis && clock >= 0) clock += number(p + 1, 3) * kNsPerMs, p += 4;
  } else if (text.end - p >= 6 && digits(p, 6)) {
    const char colons[8] = {p[0], p[1], ':', p[2], p[3], ':', p[4], p[5]};
    clock = clock_time(colons);
    p += 6;
  }
  if (clock < 0 || (p != text.end && is_digit(*p))) return {};
  return finish_stamp(text, p, time + clock, context);
}

Stamp read_month(const StampText& text, const TimeContext& context) {
  const char* const p = text.begin;
  if (text.left() < 14 || !digits(p, 2) || (p[2] != '-' && p[2] != '.') || !digits(p + 3, 2) || p[5] != ' ') return {};
  const TimeNs clock = clock_time(p + 6);
  TimeNs day = 0;
  if (clock < 0 || !latest_day_time(number(p, 2), number(p + 3, 2), clock, context, day)) return {};
  return finish_stamp(text, p + 14, day + clock, context);
}

Stamp read_dotted(const StampText& text, const TimeContext& context) {
  const char* const p = text.begin;
  if (text.left() < 19 || !digits(p, 2) || p[2] != '.' || !digits(p + 3, 2) || p[5] != '.' || !digits(p + 6, 4))
    return {};
  if (p[10] != ' ' && p[10] != 'T') return {};
  TimeNs day = 0;
  const TimeNs clock = clock_time(p + 11);
  if (clock < 0 || !day_time(number(p + 6, 4), number(p + 3, 2), number(p, 2), day)) return {};
  return finish_stamp(text, p + 19, day + clock, context);
}

Stamp read_short(const StampText& text, const TimeContext& context) {
  const char* const p = text.begin;
  if (text.left() < 17 || !digits(p, 2) || p[2] != '/' || !digits(p + 3, 2) || p[5] != '/' || !digits(p + 6, 2))
    return {};
  if (p[8] != ' ') return {};
  TimeNs day = 0;
  const TimeNs clock = clock_time(p + 9);
  if (clock < 0 || !day_time(2000 + number(p, 2), number(p + 3, 2), number(p + 6, 2), day)) return {};
  return finish_stamp(text, p + 17, day + clock, context);
}

Stamp read_epoch(const StampText& text) {
  const char* at = text.begin;
  std::uint64_t value = 0;  // nineteen digits do not fit a signed one
  for (; at != text.end && is_digit(*at) && at - text.begin < 19; ++at) {
    value = value * 10 + static_cast<std::uint64_t>(digit(*at));
  }
  const auto length = at - text.begin;
  TimeNs unit = 1;
  switch (length) {
    case 10:
      unit = kNsPerSecond;
      break;
    case 13:
      unit = kNsPerMs;
      break;
    case 16:
      unit = kNsPerUs;
      break;
    case 19:
      break;
    default:
      return {};
  }
  // 2001 to 2099: other numbers of so many digits are more likely something else.
  if (*text.begin == '0' || value / static_cast<std::uint64_t>(kNsPerSecond / unit) >= kEpochEnd) return {};
  TimeNs time = static_cast<TimeNs>(value) * unit;
  if (length == 10 && at != text.end && *at == '.') at = read_fraction(at, text.end, time);
  if (!ends_number(at, text.end)) return {};
  return {static_cast<std::size_t>(at - text.begin), time};
}

}  // namespace logboom::parse
