// Lines and values that may be times: nothing is read behind them, and what is found lies inside.
#include <string_view>

#include "base/check.h"
#include "parse/level.h"
#include "parse/time.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace logboom::parse;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  TimeContext context;
  context.arrival = 1'795'000'000'000'000'000;
  TimeHint hint;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t lf = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, lf - at);
    const auto found = find_time(line, context, hint);
    LB_CHECK(!found || (found->begin < found->end && found->end <= line.size()));
    (void)find_level(line, found ? found->begin : 0, found ? found->end : 0);
    if (found) {
      const auto again = find_time(line, context, hint);
      LB_CHECK(again && again->time == found->time);
    }
    if (const auto time = parse_time(line, context)) {
      const auto back = parse_time(format_time_utc(*time), context);
      LB_CHECK(back && *back == *time);
    }
    at = lf + 1;
  }
  return 0;
}
