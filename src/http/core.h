// What the connections of one server share. Internal to http/.
#pragma once

#include <list>
#include <memory>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/server.h"
#include "http/worker_pool.h"

namespace boost::asio::ssl {
class context;
}

namespace logboom::http {

namespace asio = boost::asio;

// One connection, seen by its server. All calls on the network thread.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual void start() = 0;
  // The server stops: an idle connection closes, a long-lived stream ends, an ordinary request finishes.
  virtual void wind_down() = 0;
  virtual void cut() = 0;
  // No request of it was let in yet, and none is at work.
  virtual bool is_idle_stranger() const = 0;
  virtual bool is_stranger() const = 0;
};

struct Metrics {
  explicit Metrics(Registry& registry);
  Counter& requests;
  Counter& refused;
  Counter& malformed;
  Counter& connections;
  Counter& dropped;
  Counter& timeouts;
  Counter& bytes_sent;
  Gauge& open;
};

struct Shared {
  Shared(const ServerOptions& options_in, const Router& router_in, Guard& guard_in, Registry& registry,
         const Clock& clock_in);
  void remove(const Connection* connection);
  // Cuts the oldest idle stranger when there are too many; false when there is no room at all.
  bool make_room();

  const ServerOptions options;
  const Router& router;
  Guard& guard;
  const Clock& clock;
  Metrics metrics;
  asio::io_context io{1};
  std::shared_ptr<asio::ssl::context> tls;             // null: plain
  std::list<std::shared_ptr<Connection>> connections;  // oldest first
  bool stopping = false;
  std::size_t large_bodies = 0;    // bytes of ServerLimits::large_bodies in use
  asio::steady_timer emptied{io};  // cancelled when the last connection goes
  WorkerPool handlers;
  WorkerPool deliveries;
  WorkerPool streams;
};

using Socket = asio::generic::stream_protocol::socket;
// Reads the PEM files of the options; kInvalidArgument names the file that is wrong.
Result<std::shared_ptr<asio::ssl::context>> make_tls(const ServerOptions& options);

// Speaks TLS when peer.tls.
std::shared_ptr<Connection> make_connection(Shared& shared, Socket socket, Peer peer);

}  // namespace logboom::http
