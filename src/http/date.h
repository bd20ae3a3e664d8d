// The dates of HTTP: "Sat, 21 Nov 2026 09:00:00 GMT".
#pragma once

#include <string_view>

#include "base/clock.h"

namespace logboom::http {

// As servers date their answers, exact to a second; 0: it is no such date.
TimeNs time_of_http_date(std::string_view date);

}  // namespace logboom::http
