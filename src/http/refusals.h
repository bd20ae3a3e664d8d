// Why a request is not served, as it is told to who sent it; rights and what routes themselves refuse aside. Internal
// to http/.
#pragma once

#include <optional>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "http/message.h"
#include "http/router.h"
#include "http/server.h"

namespace logboom::http {

using RequestParser = boost::beast::http::request_parser<boost::beast::http::string_body>;

// Whether what was read is no HTTP, or more than is taken; false where reading it failed or the other side left.
bool is_malformed(boost::system::error_code error);
Refusal refusal_of(boost::system::error_code error);

// What a request must be as HTTP, before anyone looks at what it asks: version, number of fields, Host, and what frames
// its body. The header was read; nullopt: all is well.
// Behind a refusal nobody knows where the next request begins: the connection must close.
std::optional<Refusal> check_form(const RequestParser& parser, const ServerLimits& limits);

// Nothing is at this address, or nothing that takes this method.
Refusal no_route(const RouteMatch& match);

Response too_busy();

}  // namespace logboom::http
