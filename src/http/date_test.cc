#include "http/date.h"

#include <gtest/gtest.h>

namespace logboom::http {
namespace {

TEST(HttpDate, IsReadAsServersWriteIt) {
  EXPECT_EQ(time_of_http_date("Sat, 21 Nov 2026 09:00:00 GMT"), 1795251600 * kNsPerSecond);
}

TEST(HttpDate, IsNoneForAnythingElse) {
  for (const char* text : {"", "now", "Sat, 21 Nov 2026", "2026-11-21T09:00:00Z", "Sat, 41 Nov 2026 09:00:00 GMT",
                           "Sat, 21 Nov 99999999999 09:00:00 GMT"})
    EXPECT_EQ(time_of_http_date(text), 0) << text;
}

}  // namespace
}  // namespace logboom::http
