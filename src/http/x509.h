// OpenSSL's objects with their owners, for the files of http/ that deal in certificates. Internal to http/.
#pragma once

#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "http/auth/secret.h"

namespace logboom::http {

template <auto free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    free(object);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;

// The first certificate of a PEM text; null: there is none.
Certificate certificate_of_pem(const std::string& pem);
// SHA-256 of the public key, 64 hexadecimal digits.
std::string public_key_fingerprint(X509* certificate);

}  // namespace logboom::http
