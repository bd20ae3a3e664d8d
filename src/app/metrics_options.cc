#include "app/options.h"
#include "config/settings.h"

namespace logboom::app {

using config::OptionType;

namespace {

// Ages are kept in whole hours.
std::optional<std::string> age(std::string_view text) {
  const auto parsed = config::parse_duration(text);
  if (parsed.ok() && *parsed >= std::chrono::hours(1) && *parsed <= std::chrono::hours(24 * 366 * 100))
    return std::nullopt;
  return "a duration from 1h to 100 years, as in 7d";
}

std::optional<std::string> series_count(std::string_view text) {
  const bool digits = text.find_first_not_of("0123456789") == std::string_view::npos;
  const long count = digits && text.size() <= 8 ? std::stol(std::string(text)) : 0;
  if (count >= 100 && count <= 10'000'000) return std::nullopt;
  return "a whole number from 100 to 10000000";
}

}  // namespace

config::OptionTable metrics_options() {
  return {
      {"metrics_store.retention.raw",
       OptionType::kDuration,
       "7d",
       "How long samples of hosts are kept as they came.",
       {},
       false,
       age},
      {"metrics_store.retention.minute",
       OptionType::kDuration,
       "90d",
       "How long what they came to per minute is kept: least, greatest, mean, last and number.",
       {},
       false,
       age},
      {"metrics_store.retention.hour",
       OptionType::kDuration,
       "730d",
       "How long what they came to per hour is kept.",
       {},
       false,
       age},
      {"metrics_store.max_series",
       OptionType::kInteger,
       "100000",
       "Series of samples that are known at once, each about 500 bytes of memory; samples of further ones are "
       "quarantined.",
       {},
       false,
       series_count},
  };
}

void check_metrics(const config::Settings& settings, std::vector<config::Problem>& problems) {
  constexpr const char* kTiers[] = {"metrics_store.retention.raw", "metrics_store.retention.minute",
                                    "metrics_store.retention.hour"};
  for (int i = 1; i < 3; ++i) {
    if (settings.duration(kTiers[i]) >= settings.duration(kTiers[i - 1])) continue;
    problems.push_back({settings.value(kTiers[i]).origin, 0, 0, "",
                        std::string(kTiers[i]) + " is shorter than " + kTiers[i - 1],
                        "coarser values must be kept at least as long as finer ones", false});
  }
}

}  // namespace logboom::app
