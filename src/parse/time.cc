#include "parse/time.h"

#include <algorithm>

#include <fmt/format.h>

#include "parse/places.h"
#include "parse/stamp.h"
#include "parse/stamp_iso.h"

namespace logboom::parse {
namespace {

constexpr std::size_t kWindow = 256;

bool is_letter(char c) {
  return static_cast<unsigned char>((c | 0x20) - 'a') < 26;
}
bool is_word(char c) {
  return is_letter(c) || is_digit(c) || c == '_';
}

// A stamp may begin behind a space or an opening mark, not inside a word, a path, a version or another date.
bool may_precede(char lead) {
  return !is_word(lead) && lead != '-' && lead != '/' && lead != '.' && lead != '+' && lead != '%';
}

bool is_weekday(std::string_view name) {
  constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
  for (std::size_t i = 0; i < kDays.size(); i += 3) {
    if (kDays.substr(i, 3) == name) return true;
  }
  return false;
}

// One place where digits begin: tries what can stand there.
class Candidate {
 public:
  Candidate(std::string_view line, const TimeContext& context, TimeHint& hint)
      : line_(line), context_(context), hint_(hint) {}

  bool try_at(std::size_t at) {
    const char lead = at > 0 ? line_[at - 1] : '\0';
    if (lead == ' ' && try_syslog(at)) return true;
    if (is_letter(lead)) return try_klog(at);
    if (!may_precede(lead)) return false;
    std::size_t run = 1;
    while (run < 20 && at + run < line_.size() && is_digit(line_[at + run])) ++run;
    const char next = at + run < line_.size() ? line_[at + run] : '\0';
    switch (run) {
      case 1:
      case 2:
        return try_short_run(at, run, next, lead);
      case 4:
        return next != ' ' && take(kIsoStamp, at);
      case 6:
        return at == 0 && take(kCompactStamp, at);
      case 8:
        return take(kCompactStamp, at);
      case 10:
      case 13:
      case 16:
      case 19:
        return may_be_epoch(at) && take(kEpochStamp, at);
      default:
        return false;
    }
  }

  const FoundTime& found() const { return found_; }

  bool take(StampFormat format, std::size_t at) {
    const char lead = at > 0 ? line_[at - 1] : '\0';
    const StampText text{line_.data() + at, line_.data() + line_.size(), lead_of(format, at)};
    const Stamp stamp = read_stamp(format, text, context_, hint_);
    if (stamp.length == 0) return false;
    hint_.format = format;
    hint_.position = static_cast<std::uint16_t>(at);
    hint_.lead = lead;
    found_ = {stamp.time, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + stamp.length)};
    return true;
  }

 private:
  // Behind the name of a weekday a syslog stamp may have its year at the end: told to the reader as a space.
  char lead_of(StampFormat format, std::size_t at) const {
    if (format != kSyslogStamp) return '\0';
    return at >= 4 && line_[at - 1] == ' ' && is_weekday(line_.substr(at - 4, 3)) ? ' ' : '\0';
  }

  bool try_syslog(std::size_t at) {
    if (at < 4) return false;
    const std::size_t name = line_[at - 2] == ' ' && at >= 5 ? at - 5 : at - 4;
    if (!is_letter(line_[name]) || (name > 0 && is_word(line_[name - 1]))) return false;
    return take(kSyslogStamp, name);
  }

  bool try_klog(std::size_t at) {
    if (at >= 2 && is_word(line_[at - 2])) return false;
    return take(kKlogStamp, at - 1);
  }

  bool try_short_run(std::size_t at, std::size_t run, char next, char lead) {
    const bool named = at + run + 1 < line_.size() && is_letter(line_[at + run + 1]);
    const bool front = at == 0 || lead == '[';
    switch (next) {
      case '/':
        if (named) return take(kAccessStamp, at) || take(kDayStamp, at);
        return run == 2 && front && take(kShortStamp, at);
      case ' ':
        return named && take(kDayStamp, at);
      case '-':
        return named ? take(kDayStamp, at) : run == 2 && take(kMonthStamp, at);
      case '.':
        return run == 2 && (take(kDottedStamp, at) || (front && take(kMonthStamp, at)));
      default:
        return false;
    }
  }

  // A bare number is a time only where times are written so.
  bool may_be_epoch(std::size_t at) const {
    const std::string_view before = line_.substr(0, at);
    if (at == 0 || before == "- " || before == "[") return true;
    for (const std::string_view name : {"ts=", "time=", "timestamp=", "audit("}) {
      if (before.ends_with(name) && (before.size() == name.size() || !is_word(before[at - name.size() - 1])))
        return true;
    }
    return false;
  }

  const std::string_view line_;
  const TimeContext& context_;
  TimeHint& hint_;
  FoundTime found_;
};

// The line before had its stamp at this place; where the text before it varies in length, behind the same bracket.
bool take_hinted(std::string_view line, const TimeHint& hint, Candidate& candidate) {
  const auto format = static_cast<StampFormat>(hint.format);
  const std::size_t position = hint.position;
  const char lead = hint.lead;
  const bool same_lead = position < line.size() && (position == 0 || line[position - 1] == lead);
  if (same_lead && candidate.take(format, position)) return true;
  if (lead != '[') return false;
  const std::size_t bracket = line.find('[');
  return bracket < line.size() - 1 && candidate.take(format, bracket + 1);
}

// "2026-11-20", "2026-11-20 14:31" and "2026-11-20T14:31Z" as a whole stamp; empty for anything else.
std::string completed(std::string_view text) {
  const bool dated = text.size() >= 10 && is_digit(text[0]) && is_digit(text[9]) && text[4] == text[7];
  if (!dated) return {};
  if (text.size() == 10) return std::string(text) + "T00:00:00";
  if (text.size() < 16 || text.size() > 24 || text[13] != ':' || (text.size() > 16 && text[16] == ':')) return {};
  return fmt::format("{}:00{}", text.substr(0, 16), text.substr(16));
}

std::string_view without_weekday(std::string_view text) {
  if (text.size() < 5 || !is_weekday(text.substr(0, 3))) return text;
  if (text[3] == ' ') return text.substr(4);
  return text.substr(3, 2) == ", " ? text.substr(5) : text;
}

std::optional<TimeNs> parse_whole(std::string_view text, const TimeContext& context, TimeHint& hint) {
  Candidate candidate(text, context, hint);
  bool found = false;
  const std::size_t first = text.find_first_of("0123456789");
  if (first != std::string_view::npos) found = candidate.try_at(first);
  const FoundTime& time = candidate.found();
  const bool whole =
      time.end == text.size() && (time.begin == 0 || without_weekday(text).size() == time.end - time.begin);
  if (!found || !whole) return std::nullopt;
  return time.time;
}

}  // namespace

Stamp read_stamp(StampFormat format, const StampText& text, const TimeContext& context, TimeHint& hint) {
  switch (format) {
    case kIsoStamp:
      return read_iso(text, context, hint);
    case kSyslogStamp:
      return read_syslog(text, context, hint);
    case kAccessStamp:
      return read_access(text, context, hint);
    case kCompactStamp:
      return read_compact(text, context);
    case kDayStamp:
      return read_day(text, context);
    case kKlogStamp:
      return read_klog(text, context);
    case kMonthStamp:
      return read_month(text, context);
    case kDottedStamp:
      return read_dotted(text, context);
    case kShortStamp:
      return read_short(text, context);
    case kEpochStamp:
      return read_epoch(text);
    case kNoStamp:
      break;
  }
  return {};
}

std::optional<FoundTime> find_time(std::string_view line, const TimeContext& context, TimeHint& hint) {
  line = line.substr(0, kWindow);
  if (line.empty()) return std::nullopt;
  // The commonest case without a detour: an ISO stamp where the last one was.
  if (hint.format == kIsoStamp && hint.position < line.size() &&
      (hint.position == 0 || line[hint.position - 1] == hint.lead)) {
    const Stamp stamp = read_iso({line.data() + hint.position, line.data() + line.size(), 0}, context, hint);
    if (stamp.length > 0) [[likely]] {
      return FoundTime{stamp.time, hint.position, static_cast<std::uint32_t>(hint.position + stamp.length)};
    }
  }
  Candidate candidate(line, context, hint);
  const bool tried = hint.format == kIsoStamp && hint.lead != '[';
  if (hint.format != kNoStamp && !tried && take_hinted(line, hint, candidate)) [[likely]]
    return candidate.found();
  if (DigitRuns(line).each([&](std::size_t at) { return candidate.try_at(at); })) return candidate.found();
  return std::nullopt;
}

std::optional<TimeNs> parse_time(std::string_view text, const TimeContext& context, TimeHint& hint) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.empty() || text.size() > kWindow) return std::nullopt;
  if (hint.format != kNoStamp) [[likely]] {
    const StampText whole{text.data(), text.data() + text.size(), '\0'};
    const Stamp stamp = hint.format == kIsoStamp
                            ? read_iso(whole, context, hint)
                            : read_stamp(static_cast<StampFormat>(hint.format), whole, context, hint);
    if (stamp.length == text.size()) return stamp.time;
  }
  if (const auto time = parse_whole(text, context, hint)) return time;
  const std::string longer = completed(text);
  return longer.empty() ? std::nullopt : parse_whole(longer, context, hint);
}

std::optional<TimeNs> parse_time(std::string_view text, const TimeContext& context) {
  TimeHint hint;
  return parse_time(text, context, hint);
}

std::string format_time_utc(TimeNs time) {
  std::int64_t days = time / kNsPerDay;
  std::int64_t ns = time % kNsPerDay;
  if (ns < 0) ns += kNsPerDay, --days;
  // Gregorian date of a day number, by 400-year eras that begin in March.
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const std::int64_t day_of_era = days - era * 146'097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted = (5 * day_of_year + 2) / 153;
  const std::int64_t day = day_of_year - (153 * shifted + 2) / 5 + 1;
  const std::int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
  const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  const std::int64_t seconds = ns / kNsPerSecond;
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", year, month, day, seconds / 3600,
                                 seconds / 60 % 60, seconds % 60);
  const std::int64_t fraction = ns % kNsPerSecond;
  if (fraction != 0) {
    std::string digits_text = fmt::format(".{:09}", fraction);
    const std::size_t used = fraction % kNsPerMs == 0 ? 4 : fraction % kNsPerUs == 0 ? 7 : 10;
    text += digits_text.substr(0, used);
  }
  return text + "Z";
}

}  // namespace logboom::parse
