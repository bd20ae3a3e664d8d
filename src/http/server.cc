#include "http/server.h"

#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "http/core.h"
#include "http/url.h"

namespace logboom::http {
namespace {

using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Local = asio::local::stream_protocol;

Error listen_error(const std::string& where, const error_code& error) {
  const bool in_use = error == asio::error::address_in_use;
  return Error(in_use ? ErrorCode::kUnavailable : ErrorCode::kInvalidArgument,
               "cannot listen on " + where + ": " + error.message() +
                   (in_use ? "; stop the program that does, or listen elsewhere" : ""),
               error.value());
}

Result<Tcp::endpoint> resolve(asio::io_context& io, const std::string& listen) {
  LB_ASSIGN(const auto authority, parse_authority(listen));
  error_code error;
  Tcp::resolver resolver(io);
  const auto found =
      resolver.resolve(authority.host, authority.port.empty() ? "7117" : authority.port, Tcp::resolver::passive, error);
  if (error || found.empty()) return listen_error(listen, error);
  return found.begin()->endpoint();
}

// A socket file nobody listens on is what a killed program leaves behind.
Status remove_dead_socket(asio::io_context& io, const std::string& path) {
  struct stat st {};
  if (::lstat(path.c_str(), &st) != 0) return {};
  if (!S_ISSOCK(st.st_mode)) {
    return Error(ErrorCode::kInvalidArgument, "cannot listen on " + path + ": it exists and is no socket");
  }
  Local::socket probe(io);
  error_code error;
  probe.connect(Local::endpoint(path), error);
  if (!error) return Error(ErrorCode::kUnavailable, "cannot listen on " + path + ": another program does");
  ::unlink(path.c_str());
  return {};
}

}  // namespace

Result<bool> is_loopback(const std::string& listen) {
  asio::io_context io;
  LB_ASSIGN(const auto endpoint, resolve(io, listen));
  return endpoint.address().is_loopback();
}

// The certificate of a server that runs for years is renewed meanwhile, by whoever renews it.
class TlsFiles {
 public:
  TlsFiles(const ServerOptions& options, const Clock& clock) : options_(options), clock_(clock) {}

  Result<std::shared_ptr<asio::ssl::context>> load() {
    looked_ = clock_.monotonic();
    stamp_ = stamp();
    return make_tls(options_);
  }
  // A context of other files than the last; null: they are the same, cannot be used yet, or it is too soon to look.
  std::shared_ptr<asio::ssl::context> renewed() {
    if (clock_.monotonic() - looked_ < kLookAgain) return nullptr;
    looked_ = clock_.monotonic();
    if (stamp() == stamp_) return nullptr;
    auto made = load();
    if (!made.ok()) {
      log_error("{}; going on with the certificate there was", made.error().message());
      return nullptr;
    }
    log_info("the certificate {} was renewed", options_.tls_certificate);
    return *made;
  }

 private:
  static constexpr auto kLookAgain = std::chrono::minutes(1);

  std::pair<std::int64_t, std::int64_t> stamp() const {
    const auto changed = [](const std::string& path) -> std::int64_t {
      struct stat st {};
      return ::stat(path.c_str(), &st) == 0 ? st.st_mtim.tv_sec * kNsPerSecond + st.st_mtim.tv_nsec : 0;
    };
    return {changed(options_.tls_certificate), changed(options_.tls_key)};
  }

  const ServerOptions& options_;
  const Clock& clock_;
  std::chrono::nanoseconds looked_{0};
  std::pair<std::int64_t, std::int64_t> stamp_;
};

Metrics::Metrics(Registry& registry)
    : requests(registry.counter("logboom_http_requests_total", "Requests whose header was read")),
      refused(registry.counter("logboom_http_refused_total",
                               "Requests refused before their handler (address, rights, form)")),
      malformed(registry.counter("logboom_http_malformed_total", "Messages that were not HTTP or over a limit")),
      connections(registry.counter("logboom_http_connections_total", "Connections accepted")),
      dropped(registry.counter("logboom_http_connections_dropped_total", "Connections closed to make room")),
      timeouts(registry.counter("logboom_http_timeouts_total", "Reads and writes that took too long")),
      bytes_sent(registry.counter("logboom_http_sent_bytes_total", "Bytes written to clients")),
      open(registry.gauge("logboom_http_connections_open", "Connections now")) {}

Shared::Shared(const ServerOptions& options_in, const Router& router_in, Guard& guard_in, Registry& registry,
               const Clock& clock_in)
    : options(options_in),
      router(router_in),
      guard(guard_in),
      clock(clock_in),
      metrics(registry),
      handlers("http-handler", options.limits.handlers, options.limits.queued),
      deliveries("http-delivery", options.limits.deliveries, options.limits.queued),
      streams("http-stream", options.limits.streams, 0) {}

void Shared::remove(const Connection* connection) {
  connections.remove_if([&](const auto& c) { return c.get() == connection; });
  metrics.open.set(static_cast<std::int64_t>(connections.size()));
  if (connections.empty()) emptied.cancel();
}

bool Shared::make_room() {
  std::size_t strangers = 0;
  Connection* oldest = nullptr;
  for (const auto& connection : connections) {
    if (!connection->is_stranger()) continue;
    ++strangers;
    if (!oldest && connection->is_idle_stranger()) oldest = connection.get();
  }
  const bool full = connections.size() >= options.limits.connections;
  if (!full && strangers < options.limits.strangers) return true;
  if (!oldest) return false;
  metrics.dropped.add();
  oldest->cut();
  return true;
}

class HttpServer::Core {
 public:
  Core(ServerOptions options, const Router& router, Guard& guard, Registry& registry, const Clock& clock)
      : shared_(options, router, guard, registry, clock),
        tls_files_(shared_.options, clock),
        tcp_(shared_.io),
        local_(shared_.io),
        tcp_retry_(shared_.io),
        local_retry_(shared_.io) {}

  ~Core() { stop(std::chrono::milliseconds(0)); }

  Status start() {
    if (shared_.options.tls_certificate.empty() != shared_.options.tls_key.empty()) {
      return Error(ErrorCode::kInvalidArgument, "cannot serve TLS: the certificate and the key go together");
    }
    if (!shared_.options.tls_key.empty()) {
      LB_ASSIGN(shared_.tls, tls_files_.load());
    }
    if (!shared_.options.listen.empty()) LB_TRY(listen_tcp());
    if (!shared_.options.unix_socket.empty()) LB_TRY(listen_unix());
    thread_ = std::thread([this] { run(); });
    return {};
  }

  void stop(std::chrono::milliseconds grace) {
    if (!thread_.joinable()) return;
    asio::post(shared_.io, [this, grace] { wind_down(grace); });
    thread_.join();
    shared_.streams.close();
    shared_.deliveries.close();
    shared_.handlers.close();
    if (!shared_.options.unix_socket.empty()) ::unlink(shared_.options.unix_socket.c_str());
  }

  void stop_gracefully() { stop(shared_.options.limits.stop_time); }

  std::uint16_t port() const { return port_; }

 private:
  void run() {
    pthread_setname_np(pthread_self(), "http");
    for (;;) {
      try {
        shared_.io.run();
        return;
      } catch (const std::exception& failure) {
        log_error("cannot go on with a connection: {}", printable(failure.what()));
        if (tcp_.is_open() && !accepts_tcp_) accept_tcp();
        if (local_.is_open() && !accepts_unix_) accept_unix();
      }
    }
  }

  Status listen_tcp() {
    const auto& options = shared_.options;
    LB_ASSIGN(const auto endpoint, resolve(shared_.io, options.listen));
    if (!endpoint.address().is_loopback() && options.tls_certificate.empty() && !options.insecure) {
      return Error(ErrorCode::kInvalidArgument,
                   "cannot listen on " + options.listen +
                       ": the address is reachable from outside and TLS is off; give a certificate and its key, or "
                       "listen on 127.0.0.1 behind a proxy");
    }
    error_code error;
    tcp_.open(endpoint.protocol(), error);
    if (!error) tcp_.set_option(Tcp::acceptor::reuse_address(true), error);
    if (!error) tcp_.bind(endpoint, error);
    if (!error) tcp_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return listen_error(options.listen, error);
    port_ = tcp_.local_endpoint(error).port();
    accept_tcp();
    return {};
  }

  Status listen_unix() {
    const auto& path = shared_.options.unix_socket;
    if (path.size() > 107) {
      return Error(ErrorCode::kInvalidArgument, "cannot listen on " + path + ": a socket's path has at most 107 bytes");
    }
    LB_TRY(remove_dead_socket(shared_.io, path));
    error_code error;
    local_.open(Local(), error);
    // Between bind and chmod nobody may connect: the mode is tightened through the umask-free fchmod before bind.
    if (!error && ::fchmod(local_.native_handle(), 0600) != 0) error.assign(errno, boost::system::system_category());
    if (!error) local_.bind(Local::endpoint(path), error);
    if (!error && ::chmod(path.c_str(), shared_.options.unix_mode) != 0)
      error.assign(errno, boost::system::system_category());
    if (!error) local_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return listen_error(path, error);
    accept_unix();
    return {};
  }

  void accept_tcp() {
    tcp_.async_accept([this](error_code error, Tcp::socket socket) {
      accepts_tcp_ = false;
      if (!tcp_.is_open()) return;
      if (error) return retry_later(tcp_retry_, accepts_tcp_, [this] { accept_tcp(); });
      error_code ignored;
      socket.set_option(Tcp::no_delay(true), ignored);
      Peer peer;
      peer.address = socket.remote_endpoint(ignored).address().to_string();
      peer.tls = shared_.tls != nullptr;
      admit(Socket(std::move(socket)), std::move(peer));
      accept_tcp();
    });
    accepts_tcp_ = true;
  }

  void accept_unix() {
    local_.async_accept([this](error_code error, Local::socket socket) {
      accepts_unix_ = false;
      if (!local_.is_open()) return;
      if (error) return retry_later(local_retry_, accepts_unix_, [this] { accept_unix(); });
      Peer peer{true, "unix", 0, false};
      ucred credentials{};
      socklen_t size = sizeof credentials;
      if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0) {
        peer.uid = credentials.uid;
        admit(Socket(std::move(socket)), std::move(peer));
      }
      accept_unix();
    });
    accepts_unix_ = true;
  }

  // Out of descriptors: those who are here go on, the next one waits.
  template <typename Again>
  void retry_later(asio::steady_timer& timer, bool& accepts, Again again) {
    timer.expires_after(std::chrono::milliseconds(100));
    timer.async_wait([again](error_code error) {
      if (!error) again();
    });
    accepts = true;
  }

  void admit(Socket socket, Peer peer) {
    shared_.metrics.connections.add();
    if (peer.tls) {
      if (auto renewed = tls_files_.renewed()) shared_.tls = std::move(renewed);
    }
    if (!peer.is_unix && !shared_.make_room()) {
      shared_.metrics.dropped.add();
      return;
    }
    auto connection = make_connection(shared_, std::move(socket), std::move(peer));
    shared_.connections.push_back(connection);
    shared_.metrics.open.set(static_cast<std::int64_t>(shared_.connections.size()));
    try {
      connection->start();
    } catch (...) {  // no memory: its client is not to wait for an answer
      shared_.remove(connection.get());
      throw;
    }
  }

  // On the network thread.
  void wind_down(std::chrono::milliseconds grace) {
    error_code ignored;
    tcp_.close(ignored);
    local_.close(ignored);
    tcp_retry_.cancel();
    local_retry_.cancel();
    shared_.stopping = true;
    const auto all = shared_.connections;
    for (const auto& connection : all) grace.count() > 0 ? connection->wind_down() : connection->cut();
    if (shared_.connections.empty()) return shared_.io.stop();
    shared_.emptied.expires_after(std::max(grace, std::chrono::milliseconds(100)));
    shared_.emptied.async_wait([this](error_code) {
      const auto rest = shared_.connections;
      for (const auto& connection : rest) connection->cut();
      shared_.io.stop();
    });
  }

  Shared shared_;
  TlsFiles tls_files_;
  Tcp::acceptor tcp_;
  Local::acceptor local_;
  asio::steady_timer tcp_retry_;
  asio::steady_timer local_retry_;
  // Whether the next connection is waited for; not so where what came with the last one threw.
  bool accepts_tcp_ = false;
  bool accepts_unix_ = false;
  std::thread thread_;
  std::uint16_t port_ = 0;
};

HttpServer::HttpServer(ServerOptions options, const Router& router, Guard& guard, Registry& registry,
                       const Clock& clock)
    : core_(std::make_unique<Core>(std::move(options), router, guard, registry, clock)) {}

HttpServer::~HttpServer() = default;

Status HttpServer::start() {
  return core_->start();
}

void HttpServer::stop() {
  core_->stop_gracefully();
}

void HttpServer::stop_now() {
  core_->stop(std::chrono::milliseconds(0));
}

std::uint16_t HttpServer::port() const {
  return core_->port();
}

}  // namespace logboom::http
