#include "metricstore/testing/influx_process.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "http/client.h"

namespace logboom::metricstore {
namespace {

std::string binary() {
  return http::server_binary("influxdb", "influxd");
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

InfluxProcess::InfluxProcess() : port_(http::free_port()), inner_port_(http::free_port()) {
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
  return process_.start({binary(), "run", "-config", folder_ + "/influxdb.conf"}, folder_ + "/influxd.log",
                        [this] { return answers(url()); });
}

}  // namespace logboom::metricstore
