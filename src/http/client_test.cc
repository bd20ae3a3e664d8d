// The client's patience: slow is not silent.
#include "http/client.h"

#include <chrono>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace logboom::http {
namespace {

using std::chrono::milliseconds;

// Takes one connection, with a small window, and does with it what it is told.
class Peer {
 public:
  template <typename Act>
  explicit Peer(Act act) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int window = 32 << 10;
    ::setsockopt(listener_, SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this, act](const std::stop_token& stop) {
      const int socket = ::accept(listener_, nullptr, nullptr);
      act(socket, stop);
      ::close(socket);
    });
  }
  ~Peer() {
    thread_.request_stop();
    thread_.join();
    ::close(listener_);
  }
  ClientOptions options(milliseconds silence) const {
    ClientOptions options;
    options.server = "http://127.0.0.1:" + std::to_string(port_);
    options.silence_time = silence;
    return options;
  }

 private:
  int listener_;
  int port_ = 0;
  std::jthread thread_;
};

// Longer than what the client waits for silence, in all: what the kernel took at once is still on its way.
TEST(HttpClientTest, T5ALargeRequestOnASlowLinkIsNoSilence) {
  constexpr std::size_t kBody = 2 << 20;
  const Peer peer([](int socket, const std::stop_token&) {
    std::string piece(32 << 10, '\0');
    for (std::size_t got = 0; got < kBody;) {
      const ssize_t n = ::recv(socket, piece.data(), piece.size(), 0);
      if (n <= 0) return;
      got += static_cast<std::size_t>(n);
      std::this_thread::sleep_for(milliseconds(25));
    }
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    EXPECT_GT(::send(socket, answer.data(), answer.size(), 0), 0);
  });
  HttpClient client(peer.options(milliseconds(800)));
  ClientRequest request{"POST", "/", {}, std::string(kBody, 'x')};
  const auto answer = client.send(request);
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  EXPECT_EQ(answer->body, "ok");
}

TEST(HttpClientTest, T4SilenceEndsTheWait) {
  const Peer peer([](int, const std::stop_token& stop) {
    while (!stop.stop_requested()) std::this_thread::sleep_for(milliseconds(5));
  });
  HttpClient client(peer.options(milliseconds(100)));
  const auto answer = client.send({});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), ErrorCode::kUnavailable);  // kCancelled is for who asked
  EXPECT_NE(answer.error().message().find("no answer in time"), std::string::npos) << answer.error().message();
}

}  // namespace
}  // namespace logboom::http
