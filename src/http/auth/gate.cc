#include "http/auth/gate.h"

#include <algorithm>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <unistd.h>

#include "http/url.h"

namespace logboom::http {
namespace {

bool is_ip_literal(const std::string& host) {
  in6_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1 || inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool is_wildcard(const std::string& host) {
  return host == "0.0.0.0" || host == "::";
}

std::string host_of_url(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  url.remove_prefix(scheme + 3);
  return host_of(url.substr(0, url.find('/')));
}

// "scheme://authority" of a URL, without a path.
std::string_view origin_of_url(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  return url.substr(0, url.find('/', scheme + 3));
}

std::string_view cookie_of(const Request& request) {
  for (const auto& [name, value] : request.headers) {
    if (name != "cookie") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(';'), rest.size());
      std::string_view part = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      while (part.starts_with(' ')) part.remove_prefix(1);
      if (part.starts_with(kCookieName) && part.substr(kCookieName.size()).starts_with('=')) {
        return part.substr(kCookieName.size() + 1);
      }
    }
  }
  return {};
}

bool same_text(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

Refusal unauthenticated() {
  return {401,
          "unauthenticated",
          "this needs a token or a session",
          "sign in, or send \"Authorization: Bearer TOKEN\"",
          {{"WWW-Authenticate", "Bearer realm=\"logboom\""}}};
}

Refusal forbidden(std::string why, std::string hint) {
  return {403, "forbidden", std::move(why), std::move(hint), {}};
}

Refusal too_many(std::chrono::seconds wait) {
  return {429,
          "too_many_requests",
          "too many failed attempts",
          fmt::format("try again in {} s", wait.count()),
          {{"Retry-After", std::to_string(wait.count())}}};
}

}  // namespace

Gate::Gate(GateOptions options, const Clock& clock)
    : options_(std::move(options)),
      listen_host_(host_of(options_.listen)),
      public_host_(host_of_url(options_.public_url)),
      one_time_(clock),
      back_off_(clock) {
  if (const auto authority = parse_authority(options_.listen); authority.ok() && !authority->port.empty()) {
    port_ = static_cast<std::uint16_t>(std::stoi(authority->port));
  }
}

Result<std::unique_ptr<Gate>> Gate::open(GateOptions options, FileSystem& files, const Clock& clock) {
  std::unique_ptr<Gate> gate(new Gate(std::move(options), clock));
  const std::string& directory = gate->options_.data_directory;
  LB_ASSIGN(gate->tokens_, TokenStore::open(files, directory + "/tokens.json", clock));
  LB_ASSIGN(gate->sessions_, SessionStore::open(files, directory + "/sessions.json", clock));
  LB_ASSIGN(gate->events_, EventLog::open(files, directory + "/access-events.ndjson", clock));
  return gate;
}

bool Gate::host_allowed(const std::string& host) const {
  if (host.empty()) return false;
  if (host == "localhost" || host == "127.0.0.1" || host == "::1" || host == listen_host_ || host == public_host_)
    return true;
  // A rebound name is a name; who reaches us under an address is at that address.
  if (is_wildcard(listen_host_) && is_ip_literal(host)) return true;
  return std::ranges::find(options_.allowed_hosts, host) != options_.allowed_hosts.end();
}

std::optional<Refusal> Gate::admit(const Request& request) {
  if (request.peer.is_unix) return std::nullopt;  // no browser speaks Unix sockets
  if (host_allowed(host_of(request.header("host")))) return std::nullopt;
  return forbidden("the Host of this request is not one of this server",
                   "use 127.0.0.1 or localhost, or set public_url to the name you use");
}

std::optional<Refusal> Gate::authorize(Request& request, const Route* route) {
  auto refusal = authenticate(request);
  if (route && route->access.is_public()) {
    // A form of a foreign site may not sign anybody in; programs send no Origin.
    return request.method == "POST" && request.has_header("origin") ? check_origin(request) : std::nullopt;
  }
  if (refusal && refusal->status == 401 && route && route->kind == RouteKind::kPage) {
    return Refusal{303, "unauthenticated", "sign in first", "", {{"Location", "/signin"}}};
  }
  if (refusal) return refusal;
  if (!route) return std::nullopt;
  if (!route->access.allows(request.principal->role)) {
    return forbidden(fmt::format("this needs the role \"{}\", and \"{}\" is \"{}\"", role_name(route->access.role()),
                                 request.principal->name, role_name(request.principal->role)),
                     "");
  }
  if (route->check_origin || (request.method != "GET" && request.method != "HEAD")) return check_origin(request);
  return std::nullopt;
}

std::optional<Refusal> Gate::authenticate(Request& request) {
  if (request.peer.is_unix) {
    const bool ours = request.peer.uid == 0 || request.peer.uid == ::geteuid();
    if (!ours && !options_.unix_group_is_admin) return unauthenticated();
    request.principal = Principal{fmt::format("uid:{}", request.peer.uid), Role::kAdmin, Via::kUnix, "", 0};
    return std::nullopt;
  }
  const std::string_view authorization = request.header("authorization");
  if (!authorization.empty()) {
    if (authorization.size() < 7 || !same_text(authorization.substr(0, 7), "bearer ")) return unauthenticated();
    return bearer(request, authorization.substr(7));
  }
  const std::string_view cookie = cookie_of(request);
  if (cookie.empty()) return unauthenticated();
  auto principal = sessions_->find(cookie);
  if (!principal || (!principal->token_id.empty() && !tokens_->is_valid(principal->token_id))) return unauthenticated();
  request.principal = std::move(principal);
  return std::nullopt;
}

std::optional<Refusal> Gate::bearer(Request& request, std::string_view token) {
  // A right token passes also while its address is backing off: with 256 bits there is nothing to guess, and nobody can
  // lock out the others behind one proxy.
  if (const auto info = tokens_->find(token)) {
    request.principal = Principal{info->name, info->role, Via::kToken, info->id, info->expires};
    return std::nullopt;
  }
  Refusal refusal = failed_attempt(request, TokenStore::id_of(token), "token refused");
  refusal.message = "the token is unknown, revoked or expired";
  if (refusal.status == 429) refusal.message += ", as others that came from this address";
  return refusal;
}

// Counts a failure of the address and the account, or tells how long to wait.
Refusal Gate::failed_attempt(const Request& request, std::string_view account, const char* what) {
  const std::string by_address = "address:" + request.peer.address;
  const std::string by_account = "account:" + std::string(account);
  const auto wait =
      std::max(back_off_.wait(by_address), account.empty() ? std::chrono::seconds(0) : back_off_.wait(by_account));
  if (wait.count() > 0) return too_many(wait);
  back_off_.failed(by_address);
  if (!account.empty()) back_off_.failed(by_account);
  events_->add(what, std::string(account), request.peer.address, "");
  return unauthenticated();
}

std::optional<Refusal> Gate::check_origin(const Request& request) const {
  if (request.peer.is_unix || (request.principal && request.principal->via == Via::kToken)) return std::nullopt;
  const auto foreign = [] { return forbidden("this request did not come from this server's own page", ""); };
  const std::string_view site = request.header("sec-fetch-site");
  if (!site.empty() && site != "same-origin" && site != "none") return foreign();
  if (!request.has_header("origin")) {
    // Browsers send Origin with every POST; EventSource to the own origin does without.
    return request.method == "GET" ? std::nullopt : std::optional(foreign());
  }
  const std::string_view origin = request.header("origin");
  const std::string own = fmt::format("{}://{}", options_.tls ? "https" : "http", request.header("host"));
  if (same_text(origin, own)) return std::nullopt;
  if (!options_.public_url.empty() && same_text(origin, origin_of_url(options_.public_url))) return std::nullopt;
  return foreign();
}

Gate::SignInAddress Gate::sign_in_address(const std::string& who) {
  const auto issued = one_time_.issue(who, Role::kAdmin, options_.one_time_lifetime);
  events_->add("sign-in address made", who, "", "");
  return {base_url() + "/signin?token=" + issued.token, issued.expires};
}

std::string Gate::base_url(From from) const {
  std::string base = options_.public_url;
  if (base.empty()) {
    std::string host = listen_host_;
    if (host.empty() || is_wildcard(host))
      host = from == From::kThisHost || options_.allowed_hosts.empty() ? "127.0.0.1" : options_.allowed_hosts.front();
    if (host.find(':') != std::string::npos) host = "[" + host + "]";
    base = fmt::format("{}://{}:{}", options_.tls ? "https" : "http", host, port_.load());
  }
  while (base.ends_with('/')) base.pop_back();
  return base;
}

std::optional<Principal> Gate::principal_of_secret(std::string_view secret) {
  if (auto principal = one_time_.redeem(secret)) return principal;
  const auto info = tokens_->find(secret);
  if (!info || info->role <= Role::kIngest) return std::nullopt;
  return Principal{info->name, info->role, Via::kSession, info->id, info->expires};
}

Result<std::string> Gate::sign_in(const Request& request, std::string_view token, std::optional<Refusal>& refusal) {
  const std::string account = TokenStore::id_of(token);
  const auto wait = std::max(back_off_.wait("address:" + request.peer.address),
                             account.empty() ? std::chrono::seconds(0) : back_off_.wait("account:" + account));
  if (wait.count() > 0) {
    refusal = too_many(wait);
    return std::string();
  }
  const auto principal = principal_of_secret(token);
  if (!principal) {
    refusal = failed_attempt(request, account, "sign-in failed");
    return std::string();
  }
  back_off_.succeeded("address:" + request.peer.address);
  LB_ASSIGN(const auto cookie, sessions_->create(*principal));
  events_->add("signed in", principal->name, request.peer.address, std::string(role_name(principal->role)));
  return cookie_header(cookie, SessionStore::kLifetime);
}

Result<std::string> Gate::sign_out(const Request& request) {
  LB_TRY(sessions_->remove(cookie_of(request)));
  if (request.principal) events_->add("signed out", request.principal->name, request.peer.address, "");
  return cookie_header("", std::chrono::seconds(0));
}

Result<NewToken> Gate::create_token(const Request& by, const std::string& name, Role role,
                                    std::chrono::seconds lifetime) {
  LB_ASSIGN(auto made, tokens_->create(name, role, lifetime));
  events_->add("token created", by.principal ? by.principal->name : "", by.peer.address,
               fmt::format("{} {} {}", made.info.id, role_name(role), name));
  return made;
}

Status Gate::revoke_token(const Request& by, const std::string& id) {
  LB_TRY(tokens_->revoke(id));
  events_->add("token revoked", by.principal ? by.principal->name : "", by.peer.address, id);
  return sessions_->remove_of_token(id);
}

std::string Gate::cookie_header(std::string_view value, std::chrono::seconds age) const {
  const bool secure = options_.tls || options_.public_url.starts_with("https://");
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{}", kCookieName, value, age.count(),
                     secure ? "; Secure" : "");
}

}  // namespace logboom::http
