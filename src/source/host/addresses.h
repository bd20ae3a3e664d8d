// The IP addresses of this host.
#pragma once

#include <string>
#include <vector>

namespace logboom::source::host {

// Those by which others reach it: no loopback, no link-local ones; sorted, at most 16. Blocks for no network.
std::vector<std::string> host_addresses();

}  // namespace logboom::source::host
