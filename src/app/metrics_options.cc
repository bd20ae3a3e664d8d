#include "app/options.h"
#include "app/value_checks.h"
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

std::optional<std::string> url(std::string_view text) {
  if (text.empty() || authority_of_url(text)) return std::nullopt;
  return "a URL with http:// or https://, a host and a port, as in http://10.0.0.1:8086";
}

}  // namespace

config::OptionTable metrics_options() {
  return {
      {"metrics_store.kind",
       OptionType::kChoice,
       "embedded",
       "Where samples of hosts are stored: in the data directory, or in InfluxDB.",
       {"embedded", "influxdb"}},
      {"metrics_store.url", OptionType::kText, "", "InfluxDB, as in http://10.0.0.1:8086.", {}, false, url},
      {"metrics_store.database", OptionType::kText, "", "InfluxDB 1.x: the database; created when missing."},
      {"metrics_store.user", OptionType::kText, "", "InfluxDB 1.x: user to sign in as."},
      {"metrics_store.password", OptionType::kText, "", "The user's password.", {}, true},
      {"metrics_store.password_file", OptionType::kPath, "",
       "Holds the user's password, in the place of metrics_store.password."},
      {"metrics_store.org", OptionType::kText, "", "InfluxDB 2.x: the organisation."},
      {"metrics_store.bucket", OptionType::kText, "", "InfluxDB 2.x: the bucket."},
      {"metrics_store.token",
       OptionType::kText,
       "",
       "InfluxDB 2.x: a token that may write to the bucket and read it.",
       {},
       true},
      {"metrics_store.token_file", OptionType::kPath, "", "Holds the token, in the place of metrics_store.token."},
      {"metrics_store.tls_ca", OptionType::kPath, "",
       "Authorities in PEM that sign InfluxDB's certificate; default: the system's."},
      {"metrics_store.insecure_skip_verify", OptionType::kBoolean, "false",
       "Takes any certificate of InfluxDB, and warns about it: for trying out only."},
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
       whole_number(100, 10'000'000)},
  };
}

namespace {

void check_influx(const config::Settings& settings, std::vector<config::Problem>& problems) {
  const auto has = [&](const char* name) { return !settings.text(name).empty(); };
  const bool token = has("metrics_store.token") || has("metrics_store.token_file");
  const bool first = has("metrics_store.database");
  const bool second = has("metrics_store.org") && has("metrics_store.bucket") && token;
  const auto complain = [&](const char* message, const char* hint) {
    problems.push_back({settings.value("metrics_store.kind").origin, 0, 0, "", message, hint, false});
  };
  if (!has("metrics_store.url"))
    complain("metrics_store.kind is influxdb and metrics_store.url is not set", "as in http://10.0.0.1:8086");
  if (first == second)
    complain("metrics_store.kind is influxdb and its version is not clear",
             "name a database for InfluxDB 1.x, or org, bucket and token for 2.x");
}

}  // namespace

void check_metrics(const config::Settings& settings, std::vector<config::Problem>& problems) {
  if (settings.text("metrics_store.kind") == "influxdb") check_influx(settings, problems);
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
