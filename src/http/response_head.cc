#include "http/response_head.h"

#include <fmt/format.h>
#include <time.h>

namespace logboom::http {
namespace {

void append_clean(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) out += c;
  }
}

std::string http_date(TimeNs now) {
  const time_t seconds = now / kNsPerSecond;
  tm parts{};
  gmtime_r(&seconds, &parts);
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday], parts.tm_mday,
                     kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace

void append_header(std::string& out, std::string_view name, std::string_view value) {
  append_clean(out, name);
  out += ": ";
  append_clean(out, value);
  out += "\r\n";
}

std::string response_head(const Response& response, const HeadContext& context) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  for (const auto& [name, value] : response.headers) append_header(out, name, value);
  append_header(out, "X-Content-Type-Options", "nosniff");
  append_header(out, "Date", http_date(context.now));
  if (!context.keep_alive) append_header(out, "Connection", "close");
  if (context.chunked) append_header(out, "Transfer-Encoding", "chunked");
  if (context.length && response.status != 204) append_header(out, "Content-Length", std::to_string(*context.length));
  out += "\r\n";
  return out;
}

}  // namespace logboom::http
