#include "http/client.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "http/bearer_token.h"
#include "http/client_tls.h"
#include "http/lower.h"
#include "http/response_head.h"
#include "http/url.h"

namespace logboom::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Protocol = asio::generic::stream_protocol;
using Stream = beast::basic_stream<Protocol>;
using TlsStream = asio::ssl::stream<Stream&>;
using Parser = beast::http::response_parser<beast::http::buffer_body>;
using boost::system::error_code;
using OnBody = std::function<bool(std::string_view)>;

// A peer that vanished without a word is noticed after this long, whether or not anything is under way.
constexpr int kNotice = 30'000;  // ms
constexpr int kProbeAfter = 10;  // s of silence
constexpr int kProbeEvery = 5;   // s
constexpr int kProbes = 4;

// Best effort: where a socket has no such option (Unix sockets), its peer cannot vanish either.
void notice_dead_peers(int socket) {
  const auto set = [socket](int level, int name, int value) {
    (void)::setsockopt(socket, level, name, &value, sizeof value);
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, kProbeAfter);
  set(IPPROTO_TCP, TCP_KEEPINTVL, kProbeEvery);
  set(IPPROTO_TCP, TCP_KEEPCNT, kProbes);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, kNotice);
}

// Ends what a stream waits for once nothing has moved for `limit`. What the kernel has taken for sending and the far
// side has not yet acknowledged counts: a large request on a slow link is no silence.
class SilenceWatch {
 public:
  SilenceWatch(asio::io_context& io, Stream& stream, std::chrono::milliseconds limit)
      : timer_(io), stream_(stream), step_(limit / kLooks), unsent_(unsent()) {
    if (limit.count() > 0) look_later();
  }
  void end() {
    ended_ = true;
    timer_.cancel();
  }
  bool was_silent() const { return silent_; }

 private:
  static constexpr int kLooks = 4;

  void look_later() {
    timer_.expires_after(step_);
    timer_.async_wait([this](error_code cancelled) {
      if (!cancelled && !ended_) look();  // it may have been due already when it was cancelled
    });
  }
  void look() {
    const int now = unsent();
    quiet_ = now == unsent_ ? quiet_ + 1 : 0;
    unsent_ = now;
    if (quiet_ < kLooks) return look_later();
    silent_ = true;
    stream_.close();
  }
  int unsent() {
    int bytes = 0;
    return ::ioctl(stream_.socket().native_handle(), SIOCOUTQ, &bytes) == 0 ? bytes : 0;
  }

  asio::steady_timer timer_;
  Stream& stream_;
  const std::chrono::milliseconds step_;
  int unsent_;
  int quiet_ = 0;
  bool silent_ = false;
  bool ended_ = false;
};

}  // namespace

// Every step is an asynchronous operation run to its end here, because only those can time out.
class HttpClient::Core {
 public:
  explicit Core(ClientOptions options) : options_(std::move(options)), token_(options_.token) {}

  Result<ClientResponse> exchange(const ClientRequest& request, const OnBody& on_body, const std::stop_token& stop) {
    if (!options_.bearer) return exchange_once(request, on_body, stop);
    for (bool again = false;; again = true) {
      BearerToken::Turn turn = options_.bearer->next();
      if (turn.refusal) return *std::move(turn.refusal);
      token_ = std::move(turn.token);
      auto answer = exchange_once(request, on_body, stop);
      if (!answer.ok() || !options_.bearer->answered(token_, *answer) || again) return answer;
    }
  }

 private:
  Result<ClientResponse> exchange_once(const ClientRequest& request, const OnBody& on_body,
                                       const std::stop_token& stop) {
    const bool reused = stream_.has_value();
    auto answer = try_exchange(request, on_body, stop);
    // A kept connection the server closed meanwhile: once more on a fresh one, nothing has been answered.
    if (!answer.ok() && reused && !header_seen_ && !timed_out_ && !stop.stop_requested()) {
      answer = try_exchange(request, on_body, stop);
    }
    return answer;
  }

  std::string where() const { return options_.unix_socket.empty() ? options_.server : options_.unix_socket; }

  Error failure(const char* what, const error_code& error, const std::stop_token& stop) {
    const bool spoke_tls = tls_.has_value();
    drop();
    const std::string text = std::string("cannot ") + what + " " + where() + ": ";
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, text + "stopped");
    timed_out_ = error == beast::error::timeout;
    if (timed_out_) return Error(ErrorCode::kUnavailable, text + "no answer in time");
    if (error.category() == beast::http::make_error_code(beast::http::error::bad_version).category() &&
        error != beast::http::error::end_of_stream) {
      return Error(ErrorCode::kCorrupt, text + error.message() + tls_hint(spoke_tls));
    }
    const std::string alert = alert_problem(error);
    return Error(ErrorCode::kUnavailable, text + (alert.empty() ? error.message() : alert), error.value());
  }

  // A server that speaks TLS answers a request without it by an alert.
  const char* tls_hint(bool spoke_tls) const {
    constexpr unsigned char kAlert = 0x15;
    const auto bytes = buffer_.data();
    const bool alert = bytes.size() > 0 && *static_cast<const unsigned char*>(bytes.data()) == kAlert;
    return alert && !spoke_tls ? "; it speaks TLS: the address begins with https://" : "";
  }

  void drop() {
    tls_.reset();
    stream_.reset();
  }

  // Runs one asynchronous operation to its end; a stop, or silence for so long, cancels it. 0: for ever.
  template <typename Start>
  error_code run(std::chrono::milliseconds limit, const std::stop_token& stop, Start start) {
    if (stop.stop_requested()) return asio::error::operation_aborted;
    error_code result;
    io_.restart();
    SilenceWatch silence(io_, *stream_, limit);
    start([&](error_code error, auto&&...) {
      result = error;
      silence.end();
    });
    const std::stop_callback on_stop(stop, [this] {
      asio::post(io_, [this] {
        if (stream_) stream_->close();
      });
    });
    io_.run();
    return silence.was_silent() ? error_code(beast::error::timeout) : result;
  }

  // Where to go, and how.
  struct Target {
    std::vector<Protocol::endpoint> endpoints;
    bool tls = false;
    std::string host;  // without the port
  };

  Result<Target> find_unix() const {
    if (options_.unix_socket.size() > 107)
      return Error(ErrorCode::kInvalidArgument, "cannot reach " + where() + ": a socket's path has at most 107 bytes");
    return Target{{asio::local::stream_protocol::endpoint(options_.unix_socket)}, false, "localhost"};
  }

  Result<Target> find_server(const std::stop_token& stop) {
    const std::string& server = options_.server;
    Target target;
    target.tls = server.starts_with("https://");
    if (!target.tls && !server.starts_with("http://"))
      return Error(ErrorCode::kInvalidArgument,
                   "cannot reach \"" + where() + "\": expected http://HOST:PORT or https://HOST:PORT");
    host_ = server.substr(server.find("://") + 3);
    prefix_ = host_.substr(std::min(host_.find('/'), host_.size()));
    while (prefix_.ends_with('/')) prefix_.pop_back();
    host_ = host_.substr(0, host_.find('/'));
    LB_ASSIGN(const auto authority, parse_authority(host_));
    target.host = authority.host;
    const std::string port = authority.port.empty() ? (target.tls ? "443" : "80") : authority.port;
    error_code error;
    asio::ip::tcp::resolver resolver(io_);
    for (const auto& found : resolver.resolve(authority.host, port, error))
      target.endpoints.emplace_back(found.endpoint());
    if (error || target.endpoints.empty()) return failure("find", error, stop);
    return target;
  }

  Status connect(const std::stop_token& stop) {
    if (stream_) return {};
    host_ = "localhost";
    LB_ASSIGN(const Target target, options_.unix_socket.empty() ? find_server(stop) : find_unix());
    buffer_.clear();
    error_code error;
    for (const Protocol::endpoint& endpoint : target.endpoints) {
      stream_.emplace(io_);
      error = run(options_.connect_time, stop, [&](auto done) { stream_->async_connect(endpoint, done); });
      if (!error || stop.stop_requested()) break;
    }
    if (!error) notice_dead_peers(stream_->socket().native_handle());
    if (error) return failure("connect to", error, stop);
    return target.tls ? shake_hands(target.host, stop) : ok_status();
  }

  Status shake_hands(const std::string& host, const std::stop_token& stop) {
    if (!context_) {
      auto made = make_client_tls(options_.tls, where());
      if (!made.ok()) {
        drop();
        return std::move(made).error();
      }
      context_ = *std::move(made);
    }
    tls_.emplace(*stream_, *context_);
    expect_server(tls_->native_handle(), options_.tls, host);
    tls_->set_verify_callback([this](bool fine, asio::ssl::verify_context& context) {
      if (!fine) refused_ = refused_certificate(context.native_handle());
      return fine;
    });
    const auto error = run(options_.connect_time, stop,
                           [&](auto done) { tls_->async_handshake(asio::ssl::stream_base::client, done); });
    if (error == beast::error::timeout || stop.stop_requested()) return failure("reach", error, stop);
    Status fine;
    if (error) {
      fine = Error(ErrorCode::kUnavailable, handshake_problem(refused_, options_.tls, host, error));
    } else {
      fine = check_pin(tls_->native_handle(), options_.tls);
    }
    if (fine.ok()) return fine;
    drop();
    return Error(fine.error().code(), "cannot reach " + where() + ": " + fine.error().message());
  }

  // Calls `use` with the stream that carries HTTP.
  template <typename Use>
  void with_stream(Use use) {
    if (tls_) {
      use(*tls_);
    } else {
      use(*stream_);
    }
  }

  std::string head_of(const ClientRequest& request) const {
    std::string out = request.method + " " + prefix_ + request.target + " HTTP/1.1\r\n";
    append_header(out, "Host", host_);
    if (!token_.empty()) append_header(out, "Authorization", "Bearer " + token_);
    for (const auto& [name, value] : request.headers) append_header(out, name, value);
    if (!request.body.empty() || request.method != "GET")
      append_header(out, "Content-Length", std::to_string(request.body.size()));
    return out + "\r\n";
  }

  Result<ClientResponse> try_exchange(const ClientRequest& request, const OnBody& on_body,
                                      const std::stop_token& stop) {
    header_seen_ = timed_out_ = false;
    LB_TRY(connect(stop));
    const std::string head = head_of(request);
    const std::array<asio::const_buffer, 2> message = {asio::buffer(head), asio::buffer(request.body)};
    auto error = run(options_.silence_time, stop,
                     [&](auto done) { with_stream([&](auto& stream) { asio::async_write(stream, message, done); }); });
    Parser parser;
    const auto read_header = [&](std::chrono::milliseconds limit) {
      return run(limit, stop, [&](auto done) {
        with_stream([&](auto& stream) { beast::http::async_read_header(stream, buffer_, parser, done); });
      });
    };
    if (error && error != beast::error::timeout && tls_) {
      // A server that does not take a client's certificate says so and goes, maybe before the request has come.
      if (const auto why = read_header(options_.connect_time); !alert_problem(why).empty()) error = why;
    }
    if (error) return failure("send to", error, stop);
    parser.body_limit(boost::none);
    parser.header_limit(64 << 10);
    parser.skip(request.method == "HEAD");
    error = read_header(options_.silence_time);
    if (error) return failure("read from", error, stop);
    header_seen_ = true;
    ClientResponse response;
    response.status = static_cast<int>(parser.get().result_int());
    if (response.status < 100) return failure("read from", beast::http::error::bad_status, stop);
    LB_TRY(read_body(parser, response, response.status / 100 == 2 ? on_body : OnBody(), stop));
    for (const auto& field : parser.get())
      response.headers.emplace_back(lower(field.name_string()), std::string(field.value()));
    if (!parser.is_done() || !parser.get().keep_alive()) drop();
    return response;
  }

  Status read_body(Parser& parser, ClientResponse& response, const OnBody& on_body, const std::stop_token& stop) {
    std::string piece(64 << 10, '\0');
    while (!parser.is_done()) {
      auto& body = parser.get().body();
      body.data = piece.data();
      body.size = piece.size();
      auto error = run(options_.silence_time, stop, [&](auto done) {
        with_stream([&](auto& stream) { beast::http::async_read_some(stream, buffer_, parser, done); });
      });
      if (error == beast::http::error::need_buffer) error = {};
      const std::string_view bytes(piece.data(), piece.size() - parser.get().body().size);
      if (!bytes.empty()) {
        if (on_body) {
          if (!on_body(bytes)) return {};
        } else if (response.body.size() + bytes.size() > options_.max_body) {
          drop();
          return Error(ErrorCode::kFull, "cannot read from " + where() + ": the answer is too large");
        } else {
          response.body.append(bytes);
        }
      }
      if (error) return failure("read from", error, stop);
    }
    return {};
  }

  const ClientOptions options_;
  std::string token_;  // sent as Bearer when not empty
  asio::io_context io_{1};
  std::shared_ptr<asio::ssl::context> context_;  // made for the first https connection
  std::optional<Stream> stream_;
  std::optional<TlsStream> tls_;  // over stream_
  RefusedCertificate refused_;    // of the last handshake in which one was
  beast::flat_buffer buffer_;
  std::string host_;
  std::string prefix_;  // path of the server's address, without a slash at the end
  bool header_seen_ = false;
  bool timed_out_ = false;
};

HttpClient::HttpClient(ClientOptions options) : core_(std::make_unique<Core>(std::move(options))) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;

Result<ClientResponse> HttpClient::send(const ClientRequest& request, std::stop_token stop) {
  return core_->exchange(request, {}, stop);
}

Result<ClientResponse> HttpClient::stream(const ClientRequest& request, const OnBody& on_body, std::stop_token stop) {
  return core_->exchange(request, on_body, stop);
}

std::string_view ClientResponse::header(std::string_view name) const {
  const auto it = std::ranges::find_if(headers, [&](const auto& h) { return h.first == name; });
  return it == headers.end() ? std::string_view() : std::string_view(it->second);
}

bool LineReader::operator()(std::string_view piece) {
  for (;;) {
    const std::size_t end = piece.find('\n');
    if (end == std::string_view::npos) {
      if (rest_.size() + piece.size() > kMaxLine) return false;
      rest_.append(piece);
      return true;
    }
    rest_.append(piece.substr(0, end));
    const std::string line = std::exchange(rest_, {});
    if (!on_line_(line)) return false;
    piece.remove_prefix(end + 1);
  }
}

}  // namespace logboom::http
