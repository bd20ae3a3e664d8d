// EtcdProcess: a real etcd of one member on loopback, for tests; tests/servers/etcd.py gets its binary.
#pragma once

#include <string>

#include "http/testing/server_process.h"

namespace logboom::config {

class EtcdProcess {
 public:
  // Why none can be started; empty when one can.
  static std::string missing();
  // `folder` exists; it holds the data. The port stays the same over restarts.
  explicit EtcdProcess(std::string folder);

  // False when it does not answer within a minute.
  bool start();
  void kill() { process_.kill(); }
  // Lets it hang, alive (and go on).
  void pause(bool hangs) const { process_.pause(hangs); }
  // What a lost disk leaves; not while it runs. With another name it is another cluster.
  void wipe(const std::string& cluster);

  std::string endpoint() const { return "127.0.0.1:" + std::to_string(port_); }
  void put(const std::string& key, const std::string& value) const;
  void remove(const std::string& key) const;
  // Everything before now.
  void compact() const;
  // The JSON of any call of the gateway; "" when it fails.
  std::string call(const std::string& path, const std::string& json) const;

 private:
  const std::string folder_;
  const int port_;
  const int peer_port_;
  std::string cluster_ = "logboom-tests";
  http::ServerProcess process_;
};

}  // namespace logboom::config
