#include "http/date.h"

#include <ctime>
#include <string>

namespace logboom::http {

TimeNs time_of_http_date(std::string_view date) {
  std::tm tm{};
  const std::string text(date);
  const char* const end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &tm);
  return end == nullptr ? 0 : static_cast<TimeNs>(::timegm(&tm)) * kNsPerSecond;
}

}  // namespace logboom::http
