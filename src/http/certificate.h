// Certificates of servers: how one is named by a fingerprint, and the one a server makes for itself. A fingerprint is
// the SHA-256 of a certificate's public key, so it stays when the certificate is renewed over the same key; it is what
// an agent pins (client.h), and what `curl --pinnedpubkey` and key pins elsewhere mean, in hexadecimal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/file_system.h"

namespace logboom::http {

// 64 lower-case hexadecimal digits of "AB:CD...", "sha256:abcd..." or the digits alone. kInvalidArgument: no SHA-256.
Result<std::string> parse_fingerprint(std::string_view text);

// Of the first certificate in a PEM text. kInvalidArgument: there is none.
Result<std::string> fingerprint_of_pem(const std::string& pem);

struct Pem {
  std::string certificate;
  std::string key;
};
// A certificate that signs itself, for these names and addresses (the first is its common name; at least one), and its
// key: the one of `key` (PEM), or a fresh one (EC P-256) where that is empty. kInvalidArgument: `key` is none.
Result<Pem> make_certificate(const std::vector<std::string>& names, TimeNs valid_from, TimeNs valid_to,
                             const std::string& key);

struct OwnCertificate {
  std::string certificate_file;
  std::string key_file;
  std::string fingerprint;
};
// The certificate this server made for itself: tls.crt and tls.key in `directory`, both 0600, made where they are
// missing. It lasts ten years; it is made again over the same key, so that pins hold, when less than one is left or
// `names` says one it does not have. kCorrupt: the files are there and cannot be used (nothing is replaced).
Result<OwnCertificate> own_certificate(const std::string& directory, const std::vector<std::string>& names,
                                       FileSystem& files, const Clock& clock);

}  // namespace logboom::http
