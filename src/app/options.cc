#include "app/options.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "http/certificate.h"
#include "http/url.h"

namespace logboom::app {

using config::OptionType;
using config::ValueCheck;

namespace {

ValueCheck size_between(const char* least, const char* most) {
  return [=](std::string_view text) -> std::optional<std::string> {
    const ByteSize size = *ByteSize::parse(text);
    if (size >= *ByteSize::parse(least) && size <= *ByteSize::parse(most)) return std::nullopt;
    return fmt::format("a size from {} to {}", least, most);
  };
}

std::optional<std::string> auto_or_size(std::string_view text) {
  if (text == "auto" || ByteSize::parse(text).ok()) return std::nullopt;
  return "auto or a size, as in 20GB; 0: no limit";
}

ValueCheck integer_between(std::int64_t least, std::int64_t most) {
  return [=](std::string_view text) -> std::optional<std::string> {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    if (value >= least && value <= most) return std::nullopt;
    return fmt::format("a whole number from {} to {}", least, most);
  };
}

bool is_host(const std::string& host) {
  in6_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) == 1 || ::inet_pton(AF_INET6, host.c_str(), &address) == 1)
    return true;
  const auto in_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  };
  const bool is_number = host.find_first_not_of("0123456789.") == std::string::npos;  // 300.1.1.1
  return !is_number && host.size() <= 253 && std::all_of(host.begin(), host.end(), in_name);
}

std::optional<std::string> listen_address(std::string_view text) {
  const auto authority = http::parse_authority(text);
  if (authority.ok() && is_host(authority->host)) return std::nullopt;
  return "an address and a port, as in 127.0.0.1:7117, [::1]:7117 or 0.0.0.0:443";
}

std::optional<std::string> auto_or_ip(std::string_view text) {
  in6_addr address{};
  const std::string ip(text);
  const bool is_ip =
      ::inet_pton(AF_INET, ip.c_str(), &address) == 1 || ::inet_pton(AF_INET6, ip.c_str(), &address) == 1;
  if (text == "auto" || is_ip) return std::nullopt;
  return "auto or an IP address";
}

std::optional<std::string> optional_url(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const std::size_t scheme = text.find("://");
  const bool known = text.starts_with("http://") || text.starts_with("https://");
  if (known && text.find_first_of("?# \"\\") == std::string_view::npos) {
    const std::string_view rest = text.substr(scheme + 3);
    const auto authority = http::parse_authority(rest.substr(0, rest.find('/')));
    if (authority.ok() && is_host(authority->host)) return std::nullopt;
  }
  return "a URL with http:// or https:// and a host, as in https://logs.example.com";
}

std::optional<std::string> optional_fingerprint(std::string_view text) {
  if (text.empty() || http::parse_fingerprint(text).ok()) return std::nullopt;
  return "a SHA-256 fingerprint: 64 hexadecimal digits";
}

// "logboom.yaml:3", "--server.tls_cert": where a value came from, as the place of a problem.
config::Problem problem_of(const config::Settings& settings, const char* name, std::string message, std::string hint) {
  return {settings.value(name).origin, 0, 0, "", std::move(message), std::move(hint), false};
}

config::OptionTable host_options() {
  return {
      {"data_dir", OptionType::kPath, "auto",
       "Where the store, tokens and the program's own rules lie; auto: /var/lib/logboom for root, else "
       "~/.local/state/logboom."},
      {"agent.name", OptionType::kText, "auto", "The host's name on every record; auto: what the system says."},
      {"agent.ip",
       OptionType::kText,
       "auto",
       "This host's IP in keys of etcd; auto: the address it has on its way to the world, else to etcd.",
       {},
       false,
       auto_or_ip},
      {"agent.key_file", OptionType::kPath, "auto",
       "The secret behind this host's source ids; auto: /etc/logboom/agent.key, else ~/.config/logboom/agent.key."},
      {"agent.server",
       OptionType::kText,
       "",
       "Where an agent sends to: http://HOST:PORT or https://HOST:PORT.",
       {},
       false,
       optional_url},
      {"agent.token_file", OptionType::kPath, "auto",
       "Holds the agent's token; auto: agent.token beside the agent's key."},
      {"agent.tls_fingerprint",
       OptionType::kText,
       "",
       "Pins the server of an https:// address: SHA-256 of its public key or certificate; then no authority is asked. "
       "`logboom enroll` sets it.",
       {},
       false,
       optional_fingerprint},
      {"agent.tls_ca", OptionType::kPath, "", "Authorities in PEM that sign the server; default: the system's."},
      {"agent.tls_cert", OptionType::kPath, "",
       "This host's certificate in PEM, where the server or a proxy wants one."},
      {"agent.tls_key", OptionType::kPath, "", "Its private key in PEM."},
      {"agent.insecure_skip_verify", OptionType::kBoolean, "false",
       "Takes any certificate of the server, and warns about it: for trying out only."},
      {"rules.from",
       OptionType::kChoice,
       "auto",
       "Where collection rules come from; auto: the configuration file, and the server for an agent without one.",
       {"auto", "file", "server", "etcd"}},
      {"rules.start",
       OptionType::kChoice,
       "beginning",
       "Where files are read from that are there when a rule of etcd starts, if the rule does not say; files that "
       "appear later are always read from their beginning.",
       {"beginning", "end"}},
  };
}

config::OptionTable logs_options() {
  return {
      {"logs.kind",
       OptionType::kChoice,
       "embedded",
       "Where records are stored: in the data directory, or in OpenSearch or Elasticsearch (elastic.url).",
       {"embedded", "elastic"}},
      {"logs.retention.age", OptionType::kDuration, "30d",
       "Records older than this (by arrival, rounded up to hours) are deleted, a whole file at a time; 0 keeps them "
       "for "
       "ever."},
      {"logs.retention.size",
       OptionType::kText,
       "auto",
       "The oldest files are deleted when the store is larger than this; auto: the smaller of 10 GB and 10% of the "
       "disk; 0: no limit.",
       {},
       false,
       auto_or_size},
      {"logs.file_size",
       OptionType::kSize,
       "1500MB",
       "A file of the store is closed at this size, and every day.",
       {},
       false,
       size_between("64KiB", "1TB")},
      {"logs.query_memory",
       OptionType::kSize,
       "64MiB",
       "Memory all running searches share.",
       {},
       false,
       size_between("1MiB", "1TB")},
      {"logs.workers",
       OptionType::kInteger,
       "0",
       "Threads that build blocks and threads that search; 0: the number of cores.",
       {},
       false,
       integer_between(0, 1024)},
  };
}

config::OptionTable server_options() {
  return {
      {"server.listen",
       OptionType::kText,
       "127.0.0.1:7117",
       "Address and port of the page and the API.",
       {},
       false,
       listen_address},
      {"server.public_url",
       OptionType::kText,
       "",
       "The address people use, when a reverse proxy stands before the program.",
       {},
       false,
       optional_url},
      {"server.tls",
       OptionType::kChoice,
       "auto",
       "Whether page and API are served over TLS; auto: where a certificate is given or the address is reachable from "
       "other hosts. Without a certificate of its own choice the program makes one in the data directory. off: never, "
       "and whoever is on the way reads tokens and logs.",
       {"auto", "on", "off"}},
      {"server.tls_cert", OptionType::kPath, "",
       "Certificate chain in PEM; with server.tls_key the page is served over TLS."},
      {"server.tls_key", OptionType::kPath, "", "Private key in PEM."},
  };
}

config::OptionTable limit_options() {
  return {
      {"limits.memory",
       OptionType::kSize,
       "128MB",
       "Everything between reading and acknowledgement together.",
       {},
       false,
       size_between("8MB", "1TB")},
      {"limits.line",
       OptionType::kSize,
       "1MiB",
       "Longer lines leave in numbered fragments.",
       {},
       false,
       size_between("64", "256MiB")},
  };
}

}  // namespace

config::OptionTable all_options() {
  config::OptionTable options;
  for (const auto& table : {host_options, etcd_options, transport_options, logs_options, elastic_options,
                            metrics_options, server_options, limit_options}) {
    std::ranges::move(table(), std::back_inserter(options));
  }
  return options;
}

std::vector<std::string> rule_keys() {
  return {"collect", "configpath", "metrics"};
}

namespace {

void check_pair(const config::Settings& settings, const char* certificate, const char* key,
                std::vector<config::Problem>& problems) {
  const bool has_certificate = !settings.text(certificate).empty();
  if (has_certificate == !settings.text(key).empty()) return;
  const char* given = has_certificate ? certificate : key;
  const char* missing = has_certificate ? key : certificate;
  problems.push_back(problem_of(settings, given, fmt::format("{} is set, {} is not", given, missing),
                                "TLS needs both: the certificate chain and its private key, in PEM"));
}

}  // namespace

void check_together(const config::Settings& settings, std::vector<config::Problem>& problems) {
  check_pair(settings, "server.tls_cert", "server.tls_key", problems);
  check_pair(settings, "agent.tls_cert", "agent.tls_key", problems);
  check_metrics(settings, problems);
  const ByteSize memory = settings.size("limits.memory");
  const ByteSize line = settings.size("limits.line");
  if (line.bytes() > memory.bytes() / 8) {
    problems.push_back(problem_of(settings, settings.is_default("limits.line") ? "limits.memory" : "limits.line",
                                  fmt::format("limits.line ({}) is more than an eighth of limits.memory ({})",
                                              settings.text("limits.line"), settings.text("limits.memory")),
                                  "a line waits whole in memory: make limits.memory larger or limits.line smaller"));
  }
}

}  // namespace logboom::app
