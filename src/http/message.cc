#include "http/message.h"

#include <algorithm>

#include "http/json.h"

namespace logboom::http {
namespace {

std::string_view find(const Pairs& pairs, std::string_view name) {
  const auto it = std::ranges::find_if(pairs, [&](const auto& p) { return p.first == name; });
  return it == pairs.end() ? std::string_view() : std::string_view(it->second);
}

Response plain(std::string body, std::string type, int status) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  response.headers = {{"Content-Type", std::move(type)}, {"Cache-Control", "no-store"}};
  return response;
}

}  // namespace

std::string_view role_name(Role role) {
  switch (role) {
    case Role::kEnroll:
      return "enroll";
    case Role::kIngest:
      return "ingest";
    case Role::kViewer:
      return "viewer";
    case Role::kEditor:
      return "editor";
    case Role::kAdmin:
      return "admin";
  }
  return "";
}

std::optional<Role> role_from_name(std::string_view name) {
  for (const Role role : {Role::kEnroll, Role::kIngest, Role::kViewer, Role::kEditor, Role::kAdmin}) {
    if (name == role_name(role)) return role;
  }
  return std::nullopt;
}

std::string_view via_name(Via via) {
  switch (via) {
    case Via::kToken:
      return "token";
    case Via::kSession:
      return "session";
    case Via::kUnix:
      return "unix";
  }
  return "";
}

std::string_view Request::header(std::string_view name) const {
  return find(headers, name);
}

bool Request::has_header(std::string_view name) const {
  return std::ranges::any_of(headers, [&](const auto& h) { return h.first == name; });
}

std::string_view Request::param(std::string_view name) const {
  return find(path_params, name);
}

Response to_response(const Refusal& refusal) {
  std::string json;
  JsonWriter w(json);
  w.open_object().key("error").open_object().field("code", refusal.code).field("message", refusal.message);
  if (!refusal.hint.empty()) w.field("hint", refusal.hint);
  w.close_object().close_object();
  Response response = json_response(std::move(json), refusal.status);
  response.headers.insert(response.headers.end(), refusal.headers.begin(), refusal.headers.end());
  return response;
}

Refusal to_refusal(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kInvalidArgument:
      return {400, "invalid_argument", error.message(), "", {}};
    case ErrorCode::kNotFound:
      return {404, "not_found", error.message(), "", {}};
    case ErrorCode::kRejected:
      return {409, "conflict", error.message(), "", {}};
    case ErrorCode::kUnsupported:
      return {501, "unsupported", error.message(), "", {}};
    case ErrorCode::kUnavailable:
      return {503, "unavailable", error.message(), "", {{"Retry-After", "1"}}};
    case ErrorCode::kCancelled:
      return {503, "unavailable", "cancelled", "", {{"Retry-After", "1"}}};
    case ErrorCode::kFull:
      return {507, "full", "no space left, or a limit is reached; see the status and the program's log", "", {}};
    case ErrorCode::kCorrupt:
      return {500, "corrupt", "stored data is damaged; see the audit and the program's log", "", {}};
    case ErrorCode::kIo:
      return {500, "io", "the operating system refused; see the program's log", "", {}};
    case ErrorCode::kInternal:
      break;
  }
  return {500, "internal", "internal error; see the program's log", "", {}};
}

Response json_response(std::string json, int status) {
  return plain(std::move(json), "application/json", status);
}

Response text_response(std::string text, int status) {
  return plain(std::move(text), "text/plain; charset=utf-8", status);
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Payload Too Large";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 507:
      return "Insufficient Storage";
    default:
      return "Status";
  }
}

}  // namespace logboom::http
