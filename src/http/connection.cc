// One connection: read a request, let it in or refuse it, run its handler on a pool, write the answer, again. A
// coroutine on the network thread; everything here runs on that thread, only Exchange is shared with the handler's.
//
// g++ 12 miscompiles co_await inside conditions followed by break, in && and ||, and with temporaries that live across
// it: every co_await here stands alone, as `x = co_await f(lvalue);`.
#include <cstring>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "base/log.h"
#include "http/answer_writer.h"
#include "http/core.h"
#include "http/exchange.h"
#include "http/large_body.h"
#include "http/lower.h"
#include "http/refusals.h"
#include "http/response_head.h"
#include "http/url.h"

namespace logboom::http {
namespace {

using Protocol = asio::generic::stream_protocol;
using PlainStream = beast::basic_stream<Protocol>;
using TlsStream = beast::ssl_stream<PlainStream>;
using boost::system::error_code;
constexpr std::size_t kSlowBody = 16 << 10;  // what must come of a large body within body_time

// Whether a TLS handshake failed because the other side does not speak TLS at all.
bool is_plain_http(error_code error) {
  return error.category() == asio::error::get_ssl_category() &&
         ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_HTTP_REQUEST;
}

template <typename Stream>
class StreamConnection final : public Connection, public std::enable_shared_from_this<StreamConnection<Stream>> {
 public:
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

  // `args` make the stream: a socket, and for TLS the context.
  template <typename... Args>
  StreamConnection(Shared& shared, Peer peer, Args&&... args)
      : shared_(shared),
        stream_(std::forward<Args>(args)...),
        writer_(shared_, stream_),
        peer_(std::move(peer)),
        wake_(shared.io),
        buffer_(shared.options.limits.header_bytes + kPiece) {}

  void start() override {
    asio::co_spawn(
        shared_.io, [self = this->shared_from_this()]() { return self->run(); },
        [self = this->shared_from_this()](const std::exception_ptr& failure) {
          if (failure) log_warn("cannot serve a connection: out of memory or an error in the network library");
          self->close();
          self->shared_.remove(self.get());
        });
  }

  void wind_down() override {
    writer_.wind_down();
    if (!exchange_) {
      base().cancel();
    } else if (long_lived_) {
      exchange_->request_stop();
    }
  }

  void cut() override {
    writer_.wind_down();
    if (exchange_) exchange_->abandon();
    close();
    wake_.cancel();
  }

  bool is_stranger() const override { return stranger_ && !peer_.is_unix; }
  bool is_idle_stranger() const override { return is_stranger() && !exchange_; }

 private:
  PlainStream& base() { return beast::get_lowest_layer(stream_); }
  const ServerLimits& limits() const { return shared_.options.limits; }

  void close() {
    error_code ignored;
    base().socket().shutdown(Protocol::socket::shutdown_both, ignored);
    base().close();
  }

  asio::awaitable<void> run() {
    bool more = co_await shake_hands();
    while (more && !writer_.winding_down()) {
      more = co_await await_request();
      if (more) more = co_await serve_one();
    }
    if (unread_) co_await linger();
  }

  asio::awaitable<bool> shake_hands() {
    if constexpr (kTls) {
      base().expires_after(limits().header_time);
      const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kAwait);
      if (error) shared_.metrics.malformed.add();
      if (is_plain_http(error)) co_await send_away();
      co_return !error;
    }
    co_return true;
  }

  // Who speaks plain HTTP here is told so; what the request asks is not looked at.
  asio::awaitable<void> send_away() {
    unread_ = true;
    const Response response =
        to_response({400, "invalid_argument", "this port speaks TLS: the address begins with https://", "", {}});
    const std::string text =
        response_head(response, {response.body.size(), false, false, shared_.clock.now()}) + response.body;
    base().expires_after(limits().write_time);
    co_await asio::async_write(base(), asio::buffer(text), kAwait);
  }

  // Waits for the first byte of a request. A stranger gets no more than the time for a header.
  asio::awaitable<bool> await_request() {
    if (buffer_.size() > 0) co_return true;
    base().expires_after(stranger_ ? limits().header_time : limits().idle_time);
    const auto [error, bytes] = co_await stream_.async_read_some(buffer_.prepare(4096), kAwait);
    buffer_.commit(bytes);
    if (error == beast::error::timeout) shared_.metrics.timeouts.add();
    co_return !error && !writer_.winding_down();
  }

  // Reads one request and answers it; false when the connection must close.
  asio::awaitable<bool> serve_one() {
    RequestParser parser;
    parser.header_limit(static_cast<std::uint32_t>(limits().header_bytes));
    parser.body_limit(boost::none);  // set once the route is known
    base().expires_after(limits().header_time);
    const auto [error, bytes] = co_await beast::http::async_read_header(stream_, buffer_, parser, kAwait);
    if (error) {
      co_await refuse_read(error);
      co_return false;
    }
    shared_.metrics.requests.add();
    Request request;
    const Route* route = nullptr;
    const auto& message = parser.get();
    writer_.begin(message.keep_alive(), message.method() == beast::http::verb::head, message.version() == 10);
    if (auto refusal = look_at(parser, request, route)) {
      shared_.metrics.refused.add();
      // Without a body there is nothing left to confuse with a next request.
      unread_ = !parser.is_done();
      if (unread_) writer_.make_last();
      Response response = to_response(*refusal);
      const bool fine = co_await writer_.whole(std::move(response));
      co_return fine;
    }
    stranger_ = stranger_ && !request.principal;
    const LargeBody room(shared_, body_cost(parser, *route));
    if (!room.granted()) {
      shared_.metrics.refused.add();
      unread_ = true;
      writer_.make_last();
      Response busy = too_busy();
      co_await writer_.whole(std::move(busy));
      co_return false;
    }
    const bool complete = co_await read_body(parser, request.body);
    if (!complete) co_return false;
    const bool fine = co_await answer(std::move(request), *route);
    co_return fine;
  }

  std::size_t body_limit(const Route& route) const { return route.max_body > 0 ? route.max_body : limits().body_bytes; }

  // What the body counts against ServerLimits::large_bodies.
  std::size_t body_cost(const RequestParser& parser, const Route& route) const {
    if (route.max_body <= limits().body_bytes || parser.is_done()) return 0;
    const auto length = parser.content_length();
    return length ? static_cast<std::size_t>(*length) : route.max_body;
  }

  asio::awaitable<void> refuse_read(error_code error) {
    if (error == beast::error::timeout) shared_.metrics.timeouts.add();
    if (is_malformed(error)) {
      shared_.metrics.malformed.add();
      writer_.make_last();
      unread_ = true;
      Response response = to_response(refusal_of(error));
      co_await writer_.whole(std::move(response));
    }
  }

  // Host, form of the message, route, rights: everything before the body.
  std::optional<Refusal> look_at(RequestParser& parser, Request& request, const Route*& route) {
    const auto& message = parser.get();
    if (auto refusal = check_form(parser, limits())) {
      writer_.make_last();
      return refusal;
    }
    request.method = std::string(message.method_string());
    request.peer = peer_;
    for (const auto& field : message)
      request.headers.emplace_back(lower(field.name_string()), std::string(field.value()));
    if (auto refusal = shared_.guard.admit(request)) return refusal;
    auto target = parse_target(std::string_view(message.target().data(), message.target().size()));
    if (!target.ok()) return to_refusal(target.error());
    request.path = std::move(target->path);
    request.query = std::move(target->query);
    auto match = shared_.router.match(request.method, request.path);
    if (auto refusal = shared_.guard.authorize(request, match.route)) return refusal;
    if (!match.route) return no_route(match);
    route = match.route;
    const auto length = parser.content_length();
    if (length && *length > body_limit(*route)) return refusal_of(beast::http::error::body_limit);
    parser.body_limit(body_limit(*route));
    request.path_params = std::move(match.params);
    return std::nullopt;
  }

  asio::awaitable<bool> read_body(RequestParser& parser, std::string& body) {
    if (parser.is_done()) co_return true;
    base().expires_after(limits().body_time);
    if (lower(parser.get()[beast::http::field::expect]) == "100-continue") {
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      const auto [error, n] = co_await asio::async_write(stream_, asio::buffer(kContinue), kAwait);
      if (error) co_return false;
    }
    const auto length = parser.content_length();
    if (length && *length > kPiece) {
      const bool whole = co_await read_large(static_cast<std::size_t>(*length), body);
      co_return whole;
    }
    const auto [error, bytes] = co_await beast::http::async_read(stream_, buffer_, parser, kAwait);
    if (error) {
      co_await refuse_read(error);
      co_return false;
    }
    body = std::move(parser.get().body());
    co_return true;
  }

  // A body of known size goes straight to its place: no copy, and as much at a time as is there. Memory is touched for
  // what has come, not for what was said.
  asio::awaitable<bool> read_large(std::size_t length, std::string& body) {
    body.reserve(length);
    const std::size_t here = std::min(buffer_.size(), length);
    body.assign(static_cast<const char*>(buffer_.data().data()), here);
    buffer_.consume(here);
    std::size_t timed = here;  // up to where the present limit of time counts
    for (std::size_t at = here; at < length;) {
      body.resize(std::min(length, at + std::max(at, kPiece)));
      const auto rest = asio::buffer(body.data() + at, body.size() - at);
      const auto [error, bytes] = co_await stream_.async_read_some(rest, kAwait);
      if (error) {
        co_await refuse_read(error);
        co_return false;
      }
      at += bytes;
      if (at - timed < kSlowBody) continue;
      timed = at;
      base().expires_after(limits().body_time);
    }
    co_return true;
  }

  // Runs the handler and writes what it gives.
  asio::awaitable<bool> answer(Request request, const Route& route) {
    auto exchange = std::make_shared<Exchange>([weak = this->weak_from_this(), &io = shared_.io] {
      asio::post(io, [weak] {
        if (auto self = weak.lock()) self->wake_.cancel();
      });
    });
    request.stop = exchange->stop_token();
    long_lived_ = route.kind == RouteKind::kLongLived;
    auto shared_request = std::make_shared<const Request>(std::move(request));
    auto task = [exchange, shared_request, &route] { run_handler(*exchange, *shared_request, route); };
    WorkerPool& workers = long_lived_                          ? shared_.streams
                          : route.kind == RouteKind::kDelivery ? shared_.deliveries
                                                               : shared_.handlers;
    if (!workers.submit(std::move(task))) {
      Response busy = too_busy();
      const bool told = co_await writer_.whole(std::move(busy));
      co_return told;
    }
    exchange_ = exchange;
    watch_client();
    const bool fine = co_await relay(*exchange);
    if (!fine) exchange->abandon();
    exchange_ = nullptr;
    ++watch_;
    error_code ignored;
    base().socket().cancel(ignored);
    if (!fine) co_return false;
    co_return writer_.goes_on();
  }

  static void run_handler(Exchange& exchange, const Request& request, const Route& route) {
    try {
      route.handler(request, exchange);
    } catch (const std::exception& failure) {
      // bad_alloc, or a library's exception that got through: this request fails, the server lives.
      log_error("cannot answer {}: {}", route.pattern, printable(failure.what()));
    }
    exchange.finish();
  }

  // Notices a client that goes away while its handler works and nothing is written.
  void watch_client() {
    base().socket().async_wait(
        Protocol::socket::wait_read, [self = this->shared_from_this(), watch = watch_](error_code error) {
          if (error || watch != self->watch_ || !self->exchange_) return;
          char byte = 0;
          const auto n = ::recv(self->base().socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
          constexpr char kTlsAlert = 0x15;
          const bool leaves = kTls && n > 0 && byte == kTlsAlert;
          if (n > 0 && !leaves) return;  // the next request is here already; it waits
          if (n < 0 && (errno == EAGAIN || errno == EINTR)) return self->watch_client();
          self->exchange_->abandon();
          self->wake_.cancel();
        });
  }

  asio::awaitable<bool> relay(Exchange& exchange) {
    for (;;) {
      auto taken = exchange.take();
      bool fine = true;
      if (taken.whole) {
        fine = co_await writer_.whole(std::move(*taken.whole));
        co_return fine;
      }
      if (taken.head) fine = co_await writer_.head(*taken.head);
      if (fine && !writer_.head_only()) fine = co_await writer_.chunks(taken.bytes);
      if (!fine) co_return false;
      if (taken.ended) {
        fine = co_await writer_.end(taken.trailers);
        co_return fine;
      }
      if (taken.handler_done) co_return false;  // begun and not ended: cut, so that the client knows
      // Only an empty look may wait: what came while we wrote has already woken us in vain.
      if (taken.head || !taken.bytes.empty()) continue;
      wake_.expires_at(std::chrono::steady_clock::time_point::max());
      co_await wake_.async_wait(kAwait);
    }
  }

  // Lets the client read the last answer before the reset that unread input would cause.
  asio::awaitable<void> linger() {
    error_code ignored;
    if (!base().socket().is_open()) co_return;
    base().socket().shutdown(Protocol::socket::shutdown_send, ignored);
    base().expires_after(std::chrono::seconds(1));
    std::array<char, 4096> rest;
    bool more = true;
    for (std::size_t drained = 0; more && drained < limits().body_bytes;) {
      const auto [error, n] = co_await base().async_read_some(asio::buffer(rest), kAwait);
      more = !error;
      drained += n;
    }
  }

  Shared& shared_;
  Stream stream_;
  AnswerWriter<Stream> writer_;
  const Peer peer_;
  asio::steady_timer wake_;
  beast::flat_buffer buffer_;
  std::shared_ptr<Exchange> exchange_;  // of the request at work
  std::uint64_t watch_ = 0;             // tells a late completion of an earlier watch_client
  bool long_lived_ = false;
  bool stranger_ = true;
  bool unread_ = false;  // a refused request's body may still be on its way
};

}  // namespace

std::shared_ptr<Connection> make_connection(Shared& shared, Socket socket, Peer peer) {
  if (peer.tls) {
    return std::make_shared<StreamConnection<TlsStream>>(shared, std::move(peer), std::move(socket), *shared.tls);
  }
  return std::make_shared<StreamConnection<PlainStream>>(shared, std::move(peer), std::move(socket));
}

}  // namespace logboom::http
