#include "server/fleet/agent_answers.h"

#include "base/log.h"

namespace logboom::server {

void refuse(http::ResponseWriter& writer, const Error& error) {
  const bool hidden =
      error.code() == ErrorCode::kIo || error.code() == ErrorCode::kFull || error.code() == ErrorCode::kInternal;
  if (hidden) log_error("cannot take batches: {}", printable(error.message()));
  writer.send(http::to_response(http::to_refusal(error)));
}

void answer_bytes(http::ResponseWriter& writer, std::string bytes) {
  writer.send({200, {{"Content-Type", kOctets}, {"Cache-Control", "no-store"}}, std::move(bytes), {}});
}

}  // namespace logboom::server
