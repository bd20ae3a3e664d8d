#include "http/response_writer.h"

namespace logboom::http {

bool EventStream::begin() {
  return writer_.begin(
      200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}});
}

bool EventStream::event(std::string_view name, std::string_view id, std::string_view data) {
  std::string text;
  text.reserve(name.size() + id.size() + data.size() + 32);
  text.append("event: ").append(name).append("\n");
  if (!id.empty()) text.append("id: ").append(id).append("\n");
  text.append("data: ").append(data).append("\n\n");
  return writer_.write(text);
}

bool EventStream::comment(std::string_view text) {
  return writer_.write(": " + std::string(text) + "\n\n");
}

}  // namespace logboom::http
