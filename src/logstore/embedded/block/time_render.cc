#include "logstore/embedded/block/time_render.h"

#include <algorithm>

#include "logstore/embedded/block/bytes.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kZoneStep = 900;  // zones are whole quarters of an hour
constexpr std::int64_t kMaxZone = 14 * 3600;
constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::uint32_t kPowers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

struct Civil {
  std::int64_t year = 0;
  unsigned month = 0;  // 1..12
  unsigned day = 0;    // 1..31
};

// Days since 1970-01-01 in the Gregorian calendar, by eras of 400 years that begin in March.
Civil civil_of(std::int64_t days) {
  days += 719468;
  const std::int64_t era = floor_div(days, 146097);
  const auto day_of_era = static_cast<unsigned>(days - era * 146097);
  const unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * day_of_year + 2) / 153;
  Civil civil;
  civil.day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  civil.month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  civil.year = static_cast<std::int64_t>(year_of_era) + era * 400 + (civil.month <= 2 ? 1 : 0);
  return civil;
}

std::int64_t days_of(std::int64_t year, unsigned month, unsigned day) {
  if (month <= 2) --year;
  const std::int64_t era = floor_div(year, 400);
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + static_cast<std::int64_t>(day_of_era) - 719468;
}

void write_digits(std::uint64_t value, unsigned width, char* out) {
  for (unsigned i = width; i > 0; --i, value /= 10) out[i - 1] = static_cast<char>('0' + value % 10);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Recognises the parts of one stamp from left to right.
class Guess {
 public:
  explicit Guess(std::string_view text) : text_(text) {}

  std::optional<TimeFormat> run(TimeNs time) {
    if (text_.size() > TimeFormat::kMaxLength || text_.size() < 8) return std::nullopt;
    if (epoch()) return format_;
    const bool has_date = date();
    if (has_date && at_ < text_.size() && (text_[at_] == 'T' || text_[at_] == ':' || text_[at_] == '_')) literals(1);
    const bool has_clock = clock();
    if (!has_clock || !literals(text_.size() - at_)) return std::nullopt;
    return with_zone(time, has_date);
  }

 private:
  bool epoch() {
    std::size_t digits = 0;
    while (digits < text_.size() && is_digit(text_[digits])) ++digits;
    const bool whole = digits == text_.size();
    if (whole && (digits == 10 || digits == 13 || digits == 16 || digits == 19)) {
      number(TimeFormat::kEpoch, 10);
      if (digits > 10) number(TimeFormat::kFraction, digits - 10);
      return true;
    }
    if (digits != 10 || whole || text_[digits] != '.') return false;
    const std::size_t fraction = text_.size() - digits - 1;
    if (fraction == 0 || fraction > 9) return false;
    for (std::size_t i = digits + 1; i < text_.size(); ++i) {
      if (!is_digit(text_[i])) return false;
    }
    number(TimeFormat::kEpoch, 10);
    literals(1);
    number(TimeFormat::kFraction, fraction);
    return true;
  }

  bool date() {
    const std::size_t start = at_;
    const std::uint8_t count = format_.count;
    if (numeric_date() || named_date()) return true;
    at_ = start, format_.count = count;
    return false;
  }

  bool numeric_date() {  // 2026-11-20
    if (text_.size() < at_ + 10) return false;
    const char separator = text_[at_ + 4];
    if ((separator != '-' && separator != '/' && separator != '.') || text_[at_ + 7] != separator) return false;
    return number(TimeFormat::kYear, 4) && literals(1) && number(TimeFormat::kMonth, 2) && literals(1) &&
           number(TimeFormat::kDay, 2);
  }

  bool named_date() {  // 20/Nov/2026
    at_ = 0, format_.count = 0;
    if (text_.size() < 11) return false;
    const char separator = text_[2];
    if ((separator != '/' && separator != '-') || text_[6] != separator) return false;
    const std::size_t month = kMonths.find(text_.substr(3, 3));
    if (month == std::string_view::npos || month % 3 != 0) return false;
    if (!number(TimeFormat::kDay, 2) || !literals(1)) return false;
    month_ = static_cast<unsigned>(month / 3 + 1);
    push({TimeFormat::kMonthName, 3, 0});
    at_ += 3;
    return literals(1) && number(TimeFormat::kYear, 4);
  }

  bool clock() {
    if (!number(TimeFormat::kHour, 2) || !literal_is(':') || !number(TimeFormat::kMinute, 2) || !literal_is(':') ||
        !number(TimeFormat::kSecond, 2))
      return false;
    if (at_ + 1 < text_.size() && (text_[at_] == '.' || text_[at_] == ',') && is_digit(text_[at_ + 1])) {
      std::size_t digits = 0;
      while (at_ + 1 + digits < text_.size() && is_digit(text_[at_ + 1 + digits])) ++digits;
      if (digits > 9) return false;
      literals(1);
      number(TimeFormat::kFraction, digits);
    }
    return true;
  }

  std::optional<TimeFormat> with_zone(TimeNs time, bool has_date) {
    const std::int64_t utc = floor_div(time, kNsPerSecond);
    const std::int64_t clock =
        values_[TimeFormat::kHour] * 3600 + values_[TimeFormat::kMinute] * 60 + values_[TimeFormat::kSecond];
    std::int64_t zone = 0;
    if (has_date) {
      const auto month = month_ != 0 ? month_ : static_cast<unsigned>(values_[TimeFormat::kMonth]);
      if (month < 1 || month > 12) return std::nullopt;
      zone = days_of(values_[TimeFormat::kYear], month, static_cast<unsigned>(values_[TimeFormat::kDay])) * kDay +
             clock - utc;
    } else {
      zone = clock - (utc - floor_div(utc, kDay) * kDay);
      if (zone > kMaxZone) zone -= kDay;
      if (zone < -12 * 3600) zone += kDay;
    }
    if (zone % kZoneStep != 0 || zone > kMaxZone || zone < -kMaxZone) return std::nullopt;
    format_.zone_seconds = static_cast<std::int32_t>(zone);
    return format_;
  }

  bool number(TimeFormat::Field field, std::size_t width) {
    if (at_ + width > text_.size()) return false;
    std::int64_t value = 0;
    for (std::size_t i = at_; i < at_ + width; ++i) {
      if (!is_digit(text_[i])) return false;
      value = value * 10 + (text_[i] - '0');
    }
    values_[field] = value;
    at_ += width;
    return push({field, static_cast<std::uint8_t>(width), 0});
  }

  bool literals(std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
      if (at_ >= text_.size() || !push({TimeFormat::kLiteral, 1, text_[at_]})) return false;
      ++at_;
    }
    return true;
  }

  bool literal_is(char c) { return at_ < text_.size() && text_[at_] == c && literals(1); }

  bool push(TimeFormat::Part part) {
    if (format_.count == TimeFormat::kMaxParts) return false;
    format_.parts[format_.count++] = part;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  TimeFormat format_;
  std::array<std::int64_t, TimeFormat::kFieldCount> values_{};
  unsigned month_ = 0;
};

}  // namespace

std::size_t TimeFormat::length() const {
  std::size_t n = 0;
  for (std::size_t i = 0; i < count; ++i) n += parts[i].width;
  return n;
}

std::string TimeFormat::encode() const {
  std::string out;
  ByteWriter writer(out);
  writer.signed_varint(zone_seconds);
  for (std::size_t i = 0; i < count; ++i) {
    writer.u8(parts[i].field);
    writer.u8(parts[i].field == kLiteral ? static_cast<std::uint8_t>(parts[i].literal) : parts[i].width);
  }
  return out;
}

std::optional<TimeFormat> TimeFormat::decode(std::string_view bytes) {
  ByteReader in(bytes);
  TimeFormat format;
  const std::int64_t zone = in.signed_varint();
  if (zone < -kDay || zone > kDay) return std::nullopt;
  format.zone_seconds = static_cast<std::int32_t>(zone);
  constexpr std::uint8_t kWidths[kFieldCount] = {1, 4, 2, 3, 2, 2, 2, 2, 0, 10};
  while (in.left() > 0) {
    const std::uint8_t field = in.u8();
    const std::uint8_t argument = in.u8();
    if (!in.ok() || field >= kFieldCount || format.count == kMaxParts) return std::nullopt;
    Part part{static_cast<Field>(field), argument, 0};
    if (field == kLiteral) part = {kLiteral, 1, static_cast<char>(argument)};
    if (field == kFraction ? (argument < 1 || argument > 9) : part.width != kWidths[field]) return std::nullopt;
    format.parts[format.count++] = part;
  }
  if (format.length() > kMaxLength) return std::nullopt;
  return format;
}

std::optional<TimeFormat> TimeFormat::guess(std::string_view text, TimeNs time) {
  return Guess(text).run(time);
}

TimeRenderer::TimeRenderer(const TimeFormat& format) : format_(format), length_(format.length()) {
  std::size_t at = 0;
  fraction_at_ = length_;
  for (std::size_t i = 0; i < format.count; ++i) {
    if (format.parts[i].field == TimeFormat::kFraction) {
      fraction_at_ = at;
      fraction_width_ = format.parts[i].width;
      fraction_divisor_ = kPowers[9 - fraction_width_];
    }
    at += format.parts[i].width;
  }
}

std::string_view TimeRenderer::render(TimeNs time) {
  const std::int64_t second = floor_div(time, kNsPerSecond);
  second_changed_ = !started_ || second != second_;
  if (second_changed_) write_second(second);
  if (fraction_width_ != 0) {
    const std::uint32_t fraction = static_cast<std::uint32_t>(time - second * kNsPerSecond) / fraction_divisor_;
    if (second_changed_ || fraction != fraction_) write_digits(fraction, fraction_width_, text_.data() + fraction_at_);
    fraction_ = fraction;
  }
  return {text_.data(), length_};
}

void TimeRenderer::write_second(std::int64_t second) {
  started_ = true;
  second_ = second;
  const std::int64_t local = second + format_.zone_seconds;
  const std::int64_t days = floor_div(local, kDay);
  const auto clock = static_cast<std::uint64_t>(local - days * kDay);
  const Civil civil = civil_of(days);
  const std::uint64_t year = static_cast<std::uint64_t>(std::max<std::int64_t>(civil.year, 0));
  char* out = text_.data();
  for (std::size_t i = 0; i < format_.count; ++i) {
    const TimeFormat::Part& part = format_.parts[i];
    switch (part.field) {
      case TimeFormat::kLiteral:
        *out = part.literal;
        break;
      case TimeFormat::kYear:
        write_digits(year, 4, out);
        break;
      case TimeFormat::kMonth:
        write_digits(civil.month, 2, out);
        break;
      case TimeFormat::kMonthName:
        std::memcpy(out, kMonths.data() + (civil.month - 1) * 3, 3);
        break;
      case TimeFormat::kDay:
        write_digits(civil.day, 2, out);
        break;
      case TimeFormat::kHour:
        write_digits(clock / 3600, 2, out);
        break;
      case TimeFormat::kMinute:
        write_digits(clock / 60 % 60, 2, out);
        break;
      case TimeFormat::kSecond:
        write_digits(clock % 60, 2, out);
        break;
      case TimeFormat::kEpoch:
        write_digits(static_cast<std::uint64_t>(second), 10, out);
        break;
      case TimeFormat::kFraction:
      case TimeFormat::kFieldCount:
        break;
    }
    out += part.width;
  }
}

}  // namespace logboom::logstore::embedded
