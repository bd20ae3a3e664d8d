// ResponseWriter: how a handler answers, at once or as a stream. Handlers run on threads of a pool and may block.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace logboom::http {

// Used by the one thread that runs the handler. Either send() once, or begin(), write()* and end(). A handler that
// returns after begin() without end() cuts the connection, so the client sees that the answer is not whole; one that
// does nothing answers 500.
class ResponseWriter {
 public:
  virtual ~ResponseWriter() = default;
  virtual void send(Response response) = 0;
  // Starts a streamed answer. False when the client has gone.
  virtual bool begin(int status, Headers headers) = 0;
  // Hands over the bytes; blocks while more than a bounded amount waits for a slow client. False when the client has
  // gone, stopped reading for too long, or the server stops at once: then the handler should return.
  virtual bool write(std::string_view bytes) = 0;
  // Ends the stream; the trailers follow the body.
  virtual void end(Headers trailers = {}) = 0;
  virtual bool begun() const = 0;
};

// Server-sent events over a begun stream of type text/event-stream.
class EventStream {
 public:
  explicit EventStream(ResponseWriter& writer) : writer_(writer) {}
  bool begin();
  // `data` holds no line break (JSON); an empty id is left out.
  bool event(std::string_view name, std::string_view id, std::string_view data);
  bool comment(std::string_view text);

 private:
  ResponseWriter& writer_;
};

}  // namespace logboom::http
