// Bytes on a connection: the server reads them as requests and the client as an answer. Whatever comes, the server's
// answers are HTTP and the connection ends; the client gives an answer or an error.
#include <string>
#include <string_view>
#include <thread>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "http/client.h"
#include "http/server.h"
#include "http/testing/raw_socket.h"

namespace {

using namespace logboom;

class OpenGuard final : public http::Guard {
 public:
  std::optional<http::Refusal> admit(const http::Request&) override { return std::nullopt; }
  std::optional<http::Refusal> authorize(http::Request&, const http::Route*) override { return std::nullopt; }
};

std::string socket_in_tmp(const char* name) {
  return "/tmp/lb_http_fuzz_" + std::to_string(::getpid()) + "_" + name;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

std::string read_to_end(int socket) {
  std::string out;
  char piece[4096];
  for (ssize_t n = 0; (n = ::read(socket, piece, sizeof piece)) > 0;) out.append(piece, static_cast<std::size_t>(n));
  return out;
}

void write_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

struct Server {
  Server() {
    const auto echo = [](const http::Request& q, http::ResponseWriter& w) {
      w.send({200, {}, q.path + std::string(q.header("x")) + q.body, {}});
    };
    for (const char* method : {"GET", "POST", "PUT", "DELETE"})
      router.add({method, "/a/{id}", http::Access::everyone(), echo});
    LB_CHECK(server.start().ok());
  }
  const std::string path = socket_in_tmp("server");
  http::Router router;
  OpenGuard guard;
  Registry registry;
  SystemClock clock;
  http::HttpServer server{{.listen = "", .unix_socket = path}, router, guard, registry, clock};
};

void check_server(std::string_view bytes) {
  static Server world;
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un address = address_of(world.path);
  LB_CHECK(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  write_all(socket, bytes);
  ::shutdown(socket, SHUT_WR);
  const std::string answer = read_to_end(socket);
  LB_CHECK(answer.empty() || answer.starts_with("HTTP/1."));
  ::close(socket);
}

// Answers the one connection that comes with the bytes, once something was asked.
void answer_one(int listener, std::string_view bytes) {
  const int socket = ::accept(listener, nullptr, nullptr);
  char asked[4096];
  (void)!::read(socket, asked, sizeof asked);
  write_all(socket, bytes);
  ::close(socket);
}

int listener_on(const std::string& path) {
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un address = address_of(path);
  LB_CHECK(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  LB_CHECK(::listen(listener, 8) == 0);
  return listener;
}

void check_client(std::string_view bytes) {
  static const std::string path = socket_in_tmp("client");
  static const int listener = listener_on(path);
  std::jthread server([&] { answer_one(listener, bytes); });
  http::ClientOptions options;
  options.unix_socket = path;
  options.max_body = 1 << 20;
  http::HttpClient client(std::move(options));
  std::size_t lines = 0;
  http::LineReader reader([&](std::string_view) { return ++lines < 1000; });
  const auto answer = bytes.size() % 2 == 0 ? client.send({}) : client.stream({}, std::ref(reader));
  if (answer.ok()) LB_CHECK(answer->status >= 100 && answer->status <= 999);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.starts_with("HTTP/")) {
    check_client(bytes);
  } else {
    check_server(bytes);
  }
  return 0;
}
