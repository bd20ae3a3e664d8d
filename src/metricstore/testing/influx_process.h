// InfluxProcess: a real InfluxDB 1.x on loopback, for tests; tests/servers/influxdb.py gets its binary.
#pragma once

#include <string>

#include "http/testing/server_process.h"

namespace logboom::metricstore {

class InfluxProcess {
 public:
  // Why none can be started; empty when one can.
  static std::string missing();
  // Data lies in a new temporary folder, which the destructor removes. The port stays the same over restarts.
  InfluxProcess();
  ~InfluxProcess();
  InfluxProcess(const InfluxProcess&) = delete;
  InfluxProcess& operator=(const InfluxProcess&) = delete;

  // False when it does not answer within a minute.
  bool start();
  void kill() { process_.kill(); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  std::string folder_;
  const int port_;
  const int inner_port_;
  http::ServerProcess process_;
};

}  // namespace logboom::metricstore
