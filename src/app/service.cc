#include "app/service.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/paths.h"
#include "base/log.h"

namespace logboom::app {

void notify_service_manager(const std::string& state) {
  const std::string path = environment("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return;
  std::copy(path.begin(), path.end(), address.sun_path);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  if (::sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), length) <
      0) {
    log_warn("cannot notify the service manager");
  }
  ::close(descriptor);
}

std::unique_ptr<Reloads::Subscription> follow_settings(const Context& context, const Args& args) {
  if (context.reloads == nullptr) return nullptr;
  return std::make_unique<Reloads::Subscription>(*context.reloads,
                                                 [&context, &args] { report_changed_settings(context, args); });
}

}  // namespace logboom::app
