// Signing in and out, tokens, one-time addresses, access events.
#include "http/json.h"
#include "http/url.h"
#include "server/page.h"
#include "server/routes.h"

namespace logboom::server {
namespace {

using http::JsonWriter;
using http::Role;

void write_expiry(JsonWriter& w, const char* name, TimeNs time) {
  w.key(name);
  time == 0 ? w.null() : w.time(time);
}

Status run_session(const http::Request& request, http::ResponseWriter& writer) {
  const auto& principal = *request.principal;
  std::string json;
  JsonWriter w(json);
  w.open_object()
      .field("name", principal.name)
      .field("role", http::role_name(principal.role))
      .field("via", http::via_name(principal.via));
  if (principal.via != http::Via::kUnix) write_expiry(w, "expires", principal.expires);
  w.close_object();
  send_json(writer, std::move(json));
  return {};
}

Status run_logout(http::Gate& gate, const http::Request& request, http::ResponseWriter& writer) {
  LB_ASSIGN(auto cookie, gate.sign_out(request));
  writer.send({204, {{"Set-Cookie", std::move(cookie)}, {"Cache-Control", "no-store"}}, "", {}});
  return {};
}

Status run_login(http::Gate& gate, const http::Request& request, http::ResponseWriter& writer) {
  const auto made = gate.sign_in_address(request.principal->name);
  std::string json;
  JsonWriter w(json);
  w.open_object().field("url", made.url).key("expires").time(made.expires).close_object();
  send_json(writer, std::move(json));
  return {};
}

// A browser gets a page, a program the usual error.
void refuse_sign_in(const http::Refusal& refusal, http::ResponseWriter& writer) {
  http::Response response =
      sign_in_page(refusal.status == 429 ? "Too many failed attempts. Wait a moment and try again."
                                         : "This address was used already, or it has expired.");
  response.status = refusal.status;
  for (const auto& header : refusal.headers) response.headers.push_back(header);
  writer.send(std::move(response));
}

Status sign_in(http::Gate& gate, const http::Request& request, std::string_view token, http::ResponseWriter& writer) {
  std::optional<http::Refusal> refusal;
  LB_ASSIGN(auto cookie, gate.sign_in(request, token, refusal));
  if (refusal) {
    refuse_sign_in(*refusal, writer);
    return {};
  }
  writer.send({303,
               {{"Location", "/"},
                {"Set-Cookie", std::move(cookie)},
                {"Cache-Control", "no-store"},
                {"Referrer-Policy", "no-referrer"}},
               "",
               {}});
  return {};
}

std::string value_of(const http::Pairs& pairs, std::string_view name) {
  for (const auto& [key, value] : pairs) {
    if (key == name) return value;
  }
  return {};
}

http::Route sign_in_route(const char* method, http::Gate& gate) {
  http::Route route(method, "/signin", http::Access::everyone(),
                    [&gate](const http::Request& request, http::ResponseWriter& writer) {
                      std::string token = value_of(request.query, "token");
                      if (request.method == "POST") {
                        const auto form = http::parse_query(request.body);
                        token = form.ok() ? value_of(*form, "token") : "";
                      }
                      if (token.empty()) return writer.send(sign_in_page(""));
                      const Status status = sign_in(gate, request, token, writer);
                      if (!status.ok()) writer.send(http::to_response(http::to_refusal(status.error())));
                    });
  route.summary = "Exchanges a one-time address or a token for a session.";
  route.response = "A redirect to the page with the cookie, or a page that asks for a token.";
  route.response_type = "text/html";
  const bool post = std::string_view(method) == "POST";
  route.parameters = {
      {"token", post ? http::ParameterPlace::kBody : http::ParameterPlace::kQuery, "string", false, "The secret.", ""}};
  return route;
}

void write_token(JsonWriter& w, const http::TokenInfo& info) {
  w.field("id", info.id)
      .field("name", info.name)
      .field("role", http::role_name(info.role))
      .key("created")
      .time(info.created);
  write_expiry(w, "expires", info.expires);
  write_expiry(w, "last_used", info.last_used);
}

Status list_tokens(http::Gate& gate, http::ResponseWriter& writer) {
  std::string json;
  JsonWriter w(json);
  w.open_object().key("tokens").open_array();
  for (const auto& info : gate.tokens().list()) {
    w.open_object();
    write_token(w, info);
    w.close_object();
  }
  w.close_array().close_object();
  send_json(writer, std::move(json));
  return {};
}

Status create_token(http::Gate& gate, const Params& params, const http::Request& request,
                    http::ResponseWriter& writer) {
  const auto role = http::role_from_name(params.text("role"));
  if (!role || *role == Role::kEnroll)
    return Error(ErrorCode::kInvalidArgument, "/role: expected ingest, viewer, editor or admin");
  LB_ASSIGN(const auto lifetime, params.duration("expires_in"));
  const auto seconds = lifetime ? std::chrono::ceil<std::chrono::seconds>(*lifetime) : std::chrono::seconds(0);
  if (lifetime && seconds.count() == 0)
    return Error(ErrorCode::kInvalidArgument, "/expires_in: a token that has expired is of no use");
  LB_ASSIGN(const auto made, gate.create_token(request, params.text("name"), *role, seconds));
  std::string json;
  JsonWriter w(json);
  w.open_object();
  write_token(w, made.info);
  w.field("token", made.token).close_object();
  writer.send(http::json_response(std::move(json), 201));
  return {};
}

Status revoke_token(http::Gate& gate, const http::Request& request, http::ResponseWriter& writer) {
  LB_TRY(gate.revoke_token(request, std::string(request.param("id"))));
  writer.send({204, {}, "", {}});
  return {};
}

Status list_events(http::Gate& gate, const Params& params, http::ResponseWriter& writer) {
  LB_ASSIGN(const auto limit, params.number("limit", 100, http::EventLog::kMaxEvents));
  std::string json;
  JsonWriter w(json);
  w.open_object().key("events").open_array();
  for (const auto& event : gate.events().newest(limit)) {
    w.open_object().key("time").time(event.time).field("what", event.what).field("who", event.who);
    w.field("address", event.address).field("detail", event.detail).close_object();
  }
  w.close_array().close_object();
  send_json(writer, std::move(json));
  return {};
}

}  // namespace

void add_access_routes(http::Router& router, const ApiPtr& api) {
  http::Gate& gate = *api->deps.gate;
  const auto viewer = http::Access::at_least(Role::kViewer);
  const auto admin = http::Access::at_least(Role::kAdmin);
  router.add(sign_in_route("GET", gate));
  router.add(sign_in_route("POST", gate));
  router.add(
      api_route("GET", "/api/v1/session", viewer, "Who am I.", {}, "Name, role, how signed in.",
                [](const Params&, const http::Request& q, http::ResponseWriter& w) { return run_session(q, w); }));
  router.add(api_route(
      "POST", "/api/v1/logout", viewer, "Ends the session.", {}, "Nothing.",
      [&gate](const Params&, const http::Request& q, http::ResponseWriter& w) { return run_logout(gate, q, w); }));
  router.add(api_route(
      "POST", "/api/v1/login", admin, "A fresh one-time address of the page.", {}, "The address and when it expires.",
      [&gate](const Params&, const http::Request& q, http::ResponseWriter& w) { return run_login(gate, q, w); }));
  router.add(api_route(
      "GET", "/api/v1/tokens", admin, "All tokens, without their secrets.", {}, "Tokens.",
      [&gate](const Params&, const http::Request&, http::ResponseWriter& w) { return list_tokens(gate, w); }));
  router.add(api_route("POST", "/api/v1/tokens", admin, "Makes a token.",
                       {body_member("name", "string", true, "What it is for."),
                        body_member("role", "string", true, "ingest, viewer, editor or admin."),
                        body_member("expires_in", "string", false, "A duration; missing: never.")},
                       "The token, shown this once.",
                       [&gate](const Params& p, const http::Request& q, http::ResponseWriter& w) {
                         return create_token(gate, p, q, w);
                       }));
  router.add(api_route(
      "DELETE", "/api/v1/tokens/{id}", admin, "Revokes a token and ends its sessions.",
      {{"id", http::ParameterPlace::kPath, "string", true, "Of the token.", ""}}, "Nothing.",
      [&gate](const Params&, const http::Request& q, http::ResponseWriter& w) { return revoke_token(gate, q, w); }));
  router.add(api_route(
      "GET", "/api/v1/events", admin,
      "Who signed in, failed, made and revoked tokens, accepted findings, replaced rules.",
      {query_parameter("limit", "integer", "Events.", "100")}, "Events, newest first.",
      [&gate](const Params& p, const http::Request&, http::ResponseWriter& w) { return list_events(gate, p, w); }));
}

}  // namespace logboom::server
