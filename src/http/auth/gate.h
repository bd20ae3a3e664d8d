// Gate: the guard of logboom's own server. Host check before anything else, then who is it (Unix peer, Bearer token,
// session cookie), may they, and did the request come from our own page (Origin). Refuses fast: only a counted failure
// writes a line to disk, and back-off bounds those.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/auth/back_off.h"
#include "http/auth/event_log.h"
#include "http/auth/session_store.h"
#include "http/auth/token_store.h"
#include "http/guard.h"
#include "io/file_system.h"

namespace logboom::http {

inline constexpr std::string_view kCookieName = "logboom_session";

struct GateOptions {
  std::string data_directory;
  std::string listen = "127.0.0.1:7117";
  std::string public_url = {};                  // behind a reverse proxy: "https://logs.example.com"; empty: none
  std::vector<std::string> allowed_hosts = {};  // further names; the first is how other hosts reach this one
  bool tls = false;
  bool unix_group_is_admin = false;  // the socket's mode lets its group in, so whoever connects is of it
  std::chrono::seconds one_time_lifetime{3600};
};

// Thread-safe.
class Gate final : public Guard {
 public:
  // Reads tokens.json, sessions.json and access-events.ndjson in the data directory. `files` and `clock` outlive it.
  static Result<std::unique_ptr<Gate>> open(GateOptions options, FileSystem& files, const Clock& clock);

  std::optional<Refusal> admit(const Request& request) override;
  std::optional<Refusal> authorize(Request& request, const Route* route) override;

  // The port that was bound, for printed addresses when the listen port is 0.
  void set_port(std::uint16_t port) { port_ = port; }
  // A fresh one-time address for the page.
  struct SignInAddress {
    std::string url;
    TimeNs expires = 0;
  };
  SignInAddress sign_in_address(const std::string& who);
  // "https://logs.example.com": how this server is reached, without a slash at the end.
  enum class From { kThisHost, kOtherHosts };
  std::string base_url(From from = From::kThisHost) const;
  // Exchanges a one-time or an access token for a session. Gives the Set-Cookie header, or the refusal (401, 429).
  Result<std::string> sign_in(const Request& request, std::string_view token, std::optional<Refusal>& refusal);
  // Ends the session of the request, if any; gives the Set-Cookie header that clears it.
  Result<std::string> sign_out(const Request& request);
  Result<NewToken> create_token(const Request& by, const std::string& name, Role role, std::chrono::seconds lifetime);
  Status revoke_token(const Request& by, const std::string& id);

  TokenStore& tokens() { return *tokens_; }
  EventLog& events() { return *events_; }
  const GateOptions& options() const { return options_; }

 private:
  Gate(GateOptions options, const Clock& clock);
  bool host_allowed(const std::string& host) const;
  std::optional<Refusal> authenticate(Request& request);
  std::optional<Refusal> bearer(Request& request, std::string_view token);
  Refusal failed_attempt(const Request& request, std::string_view account, const char* what);
  std::optional<Refusal> check_origin(const Request& request) const;
  std::optional<Principal> principal_of_secret(std::string_view secret);
  std::string cookie_header(std::string_view value, std::chrono::seconds age) const;

  const GateOptions options_;
  std::string listen_host_;
  std::string public_host_;
  std::atomic<std::uint16_t> port_{0};
  std::unique_ptr<TokenStore> tokens_;
  std::unique_ptr<SessionStore> sessions_;
  std::unique_ptr<EventLog> events_;
  OneTimeTokens one_time_;
  BackOff back_off_;
};

}  // namespace logboom::http
