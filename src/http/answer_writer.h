// Sends the answers of one connection in the form that its requests ask for. Internal to http/; of the network thread.
// Every co_await stands alone: see connection.cc.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <fmt/format.h>

#include "http/core.h"
#include "http/response_head.h"

namespace logboom::http {

namespace beast = boost::beast;
inline constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
inline constexpr std::size_t kPiece = 64 << 10;  // the most that is written, or read of a body, at a time

// Both outlive it. Each write may take ServerLimits::write_time.
template <typename Stream>
class AnswerWriter {
 public:
  AnswerWriter(Shared& shared, Stream& stream) : shared_(shared), stream_(stream) {}

  // What the next answer is to: whether another request may follow, one for the head alone, one of HTTP/1.0.
  void begin(bool keep_alive, bool head_only, bool old_http) {
    keep_alive_ = keep_alive;
    head_only_ = head_only;
    old_http_ = old_http;
  }
  // No request follows this one.
  void make_last() { keep_alive_ = false; }
  // Nor any other from now on.
  void wind_down() { winding_down_ = true; }
  bool winding_down() const { return winding_down_; }
  bool goes_on() const { return keep_alive_ && !winding_down_; }
  bool head_only() const { return head_only_; }

  // An answer that is there as a whole. False: the connection must close, whatever it was told.
  asio::awaitable<bool> whole(Response response) {
    const std::string_view body = response.static_body.empty() ? std::string_view(response.body) : response.static_body;
    std::string text = response_head(response, head_context(body.size(), false));
    const bool send_body = !head_only_ && response.status != 204 && response.status != 304;
    const std::size_t first = send_body ? std::min(body.size(), kPiece) : 0;
    text.append(body.substr(0, first));
    bool fine = co_await write_bytes(text);
    for (std::size_t i = first; fine && send_body && i < body.size(); i += kPiece) {
      fine = co_await write_bytes(body.substr(i, kPiece));
    }
    co_return fine&& goes_on();
  }

  // One that comes in parts: its head, then chunks(), then end(). False from the first two: it could not be written.
  asio::awaitable<bool> head(const Response& head) {
    if (old_http_) keep_alive_ = false;  // the end of the connection is the end of the body
    const std::string text = response_head(head, head_context(std::nullopt, !old_http_));
    const bool fine = co_await write_bytes(text);
    co_return fine;
  }

  asio::awaitable<bool> chunks(std::string_view bytes) {
    std::string piece;
    bool fine = true;
    for (std::size_t i = 0; fine && i < bytes.size(); i += kPiece) {
      const auto part = bytes.substr(i, kPiece);
      piece.clear();
      if (!old_http_) piece = fmt::format("{:x}\r\n", part.size());
      piece.append(part);
      if (!old_http_) piece += "\r\n";
      fine = co_await write_bytes(piece);
    }
    co_return fine;
  }

  // False: the connection must close.
  asio::awaitable<bool> end(const Headers& trailers) {
    if (head_only_ || old_http_) co_return !old_http_ && goes_on();
    std::string text = "0\r\n";
    for (const auto& [name, value] : trailers) append_header(text, name, value);
    text += "\r\n";
    const bool fine = co_await write_bytes(text);
    co_return fine&& goes_on();
  }

 private:
  HeadContext head_context(std::optional<std::uint64_t> length, bool chunked) const {
    return {length, chunked, goes_on(), shared_.clock.now()};
  }

  asio::awaitable<bool> write_bytes(std::string_view bytes) {
    beast::get_lowest_layer(stream_).expires_after(shared_.options.limits.write_time);
    const auto [error, n] = co_await asio::async_write(stream_, asio::buffer(bytes), kAwait);
    shared_.metrics.bytes_sent.add(n);
    if (error == beast::error::timeout) shared_.metrics.timeouts.add();
    co_return !error;
  }

  Shared& shared_;
  Stream& stream_;
  bool winding_down_ = false;
  bool keep_alive_ = true;
  bool head_only_ = false;
  bool old_http_ = false;
};

}  // namespace logboom::http
