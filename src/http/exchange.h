// Exchange: one request and its answer between the thread of a handler and the network thread. The handler writes into
// a bounded buffer and blocks when it is full; the network side takes from it. Internal to http/.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "base/mutex.h"
#include "http/message.h"
#include "http/response_writer.h"

namespace logboom::http {

// Thread-safe. Bound: kMaxBuffered bytes wait, plus the one piece that went over it.
class Exchange final : public ResponseWriter {
 public:
  static constexpr std::size_t kMaxBuffered = 256 << 10;
  // What the network side finds when it looks.
  struct Taken {
    std::optional<Response> whole;  // send()
    std::optional<Response> head;   // begin(): status and headers
    std::string bytes;              // written since
    bool ended = false;             // end() was called; `trailers` follow
    Headers trailers;
    bool handler_done = false;  // nothing more will come
  };

  // `wake` is called from the handler's thread whenever take() may find something new.
  explicit Exchange(std::function<void()> wake) : wake_(std::move(wake)) {}

  // Handler's side.
  void send(Response response) override;
  bool begin(int status, Headers headers) override;
  bool write(std::string_view bytes) override;
  void end(Headers trailers = {}) override;
  bool begun() const override;
  // The handler returned.
  void finish();

  // Network side.
  Taken take();
  // The client has gone or the server stops at once: writes fail from now on and the stop is requested.
  void abandon();
  void request_stop() { stop_.request_stop(); }
  std::stop_token stop_token() const { return stop_.get_token(); }

 private:
  const std::function<void()> wake_;
  std::stop_source stop_;
  mutable Mutex mutex_;
  CondVar room_;
  Taken pending_ LB_GUARDED_BY(mutex_);
  bool begun_ LB_GUARDED_BY(mutex_) = false;
  bool abandoned_ LB_GUARDED_BY(mutex_) = false;
  bool answered_ LB_GUARDED_BY(mutex_) = false;
};

}  // namespace logboom::http
