#include "metricstore/testing/influx_process.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http/client.h"

namespace logboom::metricstore {
namespace {

std::string binary() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::string base = cache && *cache ? cache : std::string(home ? home : "") + "/.cache";
  for (const std::string& path :
       {base + "/logboom-servers/influxdb/usr/bin/influxd", std::string("/usr/bin/influxd")}) {
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

int free_port() {
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

bool answers(const std::string& url) {
  http::ClientOptions options;
  options.server = url;
  http::HttpClient client(std::move(options));
  const auto response = client.send({"GET", "/ping"});
  return response.ok() && response->status == 204;
}

}  // namespace

std::string InfluxProcess::missing() {
  return binary().empty() ? "InfluxDB is not here: run `python3 tests/servers/influxdb.py fetch`" : "";
}

InfluxProcess::InfluxProcess() : port_(free_port()), inner_port_(free_port()) {
  char folder[] = "/tmp/lb_influx_XXXXXX";
  if (::mkdtemp(folder) != nullptr) folder_ = folder;
  std::ofstream(folder_ + "/influxdb.conf") << fmt::format(
      "reporting-disabled = true\nbind-address = \"127.0.0.1:{1}\"\n[meta]\ndir = \"{0}/meta\"\n[data]\n"
      "dir = \"{0}/data\"\nwal-dir = \"{0}/wal\"\n[monitor]\nstore-enabled = false\n[http]\n"
      "bind-address = \"127.0.0.1:{2}\"\nlog-enabled = false\n",
      folder_, inner_port_, port_);
}

InfluxProcess::~InfluxProcess() {
  kill();
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

bool InfluxProcess::start() {
  const std::string program = binary();
  std::vector<std::string> words = {program, "run", "-config", folder_ + "/influxdb.conf"};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  const std::string log = folder_ + "/influxd.log";
  ::posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::posix_spawn_file_actions_adddup2(&files, 1, 2);
  const int failed = ::posix_spawn(&pid_, program.c_str(), &files, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  if (failed != 0) return false;
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!answers(url())) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

void InfluxProcess::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace logboom::metricstore
