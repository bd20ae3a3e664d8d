#include "base/log.h"

#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/dup_filter_sink.h>
#include <spdlog/spdlog.h>

namespace logboom {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

LogFormat& current_format() {
  static LogFormat format = LogFormat::kText;
  return format;
}

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto repeats = std::make_shared<spdlog::sinks::dup_filter_sink_mt>(std::chrono::seconds(10));
    repeats->add_sink(std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>());
    auto made = std::make_shared<spdlog::logger>("logboom", repeats);
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *instance;
}

void append_json_string(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", c);
    } else {
      out += c;
    }
  }
}

// Length of the valid UTF-8 sequence at the start of `bytes`, 0 if invalid; sets the code point.
std::size_t decode_utf8(std::string_view bytes, char32_t& code_point) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length == 0 || first > 0xf4 || bytes.size() < length) return 0;
  if (length == 1) return code_point = first, 1;
  code_point = first & (0xff >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code_point = (code_point << 6) | (byte(i) & 0x3f);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  return code_point < kLeast[length] || code_point > 0x10ffff || surrogate ? 0 : length;
}

bool is_bidi_or_c1(char32_t c) {
  return (c >= 0x80 && c < 0xa0) || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0x2028 || c == 0x2029 || c == 0xfeff;
}

}  // namespace

void configure_log(LogLevel level, LogFormat format) {
  current_format() = format;
  logger().set_level(to_spdlog(level));
  if (format == LogFormat::kJson) {
    logger().set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":"%v"})");
  }
}

void write_log(LogLevel level, std::string_view message) {
  if (current_format() == LogFormat::kText) {
    logger().log(to_spdlog(level), spdlog::string_view_t(message.data(), message.size()));
    return;
  }
  std::string escaped;
  append_json_string(escaped, message);
  logger().log(to_spdlog(level), spdlog::string_view_t(escaped.data(), escaped.size()));
}

std::string printable(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    char32_t code_point = 0;
    const std::size_t length = decode_utf8(bytes, code_point);
    if (length == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes[0]));
      bytes.remove_prefix(1);
      continue;
    }
    if (code_point == '\n') {
      out += "\\n";
    } else if (code_point == '\t') {
      out += "\\t";
    } else if (code_point < 0x20 || code_point == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(code_point));
    } else if (is_bidi_or_c1(code_point)) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(code_point));
    } else {
      out += bytes.substr(0, length);
    }
    bytes.remove_prefix(length);
  }
  return out;
}

}  // namespace logboom
