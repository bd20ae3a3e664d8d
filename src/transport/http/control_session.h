// Sessions with a server (docs/formats/delivery.md). ControlSession: of a program that sends its batches elsewhere, or
// stores them itself, and only reports: opened when it is first asked for, and again when the server does not know it
// any more.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/mutex.h"
#include "http/client.h"

namespace logboom::transport {

// `attempt`: the same in every repeat of one attempt to open a session, so that a request that comes twice opens one.
http::ClientRequest session_request(const std::string& agent, const std::string& name, const std::string& version,
                                    const std::string& attempt);
std::string new_attempt();
// Its number, of an answer with status 200. kCorrupt: it is no answer of logboom's.
Result<std::uint64_t> session_number(const http::ClientResponse& answer);

// Thread-safe.
class ControlSession {
 public:
  ControlSession(http::ClientOptions client, std::string agent, std::string name, std::string version);
  // Its number; 0: there is none now. Asks the server now and then, and blocks so long.
  std::uint64_t number();
  // The server does not know it.
  void forget();

 private:
  const std::string agent_;
  const std::string name_;
  const std::string version_;
  Mutex mutex_;  // held while the server is asked
  std::string attempt_ LB_GUARDED_BY(mutex_) = new_attempt();
  http::HttpClient client_ LB_GUARDED_BY(mutex_);
  std::uint64_t number_ LB_GUARDED_BY(mutex_) = 0;
  std::chrono::steady_clock::time_point ask_at_ LB_GUARDED_BY(mutex_){};
  std::string problem_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::transport
