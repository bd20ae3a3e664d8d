// The page: files built from web/ into the binary, gzip-compressed, served with a strict content policy.
#pragma once

#include <string_view>
#include <vector>

#include "http/message.h"
#include "http/router.h"

namespace logboom::server {

// One embedded file; the bytes are part of the binary.
struct Asset {
  std::string_view path;  // "/", "/app-1A2B.js"
  std::string_view content_type;
  std::string_view bytes;  // gzip
  std::string_view etag;   // quoted
  bool immutable = false;  // its name holds its hash
};

// What was embedded at build time; only a note that the page was left out when there was no Node to build it.
const std::vector<Asset>& page_assets();

void register_page(http::Router& router, const std::vector<Asset>& assets);

// The page that asks for a token; `problem` stands above the form when not empty.
http::Response sign_in_page(std::string_view problem);

}  // namespace logboom::server
