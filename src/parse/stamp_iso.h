// The reader of ISO 8601 stamps, inline: most lines of most files have one.
#pragma once

#include "parse/stamp.h"

namespace logboom::parse {

// The date at `at` ("2026-11-20", ten bytes), when it is not the one before; remembers it.
bool new_iso_day(const char* at, std::uint64_t low, std::uint64_t high, TimeHint& hint, TimeNs& day);

inline bool iso_day(const char* at, TimeHint& hint, TimeNs& day) {
  const std::uint64_t low = load8(at);
  const std::uint64_t high = static_cast<std::uint64_t>(static_cast<unsigned char>(at[8])) |
                             static_cast<std::uint64_t>(static_cast<unsigned char>(at[9])) << 8;
  if (low != hint.date_low || high != hint.date_high) [[unlikely]]
    return new_iso_day(at, low, high, hint, day);
  day = hint.day;
  return true;
}

// "+0000", as access logs on UTC hosts write it.
inline bool is_zero_zone(const char* at) {
  std::uint32_t digits4;
  std::memcpy(&digits4, at + 1, 4);
  return *at == '+' && digits4 == 0x30303030;
}

// Fraction and zone behind the time; the whole stamp.
inline Stamp finish_stamp(const StampText& text, const char* at, TimeNs time, const TimeContext& context) {
  at = read_fraction(at, text.end, time);
  const bool zone =
      at != text.end &&
      (*at == 'Z' || *at == 'z' || *at == '+' || *at == '-' ||
       (*at == ' ' && at + 1 != text.end && (at[1] == '+' || at[1] == '-' || at[1] == 'U' || at[1] == 'G')));
  if (zone) {
    at = read_zone(at, text.end, context, time);
  } else {
    time -= context.zone_seconds * kNsPerSecond;
  }
  return {static_cast<std::size_t>(at - text.begin), time};
}

inline Stamp read_iso(const StampText& text, const TimeContext& context, TimeHint& hint) {
  if (text.left() < 19) return {};
  const char* const p = text.begin;
  if (p[10] != 'T' && p[10] != ' ' && p[10] != 't' && p[10] != '-') return {};
  TimeNs day = 0;
  if (!iso_day(p, hint, day)) return {};
  TimeNs time = clock_time(p + 11);
  if (time < 0) return {};
  time += day;
  const char* const at = p + 19;
  if (at == text.end) return finish_stamp(text, at, time, context);
  if (*at == ':') [[unlikely]] {
    // log4j's "14:31:58:204".
    const bool millis = text.end - at >= 4 && digits(at + 1, 3) && (text.end - at == 4 || !is_digit(at[4]));
    return millis ? finish_stamp(text, at + 4, time + number(at + 1, 3) * kNsPerMs, context)
                  : finish_stamp(text, at, time, context);
  }
  if (is_digit(*at)) return {};
  return finish_stamp(text, at, time, context);
}

}  // namespace logboom::parse
