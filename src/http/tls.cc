// The TLS side of the server: 1.2 and newer, certificate and key from PEM files.
#include <boost/asio/ssl/context.hpp>
#include <openssl/ssl.h>

#include "http/core.h"

namespace logboom::http {
namespace {

Error wrong_file(const char* what, const std::string& path, const boost::system::error_code& error) {
  return Error(ErrorCode::kInvalidArgument,
               std::string("cannot use the TLS ") + what + " " + path + ": " + error.message());
}

}  // namespace

Result<std::shared_ptr<asio::ssl::context>> make_tls(const ServerOptions& options) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  boost::system::error_code error;
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  context->use_certificate_chain_file(options.tls_certificate, error);
  if (error) return wrong_file("certificate", options.tls_certificate, error);
  context->use_private_key_file(options.tls_key, asio::ssl::context::pem, error);
  if (error) return wrong_file("key", options.tls_key, error);
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return Error(ErrorCode::kInvalidArgument,
                 "cannot serve TLS: the key " + options.tls_key + " does not belong to the certificate");
  }
  return context;
}

}  // namespace logboom::http
