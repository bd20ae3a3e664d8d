// HttpClient: a small blocking client, over TCP, TLS and Unix sockets, with streamed answers: commands, agents, and
// whatever else of the program speaks HTTP to a server.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace logboom::http {

// Of https:// addresses: TLS 1.2 and newer; the server's certificate must be signed by a known authority, be valid now,
// and name the host of the address.
struct ClientTls {
  std::string ca_file;      // authorities in PEM; empty: the system's
  std::string fingerprint;  // pins the server: SHA-256 of its public key or of its certificate, in hexadecimal; then
                            // this alone decides, not authority, name or date
  std::string server_name;  // expected in the certificate; empty: the host of the address
  std::string certificate;  // of this side, in PEM, where the server wants one; both or none
  std::string key;
  bool insecure_skip_verify = false;  // takes any certificate, and warns about it; without effect beside a pin
};

class BearerToken;

struct ClientOptions {
  std::string server;       // "http://127.0.0.1:7117", "https://example.com/logs": its path comes before every target;
                            // ignored with unix_socket
  std::string unix_socket;  // path
  std::string token;        // sent as Bearer when not empty
  std::shared_ptr<BearerToken> bearer;  // in its place: one that is read again when the server refuses it
  ClientTls tls;
  std::chrono::milliseconds connect_time{5'000};
  std::chrono::milliseconds silence_time{
      0};                           // longest wait, give or take a quarter, for any byte to move, be it one of
                                    // the request that the far side acknowledges; 0: as long as it is alive
  std::size_t max_body = 64 << 20;  // of an answer that is not streamed; larger: kFull
};

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";  // with the query, already encoded
  Headers headers = {};
  std::string body = {};
};

struct ClientResponse {
  int status = 0;
  Headers headers;   // names in lower case; trailers behind them
  std::string body;  // empty when it was streamed
  std::string_view header(std::string_view name) const;
};

// Not thread-safe; one connection, kept between requests and opened again when the server closed it.
class HttpClient {
 public:
  explicit HttpClient(ClientOptions options);
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;

  // kUnavailable: nobody answers there, silence_time passed, or TLS does not come about (the message says why and what
  // to do); kCancelled: stop; kCorrupt: the answer is not HTTP or was cut; kInvalidArgument: the address or a file
  // of ClientTls cannot be used.
  Result<ClientResponse> send(const ClientRequest& request, std::stop_token stop = {});
  // The same, the body handed over in pieces as it arrives when the status is 2xx (else it is in the response).
  // `on_body` returns false to stop reading: then the response is given as far as it came and the connection is closed.
  Result<ClientResponse> stream(const ClientRequest& request, const std::function<bool(std::string_view)>& on_body,
                                std::stop_token stop = {});

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

// Splits what arrives in pieces into lines, for NDJSON and server-sent events. Bound: a line longer than kMaxLine
// fails.
class LineReader {
 public:
  static constexpr std::size_t kMaxLine = 64 << 20;
  explicit LineReader(std::function<bool(std::string_view)> on_line) : on_line_(std::move(on_line)) {}
  bool operator()(std::string_view piece);

 private:
  std::function<bool(std::string_view)> on_line_;
  std::string rest_;
};

}  // namespace logboom::http
