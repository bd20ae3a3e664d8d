#include "parse/json_head.h"

#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace logboom::parse {
namespace {

constexpr int kMaxDepth = 64;

enum class Role { kNone, kTime, kLevel, kLogObject };

// The first '"' or '\\' at or behind `at`, or `end`.
const char* find_quote(const char* at, const char* end) {
#if defined(__x86_64__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i slash = _mm_set1_epi8('\\');
  for (; end - at >= 16; at += 16) {
    const __m128i part = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(part, quote), _mm_cmpeq_epi8(part, slash));
    const auto bits = static_cast<unsigned>(_mm_movemask_epi8(hit));
    if (bits != 0) return at + std::countr_zero(bits);
  }
#endif
  while (at != end && *at != '"' && *at != '\\') ++at;
  return at;
}

// Compares with a literal of the same length: of constant size, so no call.
template <std::size_t kSize>
bool is(std::string_view key, const char (&literal)[kSize]) {
  return std::memcmp(key.data(), literal, kSize - 1) == 0;
}

Role role_of(std::string_view key) {
  switch (key.size()) {
    case 1:
      return is(key, "t") ? Role::kTime : Role::kNone;
    case 2:
      return is(key, "ts") ? Role::kTime : Role::kNone;
    case 3:
      return is(key, "lvl") ? Role::kLevel : is(key, "log") ? Role::kLogObject : Role::kNone;
    case 4:
      return is(key, "time") || is(key, "date") ? Role::kTime : Role::kNone;
    case 5:
      return is(key, "level") ? Role::kLevel : Role::kNone;
    case 8:
      return is(key, "severity") || is(key, "loglevel") ? Role::kLevel : Role::kNone;
    case 9:
      return is(key, "timestamp") ? Role::kTime : is(key, "log.level") ? Role::kLevel : Role::kNone;
    case 10:
      return is(key, "@timestamp") ? Role::kTime : Role::kNone;
    default:
      return Role::kNone;
  }
}

// 0 to 7 as in syslog, 10 to 60 as bunyan and pino count.
Level level_of_number(std::string_view text) {
  int value = 0;
  if (text.empty() || text.size() > 2) return Level::kNone;
  for (const char c : text) {
    if (c < '0' || c > '9') return Level::kNone;
    value = value * 10 + (c - '0');
  }
  switch (value) {
    case 0:
    case 1:
    case 2:
      return Level::kFatal;
    case 3:
      return Level::kError;
    case 4:
      return Level::kWarn;
    case 5:
    case 6:
      return Level::kInfo;
    case 7:
      return Level::kDebug;
    case 10:
      return Level::kTrace;
    case 20:
      return Level::kDebug;
    case 30:
      return Level::kInfo;
    case 40:
      return Level::kWarn;
    case 50:
      return Level::kError;
    case 60:
      return Level::kFatal;
    default:
      return Level::kNone;
  }
}

Level level_of(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (const auto level = level_from_name(text)) return *level;
  return level_of_number(text);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The value of a short string with escapes, as far as it is ASCII; empty for others: they name nothing and are no time.
std::string unescaped_ascii(std::string_view raw) {
  std::string out;
  if (raw.size() > 256) return out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\') {
      out += raw[i];
      continue;
    }
    if (++i == raw.size()) return {};
    if (raw[i] == '"' || raw[i] == '\\' || raw[i] == '/') {
      out += raw[i];
    } else if (raw[i] == 'u' && i + 4 < raw.size() && raw.substr(i + 1, 2) == "00") {
      const int high = hex_digit(raw[i + 3]);
      const int low = hex_digit(raw[i + 4]);
      if (high < 0 || high > 7 || low < 0) return {};
      out += static_cast<char>(high * 16 + low);
      i += 4;
    } else {
      return {};
    }
  }
  return out;
}

class HeadScan {
 public:
  HeadScan(std::string_view text, const TimeContext& context, TimeHint& hint, JsonHead& head)
      : at_(text.data()), end_(text.data() + text.size()), context_(context), hint_(hint), head_(head) {}

  // False for what is no JSON object.
  bool run() {
    skip_space();
    if (!take('{')) return false;
    return members(false);
  }

 private:
  struct Text {
    std::string_view raw;
    bool escaped = false;
  };

  bool done() const { return head_.has_time && head_.level != Level::kNone; }
  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
  }
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  // Behind the opening brace: members until the closing one, or until all is found. `in_log`: inside "log":{...}.
  bool members(bool in_log) {
    skip_space();
    if (take('}')) return true;
    for (;;) {
      Text key;
      if (!string(key)) return false;
      skip_space();
      if (!take(':')) return false;
      skip_space();
      if (!member(key, in_log)) return false;
      if (done()) return true;
      skip_space();
      if (take('}')) return true;
      if (!take(',')) return false;
      skip_space();
    }
  }

  bool member(const Text& key, bool in_log) {
    if (key.escaped) [[unlikely]] {
      const std::string plain = unescaped_ascii(key.raw);
      return value(in_log ? log_role(plain) : role_of(plain));
    }
    return value(in_log ? log_role(key.raw) : role_of(key.raw));
  }

  static Role log_role(std::string_view key) { return key == "level" ? Role::kLevel : Role::kNone; }

  bool value(Role role) {
    if (at_ == end_) return false;
    if (*at_ == '"') {
      Text text;
      if (!string(text)) return false;
      if (role == Role::kTime || role == Role::kLevel) use(role, text);
      return true;
    }
    if (*at_ == '{' || *at_ == '[') {
      if (role == Role::kLogObject && *at_ == '{') return ++at_, members(true);
      return nested();
    }
    const char* const begin = at_;
    while (at_ != end_ && *at_ != ',' && *at_ != '}' && *at_ != ']' && static_cast<unsigned char>(*at_) > ' ') ++at_;
    if (at_ == begin) return false;
    if (role == Role::kTime || role == Role::kLevel) use(role, {{begin, static_cast<std::size_t>(at_ - begin)}, false});
    return true;
  }

  void use(Role role, const Text& text) {
    if (text.escaped) [[unlikely]] {
      use_plain(role, unescaped_ascii(text.raw));
    } else {
      use_plain(role, text.raw);
    }
  }

  void use_plain(Role role, std::string_view text) {
    if (role == Role::kLevel) {
      if (head_.level == Level::kNone) head_.level = level_of(text);
    } else if (!head_.has_time) {
      const auto time = parse_time(text, context_, hint_);
      head_.has_time = time.has_value();
      head_.time = time.value_or(0);
    }
  }

  bool string(Text& out) {
    if (!take('"')) return false;
    const char* const begin = at_;
    for (;;) {
      at_ = find_quote(at_, end_);
      if (at_ == end_) return false;
      if (*at_ == '"') break;
      out.escaped = true;
      if (end_ - at_ < 2) return at_ = end_, false;
      at_ += 2;
    }
    out.raw = std::string_view(begin, static_cast<std::size_t>(at_ - begin));
    ++at_;
    return true;
  }

  // Steps over an object or array without looking at more than its brackets and strings.
  bool nested() {
    int depth = 0;
    while (at_ != end_) {
      switch (*at_) {
        case '"': {
          Text ignored;
          if (!string(ignored)) return false;
          continue;
        }
        case '{':
        case '[':
          if (++depth > kMaxDepth) return false;
          break;
        case '}':
        case ']':
          if (--depth == 0) return ++at_, true;
          break;
        default:
          break;
      }
      ++at_;
    }
    return false;
  }

  const char* at_;
  const char* const end_;
  const TimeContext& context_;
  TimeHint& hint_;
  JsonHead& head_;
};

}  // namespace

bool scan_json_head(std::string_view text, const TimeContext& context, TimeHint& hint, JsonHead& head) {
  return HeadScan(text, context, hint, head).run();
}

}  // namespace logboom::parse
