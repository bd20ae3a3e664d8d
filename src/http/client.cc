#include "http/client.h"

#include <algorithm>
#include <optional>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include "http/response_head.h"
#include "http/url.h"

namespace logboom::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Protocol = asio::generic::stream_protocol;
using Stream = beast::basic_stream<Protocol>;
using Parser = beast::http::response_parser<beast::http::buffer_body>;
using boost::system::error_code;
using OnBody = std::function<bool(std::string_view)>;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return out;
}

}  // namespace

// Every step is an asynchronous operation run to its end here, because only those can time out.
class HttpClient::Core {
 public:
  explicit Core(ClientOptions options) : options_(std::move(options)) {}

  Result<ClientResponse> exchange(const ClientRequest& request, const OnBody& on_body, std::stop_token stop) {
    const bool reused = stream_.has_value();
    auto answer = try_exchange(request, on_body, stop);
    // A kept connection the server closed meanwhile: once more on a fresh one, nothing has been answered.
    if (!answer.ok() && reused && !header_seen_ && answer.error().code() != ErrorCode::kCancelled) {
      answer = try_exchange(request, on_body, stop);
    }
    return answer;
  }

 private:
  std::string where() const { return options_.unix_socket.empty() ? options_.server : options_.unix_socket; }

  Error failure(const char* what, const error_code& error, const std::stop_token& stop) {
    stream_.reset();
    const std::string text = std::string("cannot ") + what + " " + where() + ": ";
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, text + "stopped");
    if (error == beast::error::timeout) return Error(ErrorCode::kCancelled, text + "no answer in time");
    if (error.category() == beast::http::make_error_code(beast::http::error::bad_version).category() &&
        error != beast::http::error::end_of_stream) {
      return Error(ErrorCode::kCorrupt, text + error.message());
    }
    return Error(ErrorCode::kUnavailable, text + error.message(), error.value());
  }

  // Runs one asynchronous operation to its end; a stop cancels it.
  template <typename Start>
  error_code run(std::chrono::milliseconds limit, const std::stop_token& stop, Start start) {
    if (stop.stop_requested()) return asio::error::operation_aborted;
    if (limit.count() > 0) {
      stream_->expires_after(limit);
    } else {
      stream_->expires_never();
    }
    error_code result;
    io_.restart();
    start([&result](error_code error, auto&&...) { result = error; });
    const std::stop_callback on_stop(stop, [this] {
      asio::post(io_, [this] {
        if (stream_) stream_->close();
      });
    });
    io_.run();
    return result;
  }

  Status connect(const std::stop_token& stop) {
    if (stream_) return {};
    error_code error;
    Protocol::endpoint endpoint;
    if (!options_.unix_socket.empty()) {
      if (options_.unix_socket.size() > 107)
        return Error(ErrorCode::kInvalidArgument,
                     "cannot reach " + where() + ": a socket's path has at most 107 bytes");
      endpoint = asio::local::stream_protocol::endpoint(options_.unix_socket);
      host_ = "localhost";
    } else {
      constexpr std::string_view kScheme = "http://";
      if (!options_.server.starts_with(kScheme))
        return Error(ErrorCode::kInvalidArgument, "cannot reach \"" + where() + "\": expected http://HOST:PORT");
      host_ = options_.server.substr(kScheme.size());
      host_ = host_.substr(0, host_.find('/'));
      LB_ASSIGN(const auto authority, parse_authority(host_));
      asio::ip::tcp::resolver resolver(io_);
      const auto found = resolver.resolve(authority.host, authority.port.empty() ? "80" : authority.port, error);
      if (error || found.empty()) return failure("find", error, stop);
      endpoint = found.begin()->endpoint();
    }
    stream_.emplace(io_);
    buffer_.clear();
    error = run(options_.connect_time, stop, [&](auto done) { stream_->async_connect(endpoint, done); });
    if (error) return failure("connect to", error, stop);
    return {};
  }

  std::string head_of(const ClientRequest& request) const {
    std::string out = request.method + " " + request.target + " HTTP/1.1\r\n";
    append_header(out, "Host", host_);
    if (!options_.token.empty()) append_header(out, "Authorization", "Bearer " + options_.token);
    for (const auto& [name, value] : request.headers) append_header(out, name, value);
    if (!request.body.empty() || request.method != "GET")
      append_header(out, "Content-Length", std::to_string(request.body.size()));
    return out + "\r\n";
  }

  Result<ClientResponse> try_exchange(const ClientRequest& request, const OnBody& on_body,
                                      const std::stop_token& stop) {
    header_seen_ = false;
    LB_TRY(connect(stop));
    const std::string text = head_of(request) + request.body;
    auto error =
        run(options_.silence_time, stop, [&](auto done) { asio::async_write(*stream_, asio::buffer(text), done); });
    if (error) return failure("send to", error, stop);
    Parser parser;
    parser.body_limit(boost::none);
    parser.header_limit(64 << 10);
    parser.skip(request.method == "HEAD");
    error = run(options_.silence_time, stop,
                [&](auto done) { beast::http::async_read_header(*stream_, buffer_, parser, done); });
    if (error) return failure("read from", error, stop);
    header_seen_ = true;
    ClientResponse response;
    response.status = static_cast<int>(parser.get().result_int());
    LB_TRY(read_body(parser, response, response.status / 100 == 2 ? on_body : OnBody(), stop));
    for (const auto& field : parser.get())
      response.headers.emplace_back(lower(field.name_string()), std::string(field.value()));
    if (!parser.is_done() || !parser.get().keep_alive()) stream_.reset();
    return response;
  }

  Status read_body(Parser& parser, ClientResponse& response, const OnBody& on_body, const std::stop_token& stop) {
    std::string piece(64 << 10, '\0');
    while (!parser.is_done()) {
      auto& body = parser.get().body();
      body.data = piece.data();
      body.size = piece.size();
      auto error = run(options_.silence_time, stop,
                       [&](auto done) { beast::http::async_read_some(*stream_, buffer_, parser, done); });
      if (error == beast::http::error::need_buffer) error = {};
      const std::string_view bytes(piece.data(), piece.size() - parser.get().body().size);
      if (!bytes.empty()) {
        if (on_body) {
          if (!on_body(bytes)) return {};
        } else if (response.body.size() + bytes.size() > options_.max_body) {
          stream_.reset();
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
  asio::io_context io_{1};
  std::optional<Stream> stream_;
  beast::flat_buffer buffer_;
  std::string host_;
  bool header_seen_ = false;
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
