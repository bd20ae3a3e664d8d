#include "app/options.h"
#include "app/value_checks.h"

namespace logboom::app {

using config::OptionType;

namespace {

bool is_endpoint(std::string_view text) {
  const bool url = text.find("://") != std::string_view::npos;
  const auto authority = authority_of_url(url ? std::string(text) : "http://" + std::string(text));
  return authority && !authority->host.empty() && !authority->port.empty();
}

// Whoever writes another % means a template of a kind that is not filled in.
std::optional<std::string> is_key(std::string_view text) {
  const std::size_t place = text.find('%');
  const bool filled = place != std::string_view::npos && text.substr(place + 1).starts_with('s');
  if (place == std::string_view::npos || (filled && text.find('%', place + 1) == std::string_view::npos))
    return std::nullopt;
  return "a key with %s once, for the host's IP, and no other %, as in collect_log_%s_conf";
}

}  // namespace

config::OptionTable etcd_options() {
  return {
      {"etcd.endpoints",
       OptionType::kList,
       "",
       "etcd: endpoints, HOST:PORT or https://HOST:PORT; any of them may be down.",
       {},
       false,
       each_item(is_endpoint,
                 "a list of endpoints with commas between them, as in 10.0.0.1:2379, https://etcd-2:2379")},
      {"etcd.collect_key",
       OptionType::kText,
       "collect_log_%s_conf",
       "etcd: the key with a host's rules; %s stands for the host's IP.",
       {},
       false,
       is_key},
      {"etcd.system_key",
       OptionType::kText,
       "collect_system_%s_conf",
       "etcd: the key that says how often a host's metrics are sampled, and to which topic; empty: none is read.",
       {},
       false,
       is_key},
      {"etcd.user", OptionType::kText, "", "etcd: user to sign in as."},
      {"etcd.password", OptionType::kText, "", "etcd: the user's password.", {}, true},
      {"etcd.password_file", OptionType::kPath, "", "etcd: holds the user's password, in the place of etcd.password."},
      {"etcd.tls_ca", OptionType::kPath, "",
       "etcd: authorities in PEM that sign its members' certificates; default: the system's."},
      {"etcd.tls_cert", OptionType::kPath, "", "etcd: this client's certificate in PEM, where etcd wants one."},
      {"etcd.tls_key", OptionType::kPath, "", "etcd: its private key in PEM."},
      {"etcd.insecure_skip_verify", OptionType::kBoolean, "false",
       "etcd: take any certificate. Whoever stands between may then change the rules."},
  };
}

}  // namespace logboom::app
