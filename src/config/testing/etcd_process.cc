#include "config/testing/etcd_process.h"

#include <chrono>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "http/client.h"
#include "http/json.h"

namespace logboom::config {
namespace {

std::string binary() {
  return http::server_binary("etcd", "etcd");
}

}  // namespace

std::string EtcdProcess::missing() {
  return binary().empty() ? "etcd is not here: run `python3 tests/servers/etcd.py fetch`" : "";
}

EtcdProcess::EtcdProcess(std::string folder)
    : folder_(std::move(folder)), port_(http::free_port()), peer_port_(http::free_port()) {}

bool EtcdProcess::start() {
  const std::string client = fmt::format("http://127.0.0.1:{}", port_);
  const std::string peer = fmt::format("http://127.0.0.1:{}", peer_port_);
  return process_.start(
      {binary(), "--name=one", "--data-dir=" + folder_ + "/data", "--listen-client-urls=" + client,
       "--advertise-client-urls=" + client, "--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer,
       "--initial-cluster=one=" + peer, "--initial-cluster-token=" + cluster_},
      folder_ + "/etcd.log", [this] { return !call("/v3/maintenance/status", "{}").empty(); });
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
