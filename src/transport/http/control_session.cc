#include "transport/http/control_session.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "http/auth/secret.h"
#include "http/json_reading.h"

namespace logboom::transport {
namespace {

constexpr auto kAskAgain = std::chrono::seconds(2);
constexpr auto kLongestAnswer = std::chrono::seconds(5);

http::ClientOptions with_bounds(http::ClientOptions options) {
  options.silence_time = kLongestAnswer;
  options.connect_time = kLongestAnswer;
  return options;
}

}  // namespace

http::ClientRequest session_request(const std::string& agent, const std::string& name, const std::string& version,
                                    const std::string& attempt) {
  http::ClientRequest request{"POST", "/api/v1/agent/session", {{"Content-Type", "application/json"}}, ""};
  request.body = nlohmann::json{{"agent", agent}, {"name", name}, {"version", version}, {"attempt", attempt}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
  return request;
}

std::string new_attempt() {
  return http::random_id(16);
}

Result<std::uint64_t> session_number(const http::ClientResponse& answer) {
  const auto json = nlohmann::json::parse(answer.body, nullptr, false);
  const auto session = json.is_object() ? json.value("session", nlohmann::json()) : nlohmann::json();
  if (session.is_number_unsigned() && session.get<std::uint64_t>() != 0) return session.get<std::uint64_t>();
  return Error(ErrorCode::kCorrupt, "cannot open a session: the server's answer is none of logboom's");
}

ControlSession::ControlSession(http::ClientOptions client, std::string agent, std::string name, std::string version)
    : agent_(std::move(agent)),
      name_(std::move(name)),
      version_(std::move(version)),
      client_(with_bounds(std::move(client))) {}

std::uint64_t ControlSession::number() {
  MutexLock lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (number_ != 0 || now < ask_at_) return number_;
  const auto answer = client_.send(session_request(agent_, name_, version_, attempt_), {});
  ask_at_ = std::chrono::steady_clock::now() + kAskAgain;
  std::string problem;
  if (!answer.ok()) {
    problem = answer.error().message();
  } else if (answer->status != 200) {
    problem = fmt::format("status {}: {}", answer->status, http::read_api_error(answer->body).message);
  } else if (const auto number = session_number(*answer); number.ok()) {
    number_ = *number;
  } else {
    problem = number.error().message();
  }
  if (problem != problem_ && !problem.empty()) log_warn("cannot report to the server: {}", printable(problem));
  problem_ = problem;
  return number_;
}

void ControlSession::forget() {
  MutexLock lock(mutex_);
  number_ = 0;
  attempt_ = new_attempt();
}

}  // namespace logboom::transport
