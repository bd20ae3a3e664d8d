// logboom's own log: one line per event on stderr, as text or JSON, repeated messages collapsed. INFO: what an
// operator wants to know once. WARN: recovered. ERROR: data lost or a person needed. Thread-safe. Secrets are never
// passed here; bytes from outside go through printable().
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace logboom {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kText, kJson };

// Called once by main before threads start; the default is kInfo, kText.
void configure_log(LogLevel level, LogFormat format);
// Writes the line, unless below the level. A message equal to the previous one is counted and written as
// "(repeated N times)" before the next different one.
void write_log(LogLevel level, std::string_view message);

// The bytes with control characters, DEL, invalid UTF-8 and bidi controls escaped (\n, \x1b, \u202e), for one line on a
// terminal.
std::string printable(std::string_view bytes);

template <typename... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  write_log(LogLevel::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  write_log(LogLevel::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_warn(fmt::format_string<Args...> format, Args&&... args) {
  write_log(LogLevel::kWarn, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  write_log(LogLevel::kError, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace logboom
