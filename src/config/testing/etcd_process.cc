#include "config/testing/etcd_process.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http/client.h"
#include "http/json.h"

namespace logboom::config {
namespace {

std::string binary() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::string base = cache && *cache ? cache : std::string(home ? home : "") + "/.cache";
  for (const std::string& path : {base + "/logboom-servers/etcd/usr/bin/etcd", std::string("/usr/bin/etcd")}) {
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

}  // namespace

std::string EtcdProcess::missing() {
  return binary().empty() ? "etcd is not here: run `python3 tests/servers/etcd.py fetch`" : "";
}

EtcdProcess::EtcdProcess(std::string folder)
    : folder_(std::move(folder)), port_(free_port()), peer_port_(free_port()) {}

EtcdProcess::~EtcdProcess() {
  kill();
}

bool EtcdProcess::start() {
  const std::string client = fmt::format("http://127.0.0.1:{}", port_);
  const std::string peer = fmt::format("http://127.0.0.1:{}", peer_port_);
  const std::string program = binary();
  std::vector<std::string> words = {program,
                                    "--name=one",
                                    "--data-dir=" + folder_ + "/data",
                                    "--listen-client-urls=" + client,
                                    "--advertise-client-urls=" + client,
                                    "--listen-peer-urls=" + peer,
                                    "--initial-advertise-peer-urls=" + peer,
                                    "--initial-cluster=one=" + peer,
                                    "--initial-cluster-token=" + cluster_};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  const std::string log = folder_ + "/etcd.log";
  ::posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::posix_spawn_file_actions_adddup2(&files, 1, 2);
  const int failed = ::posix_spawn(&pid_, program.c_str(), &files, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  if (failed != 0) return false;
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (call("/v3/maintenance/status", "{}").empty()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

void EtcdProcess::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void EtcdProcess::pause(bool hangs) const {
  ::kill(pid_, hangs ? SIGSTOP : SIGCONT);
}

void EtcdProcess::wipe(const std::string& cluster) {
  std::filesystem::remove_all(folder_ + "/data");
  cluster_ = cluster;
}

std::string EtcdProcess::call(const std::string& path, const std::string& json) const {
  http::ClientOptions options;
  options.server = "http://" + endpoint();
  options.silence_time = std::chrono::seconds(10);
  http::HttpClient client(options);
  const auto answer = client.send({"POST", path, {}, json});
  return answer.ok() && answer->status == 200 ? answer->body : "";
}

void EtcdProcess::put(const std::string& key, const std::string& value) const {
  call("/v3/kv/put", nlohmann::json{{"key", http::base64(key)}, {"value", http::base64(value)}}.dump());
}

void EtcdProcess::remove(const std::string& key) const {
  call("/v3/kv/deleterange", nlohmann::json{{"key", http::base64(key)}}.dump());
}

void EtcdProcess::compact() const {
  const auto range = nlohmann::json::parse(call("/v3/kv/range", R"({"key":"eA=="})"));
  call("/v3/kv/compaction", nlohmann::json{{"revision", range["header"]["revision"]}, {"physical", true}}.dump());
}

}  // namespace logboom::config
