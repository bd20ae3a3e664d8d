// ServerProcess: a real server of others on loopback, for tests; tests/servers/ gets their programs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace logboom::http {

// Where tests/servers/NAME.py has put the program, or where the system has it; empty: it is in neither place.
std::string server_binary(const std::string& name, const std::string& program);
// A port nobody listens on now, another one each time. Not thread-safe.
int free_port();

class ServerProcess {
 public:
  ServerProcess() = default;
  ~ServerProcess() { kill(); }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Runs the words, their output goes behind what is in `log`. False when it does not answer within a minute.
  bool start(std::vector<std::string> words, const std::string& log, const std::function<bool()>& answers);
  void kill();
  // Lets it hang, alive (and go on).
  void pause(bool hangs) const;

 private:
  pid_t pid_ = -1;
};

}  // namespace logboom::http
