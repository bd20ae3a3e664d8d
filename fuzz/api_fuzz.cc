// The handlers of the API over any request: the first line of the input is "METHOD TARGET", the rest the body. Every
// answer must be whole: JSON that parses, frames that parse, an error only as the API writes errors.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <nlohmann/json.hpp>

#include "http/testing/recording_writer.h"
#include "http/url.h"
#include "server/api.h"
#include "server/params.h"
#include "server/rows.h"
#include "server/testing/fake_log_store.h"

namespace {

using namespace logboom;

void require(bool holds) {
  if (!holds) std::abort();
}

struct World {
  World() {
    store.add("plain text", 1'000'000'000, Level::kError);
    store.add(R"({"a":{"b":1},"c":"x"})", 2'000'000'000);
    store.add(std::string("not \xFF UTF-8 \x1b[31m"), 3'000'000'000);
    store.original = "some bytes\n";
    stop.request_stop();
    server::register_api(router, {.store = store, .clock = clock, .registry = &registry});
  }
  server::FakeLogStore store;
  ManualClock clock;
  Registry registry;
  http::Router router;
  std::stop_source stop;
};

void check_lines(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    require(nlohmann::json::accept(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string type_of(const http::Response& response) {
  for (const auto& [name, value] : response.headers) {
    if (name == "Content-Type") return value;
  }
  return {};
}

void check_answer(const http::RecordingWriter& writer) {
  require(writer.status() >= 200 && writer.status() < 600);
  const std::string type = type_of(writer.whole ? *writer.whole : *writer.head);
  if (type == "application/json") require(nlohmann::json::accept(writer.text()));
  if (type == "application/x-ndjson") check_lines(writer.text());
  if (writer.status() >= 400) require(nlohmann::json::parse(writer.text()).at("error").at("message").is_string());
}

void check_parts(std::string_view text) {
  if (const auto key = server::decode_cursor(text)) require(server::decode_cursor(server::encode_cursor(*key)) == key);
  (void)server::parse_time_parameter(text, 1'700'000'000'000'000'000);
  (void)server::parse_duration(text);
  (void)http::host_of(text);
  std::string json;
  http::append_json_string(json, text);
  require(nlohmann::json::accept(json));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string_view line = input.substr(0, end);
  const std::size_t space = std::min(line.find(' '), line.size());
  check_parts(line);
  const auto target = http::parse_target(line.substr(std::min(space + 1, line.size())));
  if (!target.ok()) return 0;
  http::Request request;
  request.method = line.substr(0, space);
  request.path = target->path;
  request.query = target->query;
  request.body = input.substr(std::min(end + 1, input.size()));
  auto match = world.router.match(request.method, request.path);
  if (!match.route) return 0;
  request.path_params = std::move(match.params);
  // Streams without an end are stopped at once.
  if (match.route->kind == http::RouteKind::kLongLived) request.stop = world.stop.get_token();
  http::RecordingWriter writer;
  match.route->handler(request, writer);
  check_answer(writer);
  return 0;
}
