// Asking agents for ranges of their files by a server that they and this program report to.
#pragma once

#include <memory>
#include <string>

#include "config/repair_requests.h"
#include "http/client.h"

namespace logboom::config {

// `client`: server, token, TLS; `id`: how the server knows this program. Agents are named by their names.
std::unique_ptr<RepairAsker> open_http_repair_asker(http::ClientOptions client, std::string id);

}  // namespace logboom::config
