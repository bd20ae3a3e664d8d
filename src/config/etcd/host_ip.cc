#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/etcd/etcd_rule_source.h"
#include "http/url.h"

namespace logboom::config {
namespace {

// Of the socket's own end; empty where no route leads there.
std::string address_towards(const sockaddr* to, socklen_t size) {
  const int socket = ::socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return "";
  sockaddr_storage own{};
  socklen_t own_size = sizeof own;
  char text[INET6_ADDRSTRLEN] = "";
  if (::connect(socket, to, size) == 0 && ::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &own_size) == 0) {
    const void* bytes = own.ss_family == AF_INET6
                            ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(&own)->sin6_addr)
                            : &reinterpret_cast<const sockaddr_in*>(&own)->sin_addr;
    ::inet_ntop(own.ss_family, bytes, text, sizeof text);
  }
  ::close(socket);
  return text;
}

std::string address_towards_endpoint(const std::string& endpoint) {
  const std::size_t scheme = endpoint.find("://");
  std::string rest = scheme == std::string::npos ? endpoint : endpoint.substr(scheme + 3);
  rest = rest.substr(0, rest.find('/'));
  const auto authority = http::parse_authority(rest);
  if (!authority.ok()) return "";
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const char* port = authority->port.empty() ? "2379" : authority->port.c_str();
  if (::getaddrinfo(authority->host.c_str(), port, &hints, &found) != 0) return "";
  std::string address;
  for (const addrinfo* at = found; at && address.empty(); at = at->ai_next)
    address = address_towards(at->ai_addr, at->ai_addrlen);
  ::freeaddrinfo(found);
  return address;
}

}  // namespace

Result<std::string> host_ip(const std::vector<std::string>& endpoints) {
  sockaddr_in far{};
  far.sin_family = AF_INET;
  far.sin_port = htons(80);
  far.sin_addr.s_addr = htonl(0x08080808);
  std::string address = address_towards(reinterpret_cast<const sockaddr*>(&far), sizeof far);
  for (const std::string& endpoint : endpoints) {
    if (address.empty()) address = address_towards_endpoint(endpoint);
  }
  if (!address.empty()) return address;
  return Error(ErrorCode::kUnavailable, "this host has no route to anywhere, so its IP is not known (set agent.ip)");
}

}  // namespace logboom::config
