// How a new host comes by the program: a short script and this server's own binary, for hosts of its kind.
#pragma once

#include <string>

#include "http/auth/gate.h"
#include "http/router.h"
#include "io/file_system.h"

namespace logboom::server {

struct InstallRouteDeps {
  http::Gate& gate;
  FileSystem& files;
  std::string program;      // path of the binary that is handed out
  std::string fingerprint;  // of the server's own certificate; empty: it has none
};

// The line that installs logboom on a new host and enrols it with this token (of role enroll), for a POSIX shell with
// curl.
std::string install_command(const std::string& url, const std::string& fingerprint, const std::string& token);

// GET /install.sh, for everyone: it holds nothing secret; GET /api/v1/agent/program, for tokens of role enroll. What
// `deps` refers to outlives the router.
void register_install_routes(http::Router& router, InstallRouteDeps deps);

}  // namespace logboom::server
