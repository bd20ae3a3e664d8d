#include "http/client_tls.h"

#include <boost/asio/ssl/error.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/log.h"
#include "http/certificate.h"
#include "http/x509.h"

namespace logboom::http {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

Error wrong_setting(const std::string& what, const std::string& why) {
  return Error(ErrorCode::kInvalidArgument, fmt::format("cannot use {}: {}", what, why));
}

Status trust(ssl::context& context, const ClientTls& tls) {
  error_code error;
  if (tls.ca_file.empty()) {
    context.set_default_verify_paths(error);
    return error ? Status(wrong_setting("the system's authorities", error.message())) : ok_status();
  }
  context.load_verify_file(tls.ca_file, error);
  if (error) return wrong_setting("the authorities in " + tls.ca_file, error.message());
  return ok_status();
}

Status show_own(ssl::context& context, const ClientTls& tls) {
  if (tls.certificate.empty() != tls.key.empty()) {
    return wrong_setting(tls.certificate.empty() ? tls.key : tls.certificate,
                         "a client's certificate and its key go together");
  }
  if (tls.key.empty()) return ok_status();
  error_code error;
  context.use_certificate_chain_file(tls.certificate, error);
  if (error) return wrong_setting("the certificate " + tls.certificate, error.message());
  context.use_private_key_file(tls.key, ssl::context::pem, error);
  if (error) return wrong_setting("the key " + tls.key, error.message());
  return ok_status();
}

bool is_address(const std::string& host) {
  const std::unique_ptr<ASN1_OCTET_STRING, Deleter<ASN1_OCTET_STRING_free>> parsed(a2i_IPADDRESS(host.c_str()));
  return parsed != nullptr;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::string time_text(const ASN1_TIME* time) {
  const Bio bio(BIO_new(BIO_s_mem()));
  return ASN1_TIME_print(bio.get(), time) == 1 ? text_of(bio.get()) : "?";
}

std::string name_text(const X509_NAME* name) {
  const Bio bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253);
  return printable(text_of(bio.get()));
}

// "DNS:a.example, IP Address:10.0.0.1".
std::string names_text(X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return name_text(X509_get_subject_name(certificate));
  const Bio bio(BIO_new(BIO_s_mem()));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    if (i > 0) BIO_puts(bio.get(), ", ");
    GENERAL_NAME_print(bio.get(), sk_GENERAL_NAME_value(names.get(), i));
  }
  return printable(text_of(bio.get()));
}

// Why the server's certificate was not taken.
std::string certificate_problem(const RefusedCertificate& refused, const std::string& host) {
  switch (refused.error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return fmt::format("its certificate has expired on {}; it has to be renewed there",
                         time_text(X509_get0_notAfter(refused.culprit.get())));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format("its certificate is valid from {} only; is this host's clock right?",
                         time_text(X509_get0_notBefore(refused.culprit.get())));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("its certificate is for {}, not for {}", names_text(refused.server.get()), printable(host));
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return fmt::format(
          "its certificate is not signed by an authority known here (it is signed by {}); name the file of that "
          "authority, or, if you know the server to be this one, pin its fingerprint {}",
          name_text(X509_get_issuer_name(refused.culprit.get())), public_key_fingerprint(refused.server.get()));
    default:
      return fmt::format("its certificate is not to be trusted: {}", X509_verify_cert_error_string(refused.error));
  }
}

std::string digest_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) return {};
  const std::string hex = sha256_hex({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return hex;
}

bool is_ssl(const error_code& error) {
  return error.category() == boost::asio::error::get_ssl_category();
}

int reason_of(const error_code& error) {
  return ERR_GET_REASON(static_cast<unsigned long>(error.value()));
}

}  // namespace

Result<std::shared_ptr<ssl::context>> make_client_tls(const ClientTls& tls, const std::string& server) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_RENEGOTIATION);
  if (!tls.fingerprint.empty()) LB_TRY(parse_fingerprint(tls.fingerprint));
  LB_TRY(show_own(*context, tls));
  if (tls.insecure_skip_verify && tls.fingerprint.empty())
    log_warn("TLS to {} is not verified (insecure_skip_verify): anybody between here and there can read and answer",
             printable(server));
  const bool verify = tls.fingerprint.empty() && !tls.insecure_skip_verify;
  if (verify) LB_TRY(trust(*context, tls));
  SSL_CTX_set_verify(context->native_handle(), verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  return context;
}

void expect_server(SSL* connection, const ClientTls& tls, const std::string& host) {
  const std::string& name = tls.server_name.empty() ? host : tls.server_name;
  if (is_address(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), name.c_str());
    return;
  }
  SSL_set_tlsext_host_name(connection, name.c_str());
  SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_set1_host(connection, name.c_str());
}

Status check_pin(SSL* connection, const ClientTls& tls) {
  if (tls.fingerprint.empty()) return ok_status();
  LB_ASSIGN(const std::string pin, parse_fingerprint(tls.fingerprint));
  const Certificate certificate(SSL_get1_peer_certificate(connection));
  const std::string shown = certificate ? public_key_fingerprint(certificate.get()) : "none";
  if (shown == pin || (certificate && digest_of(certificate.get()) == pin)) return ok_status();
  return Error(ErrorCode::kUnavailable,
               fmt::format("it is not the server that is expected: its fingerprint is {}, the pinned one {}; if its "
                           "key was changed on purpose, enrol this host again",
                           shown, pin));
}

RefusedCertificate refused_certificate(X509_STORE_CTX* context) {
  const auto own = [](X509* certificate) {
    if (certificate) X509_up_ref(certificate);
    return Certificate(certificate);
  };
  X509* const first = X509_STORE_CTX_get0_cert(context);
  X509* const wrong = X509_STORE_CTX_get_current_cert(context);
  return {X509_STORE_CTX_get_error(context), own(first), own(wrong ? wrong : first)};
}

std::string handshake_problem(const RefusedCertificate& refused, const ClientTls& tls, const std::string& host,
                              const error_code& error) {
  if (is_ssl(error)) {
    const int reason = reason_of(error);
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && refused.server)
      return certificate_problem(refused, tls.server_name.empty() ? host : tls.server_name);
    if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST)
      return "it speaks no TLS on that port; if it is plain HTTP, the address begins with http://";
    const std::string alert = alert_problem(error);
    return alert.empty() ? "TLS: " + error.message() : alert;
  }
  if (error == ssl::error::stream_truncated || error == boost::asio::error::eof ||
      error == boost::asio::error::connection_reset)
    return "it ended the connection in the TLS handshake; does it speak TLS on that port?";
  return error.message();
}

std::string alert_problem(const error_code& error) {
  if (!is_ssl(error)) return {};
  switch (reason_of(error)) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return "the server wants a certificate of its clients, and none is set here";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
      return fmt::format("the server does not take this client's certificate ({})", error.message());
    default:
      return {};
  }
}

}  // namespace logboom::http
