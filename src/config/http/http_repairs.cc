#include "config/http/http_repairs.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "http/json.h"
#include "http/json_reading.h"

namespace logboom::config {
namespace {

constexpr auto kLongestAnswer = std::chrono::seconds(10);

class HttpRepairAsker final : public RepairAsker {
 public:
  HttpRepairAsker(http::ClientOptions client, std::string id) : options_(std::move(client)), id_(std::move(id)) {
    options_.silence_time = kLongestAnswer;
  }

  Status ask(const std::string& agent, const std::vector<WantedRange>& ranges, std::stop_token stop) override {
    const auto first = ranges.begin();
    const auto count = static_cast<std::ptrdiff_t>(std::min(ranges.size(), kMostWantedRanges));
    http::ClientRequest request{"POST", "/api/v1/agent/repairs", {}, {}};
    request.headers = {{"Content-Type", "application/json"}, {"Logboom-Agent", id_}};
    http::JsonWriter w(request.body);
    w.open_object().field("agent", agent).key("ranges").raw(write_wanted({first, first + count})).close_object();
    http::HttpClient client(options_);
    LB_ASSIGN(const http::ClientResponse answer, client.send(request, std::move(stop)));
    if (answer.status / 100 == 2) return {};
    const ErrorCode code = answer.status == 404   ? ErrorCode::kNotFound
                           : answer.status >= 500 ? ErrorCode::kUnavailable
                                                  : ErrorCode::kRejected;
    const std::string message = http::read_api_error(answer.body).message;
    return Error(code, fmt::format("{} answers: {}", options_.server,
                                   message.empty() ? fmt::format("status {}", answer.status) : printable(message)));
  }

 private:
  http::ClientOptions options_;
  const std::string id_;
};

}  // namespace

std::unique_ptr<RepairAsker> open_http_repair_asker(http::ClientOptions client, std::string id) {
  return std::make_unique<HttpRepairAsker>(std::move(client), std::move(id));
}

}  // namespace logboom::config
