// A ResponseWriter that keeps what a handler writes: for tests and fuzz targets of handlers, without a network.
#pragma once

#include <optional>
#include <string>

#include "http/response_writer.h"

namespace logboom::http {

class RecordingWriter : public ResponseWriter {
 public:
  void send(Response response) override { whole = std::move(response); }
  bool begin(int status, Headers headers) override {
    head = Response{status, std::move(headers), "", {}};
    return !gone;
  }
  bool write(std::string_view bytes) override {
    body.append(bytes);
    if (writes_until_gone && --*writes_until_gone == 0) gone = true;
    return !gone;
  }
  void end(Headers more = {}) override {
    ended = true;
    trailers = std::move(more);
  }
  bool begun() const override { return head.has_value() || whole.has_value(); }
  int status() const { return whole ? whole->status : head ? head->status : 0; }
  // Of either kind of answer.
  std::string text() const { return whole ? whole->body : body; }

  std::optional<Response> whole;
  std::optional<Response> head;
  std::string body;
  bool ended = false;
  bool gone = false;
  Headers trailers;
  std::optional<int> writes_until_gone;
};

}  // namespace logboom::http
