#include "http/refusals.h"

#include "http/lower.h"

namespace logboom::http {

namespace beast = boost::beast;

bool is_malformed(boost::system::error_code error) {
  using Code = beast::http::error;
  return error.category() == make_error_code(Code::end_of_stream).category() && error != Code::end_of_stream &&
         error != Code::partial_message;
}

Refusal refusal_of(boost::system::error_code error) {
  using Code = beast::http::error;
  if (error == Code::header_limit) return {431, "too_large", "the header is larger than this server takes", "", {}};
  if (error == Code::body_limit) return {413, "too_large", "the body is larger than this server takes", "", {}};
  return {400, "invalid_argument", "the request is not HTTP/1.1: " + error.message(), "", {}};
}

std::optional<Refusal> check_form(const RequestParser& parser, const ServerLimits& limits) {
  const auto& message = parser.get();
  const auto wrong = [](std::string why) { return Refusal{400, "invalid_argument", std::move(why), "", {}}; };
  if (message.version() != 10 && message.version() != 11) return wrong("only HTTP/1.0 and HTTP/1.1 are spoken here");
  std::size_t count = 0;
  std::size_t hosts = 0;
  std::size_t encodings = 0;
  for (const auto& field : message) {
    ++count;
    if (field.name() == beast::http::field::host) ++hosts;
    if (field.name() == beast::http::field::transfer_encoding) ++encodings;
  }
  if (count > limits.headers) return Refusal{431, "too_large", "the request has too many header fields", "", {}};
  if (hosts > 1 || (hosts == 0 && message.version() == 11)) return wrong("the request needs exactly one Host header");
  if (encodings > 0) {
    if (encodings > 1 || lower(message[beast::http::field::transfer_encoding]) != "chunked" ||
        message.version() == 10) {
      return Refusal{501, "unsupported", "the only Transfer-Encoding understood is \"chunked\"", "", {}};
    }
    if (message.count(beast::http::field::content_length) > 0)
      return wrong("both Content-Length and Transfer-Encoding");
  }
  if (message.count(beast::http::field::content_encoding) > 0) {
    return Refusal{501, "unsupported", "bodies with a Content-Encoding are not taken", "send the body as it is", {}};
  }
  return std::nullopt;
}

Refusal no_route(const RouteMatch& match) {
  if (match.allowed.empty()) return {404, "not_found", "there is nothing at this address", "", {}};
  std::string allow;
  for (const auto& method : match.allowed) allow += (allow.empty() ? "" : ", ") + method;
  return {405, "method_not_allowed", "this address takes " + allow, "", {{"Allow", allow}}};
}

Response too_busy() {
  return to_response(
      {503, "unavailable", "too many requests are at work", "try again in a moment", {{"Retry-After", "1"}}});
}

}  // namespace logboom::http
