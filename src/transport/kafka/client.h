// What every Kafka client of logboom needs to know of a cluster: addresses, encryption, sign-in.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "transport/kafka/connection_health.h"

namespace logboom::transport::kafka {

struct ClientOptions {
  std::string brokers;  // "host:port,host:port": any of them leads to the others
  std::string client_id = "logboom";
  bool tls = false;       // the brokers' names and certificates are always verified
  std::string ca_file;    // PEM; empty: the system's
  std::string cert_file;  // this client's certificate and key in PEM, where the brokers want one
  std::string key_file;
  std::string sasl;  // "", "PLAIN", "SCRAM-SHA-256" or "SCRAM-SHA-512"
  std::string user;
  // Asked for with each new client and whenever the brokers refuse the last one, from the client's thread; none: no
  // password.
  std::function<Result<std::string>()> password;
  // Where it is told how connections fare; several clients may share one. None: each has its own, with remedy_of().
  std::shared_ptr<ConnectionHealth> health;
  // Further properties of librdkafka by name; they win over what this program sets.
  std::vector<std::pair<std::string, std::string>> properties;
};

// What a person may do about a fault of the connections of such clients.
std::string remedy_of(const ClientOptions& client, ConnectionFault fault);
// Says faults in the log.
std::shared_ptr<ConnectionHealth> health_of(const ClientOptions& client);

// "2.0.2". Versions before 2.6.1 cannot sign in with SCRAM to Kafka 4.
std::string library_version();
bool scram_works_with_kafka_4();

}  // namespace logboom::transport::kafka
