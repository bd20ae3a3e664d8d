#include "server/fleet/install_routes.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include "base/log.h"
#include "http/json.h"

namespace logboom::server {
namespace {

using http::Access;
using http::Request;
using http::ResponseWriter;

// What a host must be to run this binary: "Linux x86_64".
std::string own_kind() {
  utsname name{};
  return ::uname(&name) == 0 ? fmt::format("{} {}", name.sysname, name.machine) : "unknown";
}

// The options by which curl knows this server and no other; empty: it asks the authorities.
std::string curl_pin(const std::string& fingerprint) {
  if (fingerprint.empty()) return {};
  std::string bytes;
  for (std::size_t i = 0; i + 1 < fingerprint.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(fingerprint.substr(i, 2), nullptr, 16)));
  return fmt::format("-k --pinnedpubkey sha256//{} ", http::base64(bytes));
}

// {url}, {pin}, {curl} and {kind} are filled in; none holds a quote.
constexpr const char* kScript = R"sh(#!/bin/sh
# Installs logboom from {url} and makes this host an agent of it: sh install.sh TOKEN, where TOKEN is what
# `logboom token create --agent` printed there.
set -eu
fail() {{ echo "install.sh: $*" >&2; exit 1; }}
[ $# -eq 1 ] || fail 'give the token of `logboom token create --agent`'
[ "$(uname -s) $(uname -m)" = '{kind}' ] || fail "this server's program is for {kind}, this host is $(uname -s) $(uname -m): install logboom another way, then: logboom enroll"
command -v curl >/dev/null || fail 'curl is missing'
if [ "$(id -u)" = 0 ]; then folder=/usr/local/bin; else folder="$HOME/.local/bin"; fi
folder="${{LOGBOOM_INSTALL_TO:-$folder}}"
mkdir -p "$folder" || fail "cannot make $folder"
fresh="$folder/.logboom.$$"
trap 'rm -f "$fresh"' EXIT
curl -fsS {curl}-H "Authorization: Bearer $1" -o "$fresh" '{url}/api/v1/agent/program' || fail 'cannot fetch the program; was the token used already?'
chmod 755 "$fresh"
"$fresh" --version >/dev/null 2>&1 || fail "the program does not run here: $(ldd "$fresh" 2>&1 | grep 'not found' || echo 'another kind of system')"
mv "$fresh" "$folder/logboom"
echo "installed $folder/logboom"
"$folder/logboom" enroll '{url}' "$1"{pin}
)sh";

void script_route(const InstallRouteDeps& deps, ResponseWriter& writer) {
  const std::string pin = deps.fingerprint.empty() ? "" : " --tls-fingerprint " + deps.fingerprint;
  const std::string text =
      fmt::format(kScript, fmt::arg("url", deps.gate.base_url(http::Gate::From::kOtherHosts)), fmt::arg("pin", pin),
                  fmt::arg("curl", curl_pin(deps.fingerprint)), fmt::arg("kind", own_kind()));
  writer.send({200, {{"Content-Type", "text/x-shellscript; charset=utf-8"}, {"Cache-Control", "no-store"}}, text, {}});
}

void program_route(const InstallRouteDeps& deps, ResponseWriter& writer) {
  constexpr std::size_t kPiece = 256 << 10;
  auto file = deps.files.open(deps.program, OpenMode::kRead);
  if (!file.ok()) {
    log_error("cannot hand out the program: {}", file.error().message());
    return writer.send(http::to_response({500, "internal", "the program cannot be read", "see the server's log", {}}));
  }
  if (!writer.begin(200, {{"Content-Type", "application/octet-stream"}, {"Cache-Control", "no-store"}})) return;
  std::string piece(kPiece, '\0');
  for (std::uint64_t at = 0;;) {
    const auto got = (*file)->pread(piece.data(), piece.size(), at);
    if (!got.ok()) return;  // without its end the client knows that it is cut
    if (*got == 0) return writer.end();
    if (!writer.write(std::string_view(piece).substr(0, *got))) return;
    at += *got;
  }
}

}  // namespace

std::string install_command(const std::string& url, const std::string& fingerprint, const std::string& token) {
  return fmt::format("curl -fsS {}{}/install.sh | sh -s -- {}", curl_pin(fingerprint), url, token);
}

void register_install_routes(http::Router& router, InstallRouteDeps deps) {
  http::Route script("GET", "/install.sh", Access::everyone(),
                     [deps](const Request&, ResponseWriter& w) { script_route(deps, w); });
  script.summary = "A script that installs logboom on a host of this server's kind and enrols it.";
  script.response = "The script; its argument is a token for a new agent.";
  script.response_type = "text/x-shellscript";
  router.add(std::move(script));
  http::Route program("GET", "/api/v1/agent/program", Access::at_least(http::Role::kEnroll),
                      [deps](const Request&, ResponseWriter& w) { program_route(deps, w); });
  program.summary = "This server's own program, for hosts of its kind.";
  program.response = "The executable.";
  program.response_type = "application/octet-stream";
  router.add(std::move(program));
}

}  // namespace logboom::server
