#include "parse/level.h"

#include <algorithm>
#include <bit>

#include "parse/places.h"
#include "record/level_word.h"

namespace logboom::parse {
namespace {

constexpr std::size_t kWindow = 256;
constexpr std::size_t kLongestWord = 13;

bool is_lower(char c) {
  return static_cast<unsigned char>(c - 'a') < 26;
}
bool is_upper(char c) {
  return static_cast<unsigned char>(c - 'A') < 26;
}
bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}
bool is_letter(char c) {
  return is_lower(static_cast<char>(c | 0x20));
}
bool is_word(char c) {
  return is_letter(c) || is_digit(c) || c == '_';
}

Level level_of_priority(int priority) {
  constexpr std::array<Level, 8> kLevels = {Level::kFatal, Level::kFatal, Level::kFatal, Level::kError,
                                            Level::kWarn,  Level::kInfo,  Level::kInfo,  Level::kDebug};
  return kLevels[static_cast<std::size_t>(priority % 8)];
}

// "<34>" at the start of a line.
Level syslog_level(std::string_view line) {
  std::size_t at = 1;
  int priority = 0;
  for (; at < line.size() && at < 4 && is_digit(line[at]); ++at) priority = priority * 10 + (line[at] - '0');
  if (at == 1 || at >= line.size() || line[at] != '>' || priority > 191) return Level::kNone;
  return level_of_priority(priority);
}

// "I1120 14:31:58".
Level klog_level(std::string_view line) {
  if (line.size() < 7 || line[5] != ' ') return Level::kNone;
  for (std::size_t i = 1; i < 5; ++i) {
    if (!is_digit(line[i])) return Level::kNone;
  }
  switch (line[0]) {
    case 'D':
      return Level::kDebug;
    case 'I':
      return Level::kInfo;
    case 'W':
      return Level::kWarn;
    case 'E':
      return Level::kError;
    case 'F':
      return Level::kFatal;
    default:
      return Level::kNone;
  }
}

Level from_name(std::string_view name) {
  return level_from_name(name).value_or(Level::kNone);
}

// Letters that words for levels begin with.
constexpr std::uint32_t initials() {
  std::uint32_t bits = 0;
  for (const char c : std::string_view("ACDEFINPSTVW")) bits |= 1u << (c - 'A');
  return bits;
}

bool is_initial(char c) {
  return (initials() >> (c - 'A') & 1) != 0;
}

// A level word does not stand inside a word, a path, a name with dots.
bool blocks_before(char c) {
  return is_word(c) || c == '-' || c == '/' || c == '.' || c == '$' || c == '%';
}
bool blocks_behind(char c) {
  return is_word(c) || c == '-' || c == '=';
}

// Looks for a level in [begin, end) of a line.
class Search {
 public:
  Search(std::string_view line, std::size_t begin, std::size_t end) : text_(line.substr(0, end)), begin_(begin) {}

  Level run() {
    // Mostly the level is the first word.
    std::size_t start = begin_;
    while (start < text_.size() && start < begin_ + 8 && !is_letter(text_[start]) && text_[start] != '=') ++start;
    if (is_upper(byte(start))) {
      const Level level = upper_word(start);
      if (level != Level::kNone) return level;
    } else {
      const Level level = first_word();
      if (level != Level::kNone) return level;
    }
    for (std::size_t offset = begin_; offset < text_.size(); offset += 64) {
      for (std::uint64_t places = places_at(text_, offset); places != 0; places &= places - 1) {
        const std::size_t place = offset + static_cast<std::size_t>(std::countr_zero(places));
        if (is_upper(text_[place]) && !is_initial(text_[place])) continue;
        const Level level = at(place);
        if (level != Level::kNone) return level;
      }
    }
    return Level::kNone;
  }

 private:
  char byte(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }

  std::string_view letters(std::size_t begin) const {
    std::size_t end = begin;
    while (end < text_.size() && end - begin <= kLongestWord && is_letter(text_[end])) ++end;
    return text_.substr(begin, end - begin);
  }

  // "error: text": what compilers, daemons and shells write.
  Level first_word() const {
    std::size_t begin = begin_;
    while (begin < text_.size() && (text_[begin] == ' ' || text_[begin] == '\t')) ++begin;
    if (!is_lower(byte(begin))) return Level::kNone;
    const std::string_view word = letters(begin);
    return byte(begin + word.size()) == ':' ? from_name(word) : Level::kNone;
  }

  Level at(std::size_t place) const {
    switch (text_[place]) {
      case '[':
        return in_brackets(place + 1);
      case '=':
        return after_equals(place);
      default:
        return upper_word(place);
    }
  }

  // A level in upper case: a word of its own, in doubtful cases with a colon or bracket behind it.
  Level upper_word(std::size_t begin) const {
    if (begin > begin_ && blocks_before(text_[begin - 1])) return Level::kNone;
    if (text_.size() - begin < 9) [[unlikely]]
      return short_upper_word(begin);
    const LeadingWord word = leading_word(text_.data() + begin, true);
    const char next = text_[begin + word.length];
    const LevelWord found = find_level_word(word.word);
    if (found.level == Level::kNone || blocks_behind(next)) return word.length == 8 ? long_word(begin) : Level::kNone;
    return found.ambiguous && next != ':' && next != ']' ? Level::kNone : found.level;
  }

  // The same at the end of the text.
  Level short_upper_word(std::size_t begin) const {
    std::array<char, 9> bytes{};
    std::copy(text_.begin() + static_cast<std::ptrdiff_t>(begin), text_.end(), bytes.begin());
    const LeadingWord word = leading_word(bytes.data(), true);
    const char next = bytes[word.length];
    const LevelWord found = find_level_word(word.word);
    if (blocks_behind(next) || (found.ambiguous && next != ':' && next != ']')) return Level::kNone;
    return found.level;
  }

  // "EMERGENCY", "INFORMATIONAL".
  Level long_word(std::size_t begin) const {
    std::size_t end = begin;
    while (end < text_.size() && end - begin <= kLongestWord && is_upper(text_[end])) ++end;
    return blocks_behind(byte(end)) ? Level::kNone : from_name(text_.substr(begin, end - begin));
  }

  // "[error]", "[ warn ]", "[core:error]".
  Level in_brackets(std::size_t begin) const {
    while (byte(begin) == ' ') ++begin;
    if (!is_letter(byte(begin))) return Level::kNone;
    std::string_view word = letters(begin);
    std::size_t end = begin + word.size();
    if (byte(end) == ':' || byte(end) == '_') {
      while (end < text_.size() && end - begin < 40 && (is_word(text_[end]))) ++end;
      if (byte(end) != ':') return Level::kNone;
      word = letters(end + 1);
      end += 1 + word.size();
    }
    while (byte(end) == ' ') ++end;
    return byte(end) == ']' ? from_name(word) : Level::kNone;
  }

  // "level=info", "lvl=\"warn\"", "severity=error".
  Level after_equals(std::size_t equals) const {
    const std::string_view before = text_.substr(begin_, equals - begin_);
    if (before.empty() || (before.back() != 'l' && before.back() != 'y')) return Level::kNone;
    for (const std::string_view name : {"level", "lvl", "severity", "loglevel"}) {
      if (!before.ends_with(name)) continue;
      if (before.size() > name.size() && is_word(before[before.size() - name.size() - 1])) continue;
      const std::size_t begin = equals + (byte(equals + 1) == '"' ? 2 : 1);
      const std::string_view word = letters(begin);
      return is_digit(byte(begin + word.size())) ? Level::kNone : from_name(word);
    }
    return Level::kNone;
  }

  const std::string_view text_;
  const std::size_t begin_;
};

}  // namespace

Level find_level(std::string_view line, std::size_t stamp_begin, std::size_t stamp_end) {
  if (line.empty()) return Level::kNone;
  if (line[0] == '<') {
    const Level level = syslog_level(line);
    if (level != Level::kNone) return level;
  } else if (is_upper(line[0])) {
    const Level level = klog_level(line);
    if (level != Level::kNone) return level;
  }
  // "ERROR 2026-11-20 ...", "level=info ts=...": the level may stand before the stamp, an address does not matter.
  if (stamp_begin >= 4 && stamp_begin <= line.size() && !is_digit(line[0])) {
    const Level level = Search(line, 0, stamp_begin).run();
    if (level != Level::kNone) return level;
  }
  if (stamp_end >= line.size()) return Level::kNone;
  // An access log has no levels, whatever its addresses say.
  if (stamp_begin > 0 && line.substr(stamp_end).starts_with("] \"")) return Level::kNone;
  return Search(line, stamp_end, stamp_end + kWindow).run();
}

}  // namespace logboom::parse
