// Time stamps as text: finds how a stamp was written, and writes it again from the record's time, so that a stamp in
// the text costs no bytes where both agree (docs/formats/block.md, "Time stamps").
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace logboom::logstore::embedded {

// A sequence of fields and literal bytes, all of fixed width.
struct TimeFormat {
  enum Field : std::uint8_t {
    kLiteral,    // `literal`
    kYear,       // 4 digits
    kMonth,      // 2 digits
    kMonthName,  // Jan, Feb, ...
    kDay,        // 2 digits
    kHour,
    kMinute,
    kSecond,
    kFraction,  // `width` digits of the second
    kEpoch,     // `width` digits of seconds since 1970
    kFieldCount
  };
  struct Part {
    Field field = kLiteral;
    std::uint8_t width = 0;
    char literal = 0;
    bool operator==(const Part&) const = default;
  };
  static constexpr std::size_t kMaxParts = 32;
  static constexpr std::size_t kMaxLength = 48;

  std::array<Part, kMaxParts> parts{};
  std::uint8_t count = 0;
  std::int32_t zone_seconds = 0;  // east of UTC

  std::size_t length() const;
  std::string encode() const;
  // nullopt for damaged bytes.
  static std::optional<TimeFormat> decode(std::string_view bytes);
  // How `text` may have been written from `time`; nullopt when it is no stamp this knows. The caller checks by
  // rendering.
  static std::optional<TimeFormat> guess(std::string_view text, TimeNs time);
};

// Writes stamps of one format; quick for times that share their second. Not thread-safe.
class TimeRenderer {
 public:
  explicit TimeRenderer(const TimeFormat& format);
  // The text, valid until the next call. Years beyond 0..9999 give their last four digits.
  std::string_view render(TimeNs time);
  // Whether the last call changed anything but the fraction of the second.
  bool second_changed() const { return second_changed_; }
  // Where the fraction begins; length() when there is none.
  std::size_t fraction_at() const { return fraction_at_; }
  std::size_t length() const { return length_; }
  // The fraction of the last call, as a number of fraction_width() digits.
  std::uint32_t fraction() const { return fraction_; }
  unsigned fraction_width() const { return fraction_width_; }

 private:
  void write_second(std::int64_t second);

  TimeFormat format_;
  std::size_t length_ = 0;
  std::size_t fraction_at_ = 0;
  unsigned fraction_width_ = 0;
  std::uint32_t fraction_divisor_ = 1;
  bool started_ = false;
  bool second_changed_ = false;
  std::int64_t second_ = 0;
  std::uint32_t fraction_ = 0;
  std::array<char, TimeFormat::kMaxLength + 16> text_{};  // eight bytes behind its end are readable
};

}  // namespace logboom::logstore::embedded
