#include "server/page.h"

#include <algorithm>

#include <fmt/format.h>
#include <zlib.h>

namespace logboom::server {
namespace {

constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src "
    "'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

// The sign-in page stands alone: no script, no file, one inline style.
constexpr std::string_view kSignInPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

http::Headers page_headers(std::string_view policy) {
  return {{"Content-Security-Policy", std::string(policy)},
          {"Referrer-Policy", "same-origin"},  // no-referrer makes browsers send "Origin: null" with the sign-in form
          {"X-Frame-Options", "DENY"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cross-Origin-Resource-Policy", "same-origin"}};
}

// Browsers all take gzip; for a client that does not, the bytes are unpacked.
std::string unpack(std::string_view gzip) {
  std::string out;
  z_stream z{};
  if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) return out;
  z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(gzip.data()));
  z.avail_in = static_cast<uInt>(gzip.size());
  std::string piece(64 << 10, '\0');
  int state = Z_OK;
  while (state == Z_OK) {
    z.next_out = reinterpret_cast<Bytef*>(piece.data());
    z.avail_out = static_cast<uInt>(piece.size());
    state = inflate(&z, Z_NO_FLUSH);
    out.append(piece.data(), piece.size() - z.avail_out);
  }
  inflateEnd(&z);
  return out;
}

void serve(const Asset& asset, const http::Request& request, http::ResponseWriter& writer) {
  http::Response response;
  response.headers = page_headers(kPolicy);
  response.headers.emplace_back("ETag", asset.etag);
  response.headers.emplace_back("Cache-Control", asset.immutable ? "private, max-age=31536000, immutable" : "no-cache");
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (request.header("if-none-match") == asset.etag) {
    response.status = 304;
    return writer.send(std::move(response));
  }
  response.headers.emplace_back("Content-Type", asset.content_type);
  if (request.header("accept-encoding").find("gzip") != std::string_view::npos) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.static_body = asset.bytes;
  } else {
    response.body = unpack(asset.bytes);
  }
  writer.send(std::move(response));
}

constexpr std::string_view kSignIn = R"html(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>logboom: sign in</title>
<style>
:root{{color-scheme:light dark}}
body{{font:15px/1.5 system-ui,sans-serif;max-width:26rem;margin:18vh auto;padding:0 1rem}}
input,button{{font:inherit;padding:.4rem .6rem;box-sizing:border-box;width:100%;margin-top:.5rem}}
code{{font-family:ui-monospace,monospace}} .problem{{border-left:3px solid #c33;padding-left:.7rem}}
</style></head><body><h1>logboom</h1>{}
<p>Run <code>logboom login</code> on the machine where logboom runs and open the address it prints, or paste a token.</p>
<form method="post" action="/signin"><input type="password" name="token" aria-label="token" autocomplete="off" required>
<button type="submit">Sign in</button></form></body></html>
)html";

}  // namespace

http::Response sign_in_page(std::string_view problem) {
  http::Response response;
  response.headers = page_headers(kSignInPolicy);
  response.headers.emplace_back("Content-Type", "text/html; charset=utf-8");
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body =
      fmt::format(fmt::runtime(kSignIn), problem.empty() ? "" : fmt::format("<p class=\"problem\">{}</p>", problem));
  return response;
}

void register_page(http::Router& router, const std::vector<Asset>& assets) {
  for (const Asset& asset : assets) {
    http::Route route(
        "GET", std::string(asset.path), http::Access::at_least(http::Role::kViewer),
        [asset](const http::Request& request, http::ResponseWriter& writer) { serve(asset, request, writer); });
    route.kind = asset.path == "/" ? http::RouteKind::kPage : http::RouteKind::kOrdinary;
    route.summary = "A file of the page.";
    route.response = "The file.";
    route.response_type = std::string(asset.content_type);
    router.add(std::move(route));
  }
}

}  // namespace logboom::server
