// A plain TCP connection for tests: sends any bytes, however wrong, and reads what comes back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace logboom::http {

class RawSocket {
 public:
  explicit RawSocket(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawSocket() { close(); }
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  bool connected() const { return connected_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  // Reads until the other side closes (or nothing comes for 20 s).
  std::string read_all() const {
    std::string out;
    for (std::string piece = read_some(); !piece.empty(); piece = read_some()) out += piece;
    return out;
  }
  // Reads until `mark` has come.
  std::string read_until(std::string_view mark) const {
    std::string out;
    while (out.find(mark) == std::string::npos) {
      const std::string piece = read_some();
      if (piece.empty()) break;
      out += piece;
    }
    return out;
  }
  std::string read_some() const {
    pollfd wait{fd_, POLLIN, 0};
    if (::poll(&wait, 1, 20'000) != 1) return {};
    std::string piece(16 << 10, '\0');
    const ssize_t n = ::recv(fd_, piece.data(), piece.size(), 0);
    piece.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return piece;
  }

 private:
  int fd_;
  bool connected_ = false;
};

}  // namespace logboom::http
