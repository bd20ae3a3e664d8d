// The TLS side of the client: what it trusts, whom it expects, and why a handshake failed, for people. Internal to
// http/.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include "http/client.h"
#include "http/x509.h"

namespace logboom::http {

// TLS 1.2 and newer. kInvalidArgument names the file or the fingerprint that cannot be used. Warns where nothing is
// verified.
Result<std::shared_ptr<boost::asio::ssl::context>> make_client_tls(const ClientTls& tls, const std::string& server);

// Before the handshake: the name that is asked for and, unless a pin or nobody decides, checked.
void expect_server(SSL* ssl, const ClientTls& tls, const std::string& host);

// After it: whether the pin, if there is one, is the server's; kUnavailable says both.
Status check_pin(SSL* ssl, const ClientTls& tls);

// What was wrong with the certificates that a server showed.
struct RefusedCertificate {
  int error = 0;        // X509_V_ERR_...
  Certificate server;   // the first of the chain; null: nothing was refused
  Certificate culprit;  // the one that is wrong
};
// In the callback of a failed verification.
RefusedCertificate refused_certificate(X509_STORE_CTX* context);

// Why the handshake failed, and what to do about it.
std::string handshake_problem(const RefusedCertificate& refused, const ClientTls& tls, const std::string& host,
                              const boost::system::error_code& error);

// What an alert of the server behind the handshake means (TLS 1.3 refuses a client's certificate there); "" for others.
std::string alert_problem(const boost::system::error_code& error);

}  // namespace logboom::http
