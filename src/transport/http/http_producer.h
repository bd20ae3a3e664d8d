// The transport from an agent to a server (docs/formats/delivery.md): batches, several to a request, encoded and
// compressed, POSTed; the answer is the durable acknowledgement. What cannot be sent is kept and sent again with
// back-off until the server takes it, so collecting waits and nothing is lost; what is sent twice the server's ledger
// trims. Several requests are under way at once: of different sources on different connections; the next one of a
// source is made ready while its last is being answered, and sent behind that, so a source's order is kept. The
// server's end is server/fleet.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "http/client.h"
#include "telemetry/registry.h"
#include "transport/transport.h"

namespace logboom::transport {

// A level of zstd at which it only copies: its frames are then as large as what is in them.
inline constexpr int kNoCompression = -100'000;

struct HttpOptions {
  http::ClientOptions client;  // server, token, TLS
  std::string agent;           // this host's identity, 32 hexadecimal digits
  std::string name;            // the host's name, for people
  std::string version;
  std::uint64_t queue_bytes = 32u << 20;       // batches published and not yet answered
  std::uint64_t request_bytes = 2u << 20;      // raw bytes of one request, unless its one batch is larger
  unsigned lanes = 6;                          // most connections, a thread each; used as they are needed
  int level = 1;                               // of zstd; kNoCompression: none, for a server on this very host
  std::chrono::milliseconds least_pause{100};  // before a failed request is sent again; doubles up to most_pause
  std::chrono::milliseconds most_pause{10'000};
  std::chrono::milliseconds silence{60'000};  // longest wait for an answer
  std::chrono::milliseconds drain{10'000};    // longest wait of the destructor for what was published
};

// Thread-safe.
class HttpProducer : public Producer {
 public:
  // Why nothing is being delivered now, for people; empty while all is well.
  virtual std::string problem() const = 0;
  // The number of this agent's session with the server; 0 before the first.
  virtual std::uint64_t session() const = 0;
};

// `on_ended` runs at most once, from a thread of the producer, when the server has ended this session for good: another
// agent of the same identity has opened a newer one (kRejected), or the server does not know the session (kNotFound:
// its store was replaced; open a new producer and ask again what it holds). From then on every batch is delivered with
// that error. The registry outlives the producer. kInvalidArgument: the options.
Result<std::unique_ptr<HttpProducer>> open_http_producer(HttpOptions options, Registry& registry,
                                                         std::function<void(Error)> on_ended);

}  // namespace logboom::transport
