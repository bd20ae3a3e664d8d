#include "http/testing/server_process.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <set>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace logboom::http {

std::string server_binary(const std::string& name, const std::string& program) {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::string base = cache && *cache ? cache : std::string(home ? home : "") + "/.cache";
  for (const std::string& path : {base + "/logboom-servers/" + name + "/usr/bin/" + program, "/usr/bin/" + program}) {
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

namespace {

int some_free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  (void)::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  (void)::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

}  // namespace

int free_port() {
  static std::set<int> given;
  for (;;) {
    if (const int port = some_free_port(); given.insert(port).second) return port;
  }
}

bool ServerProcess::start(std::vector<std::string> words, const std::string& log,
                          const std::function<bool()>& answers) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::posix_spawn_file_actions_adddup2(&files, 1, 2);
  const int failed = ::posix_spawn(&pid_, arguments[0], &files, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  if (failed != 0) return false;
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!answers()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

void ServerProcess::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void ServerProcess::pause(bool hangs) const {
  ::kill(pid_, hangs ? SIGSTOP : SIGCONT);
}

}  // namespace logboom::http
