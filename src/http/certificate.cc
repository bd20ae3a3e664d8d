#include "http/certificate.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/log.h"
#include "http/x509.h"

namespace logboom::http {
namespace {

using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;
constexpr std::int64_t kLifetime = 3650 * kDay;
constexpr std::int64_t kRenewBefore = 365 * kDay;
constexpr std::int64_t kBackdate = kDay;  // clocks of other hosts may be behind
constexpr std::size_t kMaxPem = 64 << 10;

Error openssl_failed(const char* what) {
  return Error(ErrorCode::kInternal, fmt::format("cannot {}: OpenSSL refuses", what));
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

Result<PrivateKey> key_of_pem(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  PrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (!key) return Error(ErrorCode::kInvalidArgument, "there is no private key in PEM");
  return key;
}

bool is_address(const std::string& name) {
  ASN1_OCTET_STRING* parsed = a2i_IPADDRESS(name.c_str());
  ASN1_OCTET_STRING_free(parsed);
  return parsed != nullptr;
}

bool has_name(X509* certificate, const std::string& name) {
  return is_address(name) ? X509_check_ip_asc(certificate, name.c_str(), 0) == 1
                          : X509_check_host(certificate, name.data(), name.size(), 0, nullptr) == 1;
}

bool add_extension(X509* certificate, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate) {
  std::array<unsigned char, 16> random{};
  if (RAND_bytes(random.data(), random.size()) != 1) return false;
  random[0] &= 0x7f;  // positive
  const std::unique_ptr<BIGNUM, Deleter<BN_free>> number(BN_bin2bn(random.data(), random.size(), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_subject(X509* certificate, const std::string& name) {
  constexpr std::size_t kLongestCommonName = 64;
  const std::string shown = name.substr(0, kLongestCommonName);
  X509_NAME* subject = X509_get_subject_name(certificate);
  return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(shown.data()),
                                    static_cast<int>(shown.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, subject) == 1;
}

Result<Certificate> sign_own(EVP_PKEY* key, const std::vector<std::string>& names, TimeNs from, TimeNs to) {
  Certificate made(X509_new());
  std::string alternatives;
  for (const std::string& name : names)
    alternatives += (alternatives.empty() ? "" : ",") + std::string(is_address(name) ? "IP:" : "DNS:") + name;
  X509* c = made.get();
  const bool fine = c && X509_set_version(c, 2) == 1 && set_serial(c) && set_subject(c, names.front()) &&
                    ASN1_TIME_set(X509_getm_notBefore(c), from / kSecond) != nullptr &&
                    ASN1_TIME_set(X509_getm_notAfter(c), to / kSecond) != nullptr && X509_set_pubkey(c, key) == 1 &&
                    add_extension(c, NID_subject_alt_name, alternatives) &&
                    add_extension(c, NID_basic_constraints, "critical,CA:FALSE") &&
                    add_extension(c, NID_key_usage, "critical,digitalSignature") &&
                    add_extension(c, NID_ext_key_usage, "serverAuth") && X509_sign(c, key, EVP_sha256()) > 0;
  if (!fine) return openssl_failed("make a certificate");
  return made;
}

// What is left of a certificate's time, in nanoseconds; negative: it is over.
std::int64_t time_left(X509* certificate, TimeNs now) {
  const std::unique_ptr<ASN1_TIME, Deleter<ASN1_TIME_free>> at(ASN1_TIME_set(nullptr, now / kSecond));
  int days = 0;
  int seconds = 0;
  if (!at || ASN1_TIME_diff(&days, &seconds, at.get(), X509_get0_notAfter(certificate)) != 1) return 0;
  return days * kDay + seconds * kSecond;
}

// Names a certificate can say: others would make it unreadable, or none at all.
std::vector<std::string> usable(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    const bool plain = !name.empty() && name.size() <= 253 && std::ranges::all_of(name, [](unsigned char c) {
      return std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == ':';
    });
    if (plain && (is_address(name) || name.find(':') == std::string::npos) && std::ranges::find(out, name) == out.end())
      out.push_back(name);
  }
  return out;
}

bool still_good(const std::string& pem, const std::vector<std::string>& names, TimeNs now) {
  const Certificate certificate = certificate_of_pem(pem);
  return certificate && time_left(certificate.get(), now) >= kRenewBefore &&
         std::ranges::all_of(names, [&](const std::string& name) { return has_name(certificate.get(), name); });
}

// "" when there is no such file.
Result<std::string> read_if_there(FileSystem& files, const std::string& path) {
  auto text = read_file(files, path, kMaxPem);
  if (!text.ok() && text.error().code() == ErrorCode::kNotFound) return std::string();
  return text;
}

}  // namespace

Certificate certificate_of_pem(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

std::string public_key_fingerprint(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return {};
  const std::string hex = sha256_hex({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return hex;
}

Result<std::string> parse_fingerprint(std::string_view text) {
  std::string_view rest = text;
  constexpr std::string_view kPrefix = "sha256:";
  if (rest.size() > kPrefix.size() && std::ranges::equal(rest.substr(0, kPrefix.size()), kPrefix, {}, [](char c) {
        return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      }))
    rest.remove_prefix(kPrefix.size());
  std::string digits;
  for (const char c : rest) {
    if (c != ':') digits += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (digits.size() != 64 || digits.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("'{}' is no fingerprint: 64 hexadecimal digits of a SHA-256 are expected",
                             printable(text.substr(0, 100))));
  }
  return digits;
}

Result<std::string> fingerprint_of_pem(const std::string& pem) {
  const Certificate certificate = certificate_of_pem(pem);
  if (!certificate) return Error(ErrorCode::kInvalidArgument, "there is no certificate in PEM");
  return public_key_fingerprint(certificate.get());
}

Result<Pem> make_certificate(const std::vector<std::string>& names, TimeNs valid_from, TimeNs valid_to,
                             const std::string& key) {
  PrivateKey own;
  if (key.empty()) {
    own.reset(EVP_EC_gen("P-256"));
    if (!own) return openssl_failed("make a key");
  } else {
    LB_ASSIGN(own, key_of_pem(key));
  }
  LB_ASSIGN(const Certificate made, sign_own(own.get(), names, valid_from, valid_to));
  const Bio certificate(BIO_new(BIO_s_mem()));
  const Bio secret(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(certificate.get(), made.get()) != 1 ||
      PEM_write_bio_PrivateKey(secret.get(), own.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return openssl_failed("write a certificate");
  return Pem{text_of(certificate.get()), text_of(secret.get())};
}

Result<OwnCertificate> own_certificate(const std::string& directory, const std::vector<std::string>& names,
                                       FileSystem& files, const Clock& clock) {
  OwnCertificate own{directory + "/tls.crt", directory + "/tls.key", ""};
  LB_ASSIGN(const std::string key, read_if_there(files, own.key_file));
  LB_ASSIGN(std::string certificate, read_if_there(files, own.certificate_file));
  if (key.empty() && !certificate.empty()) {
    return Error(ErrorCode::kCorrupt,
                 fmt::format("{} is there without its key {}; put the key back, or remove the certificate: then both "
                             "are made anew and agents have to be enrolled again",
                             own.certificate_file, own.key_file));
  }
  const std::vector<std::string> said = usable(names);
  const TimeNs now = clock.now();
  if (!still_good(certificate, said, now)) {
    auto made = make_certificate(said.empty() ? std::vector<std::string>{"logboom"} : said, now - kBackdate,
                                 now + kLifetime, key);
    if (!made.ok() && made.error().code() == ErrorCode::kInvalidArgument)
      return Error(ErrorCode::kCorrupt, fmt::format("cannot use {}: {}", own.key_file, made.error().message()));
    if (!made.ok()) return std::move(made).error();
    if (key.empty()) LB_TRY(replace_file(files, own.key_file, made->key));
    LB_TRY(replace_file(files, own.certificate_file, made->certificate));
    certificate = made->certificate;
  }
  LB_ASSIGN(own.fingerprint, fingerprint_of_pem(certificate));
  return own;
}

}  // namespace logboom::http
