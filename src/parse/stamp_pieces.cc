#include <array>

#include "parse/stamp.h"

namespace logboom::parse {
namespace {

constexpr int kFirstYear = 1678;  // the first and the last whole year in an int64 of nanoseconds
constexpr int kLastYear = 2261;
constexpr TimeNs kClockAhead = 7 * kNsPerDay;

bool is_leap(int year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int days_in(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

// Days since 1970-01-01, proleptic Gregorian.
std::int64_t days_since_epoch(int year, int month, int day) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = y / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

int year_of(TimeNs time) {
  std::int64_t days = time / kNsPerDay - (time % kNsPerDay < 0 ? 1 : 0);
  int year = static_cast<int>(1970 + days / 366);
  while (days >= days_since_epoch(year + 1, 1, 1)) ++year;
  while (days < days_since_epoch(year, 1, 1)) --year;
  return year;
}

bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// "0100", "01:00" or "01" behind the sign: the seconds, and how many bytes; 0 bytes for anything else.
struct Offset {
  std::int64_t seconds = 0;
  int length = 0;
};

Offset read_offset(const char* at, const char* end, bool bare_hours) {
  const auto left = end - at;
  if (left < 2 || !digits(at, 2) || number(at, 2) > 18) return {};
  const std::int64_t hours = number(at, 2) * 3600;
  const bool colon = left >= 3 && at[2] == ':';
  const int length = colon ? 5 : 4;
  if (left >= length && digits(at + length - 2, 2)) {
    if (number(at + length - 2, 2) > 59 || (left > length && is_digit(at[length]))) return {};
    return {hours + number(at + length - 2, 2) * 60, length};
  }
  const bool ends = left == 2 || (!is_digit(at[2]) && at[2] != '-' && !colon);
  return bare_hours && ends ? Offset{hours, 2} : Offset{};
}

bool is_utc(const char* at, const char* end) {
  if (end - at < 3 || (end - at > 3 && is_word(at[3]))) return false;
  const std::string_view name(at, 3);
  return name == "UTC" || name == "GMT";
}

}  // namespace

bool day_time(int year, int month, int day, TimeNs& out) {
  if (year < kFirstYear || year > kLastYear || month < 1 || month > 12 || day < 1 || day > days_in(year, month)) {
    return false;
  }
  out = days_since_epoch(year, month, day) * kNsPerDay;
  return true;
}

bool latest_day_time(int month, int day, TimeNs time_of_day, const TimeContext& context, TimeNs& out) {
  const TimeNs local = context.arrival + context.zone_seconds * kNsPerSecond;
  const int year = year_of(local);
  for (int y = year + 1; y >= year - 1; --y) {
    if (day_time(y, month, day, out) && out + time_of_day - local <= kClockAhead) return true;
  }
  return false;
}

int month_number(const char* at) {
  const auto key = static_cast<std::uint32_t>((at[0] | 0x20) << 16 | (at[1] | 0x20) << 8 | (at[2] | 0x20));
  constexpr std::array<std::uint32_t, 12> kKeys = {
      'j' << 16 | 'a' << 8 | 'n', 'f' << 16 | 'e' << 8 | 'b', 'm' << 16 | 'a' << 8 | 'r', 'a' << 16 | 'p' << 8 | 'r',
      'm' << 16 | 'a' << 8 | 'y', 'j' << 16 | 'u' << 8 | 'n', 'j' << 16 | 'u' << 8 | 'l', 'a' << 16 | 'u' << 8 | 'g',
      's' << 16 | 'e' << 8 | 'p', 'o' << 16 | 'c' << 8 | 't', 'n' << 16 | 'o' << 8 | 'v', 'd' << 16 | 'e' << 8 | 'c'};
  for (std::size_t i = 0; i < kKeys.size(); ++i) {
    if (kKeys[i] == key) return static_cast<int>(i) + 1;
  }
  return 0;
}

const char* read_zone(const char* at, const char* end, const TimeContext& context, TimeNs& time) {
  if (at == end) {
    time -= context.zone_seconds * kNsPerSecond;
    return at;
  }
  if ((*at == 'Z' || *at == 'z') && (at + 1 == end || !is_word(at[1]))) return at + 1;
  const bool spaced = *at == ' ';
  const char* const sign = spaced ? at + 1 : at;
  if (sign != end && (*sign == '+' || *sign == '-')) {
    const Offset offset = read_offset(sign + 1, end, !spaced);
    if (offset.length > 0) {
      time -= (*sign == '+' ? offset.seconds : -offset.seconds) * kNsPerSecond;
      return sign + 1 + offset.length;
    }
  }
  if (is_utc(sign, end)) return sign + 3;
  time -= context.zone_seconds * kNsPerSecond;
  return at;
}

}  // namespace logboom::parse
