// HttpServer: HTTP/1.1 over TCP, TLS and a Unix socket. One network thread does all sockets; handlers run on three
// bounded pools of threads (ordinary requests; deliveries; long-lived streams) and may block. Hostile clients are held
// by limits on header, body, time, connections and buffers. Nothing of the network library shows here.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "http/guard.h"
#include "http/router.h"
#include "telemetry/registry.h"

namespace logboom::http {

struct ServerLimits {
  std::size_t header_bytes = 16 << 10;
  std::size_t headers = 100;
  std::size_t body_bytes = 1 << 20;     // where the route says nothing else
  std::size_t large_bodies = 64 << 20;  // of routes that take more, being read or handled together; beyond: 503
  std::size_t connections = 1000;
  std::size_t strangers = 500;  // connections that never sent a request that was let in; the oldest idle one makes room
  std::size_t handlers = 16;    // ordinary requests at work
  std::size_t deliveries = 16;  // requests at work that wait for the store
  std::size_t queued = 256;     // waiting for a handler of either kind; beyond: 503
  std::size_t streams = 64;     // long-lived ones at work; beyond: 503
  std::chrono::milliseconds header_time{
      10'000};  // from the first byte (for a stranger: from the connect) to the end of the header
  std::chrono::milliseconds body_time{30'000};   // for a body of up to 64 KB, and for each 16 KB of a larger one
  std::chrono::milliseconds idle_time{60'000};   // between requests
  std::chrono::milliseconds write_time{30'000};  // for each 64 KB of an answer to be taken by the client
  std::chrono::milliseconds stop_time{5'000};    // for ordinary requests to finish at the stop
};

struct ServerOptions {
  std::string listen = "127.0.0.1:7117";  // HOST:PORT, port 0: any; empty: no TCP
  std::string unix_socket;                // path; empty: none. A dead socket in the way is removed
  std::uint32_t unix_mode = 0600;         // of the socket; 0660 lets its group in
  std::string tls_certificate;  // PEM files; both or none. Replaced by others while the server runs, they are taken
                                // by connections that come a minute later
  std::string tls_key;
  bool insecure = false;  // allows a listen address off loopback without TLS
  ServerLimits limits;
};

// Whether a listen address (HOST:PORT) is of this host alone. kInvalidArgument: it is no address, or an unknown name.
Result<bool> is_loopback(const std::string& listen);

// Start it once, stop it once. Thread-safe.
class HttpServer {
 public:
  // `router`, `guard`, `registry` and `clock` outlive it.
  HttpServer(ServerOptions options, const Router& router, Guard& guard, Registry& registry, const Clock& clock);
  // As stop_now().
  ~HttpServer();

  // Listens and serves. kInvalidArgument: address, TLS files, or a public address without TLS; kUnavailable: the
  // address is in use.
  Status start();
  // Closes the doors, ends streams, lets ordinary requests finish for stop_time, cuts the rest. Blocks until all
  // threads are gone.
  void stop();
  // Cuts everything at once.
  void stop_now();
  // The TCP port it listens on; 0 without TCP.
  std::uint16_t port() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace logboom::http
