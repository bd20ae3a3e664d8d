#include "http/exchange.h"

namespace logboom::http {

void Exchange::send(Response response) {
  {
    MutexLock lock(mutex_);
    if (answered_ || begun_) return;
    answered_ = true;
    pending_.whole = std::move(response);
  }
  wake_();
}

bool Exchange::begin(int status, Headers headers) {
  {
    MutexLock lock(mutex_);
    if (abandoned_ || answered_ || begun_) return false;
    begun_ = true;
    pending_.head = Response{};
    pending_.head->status = status;
    pending_.head->headers = std::move(headers);
  }
  wake_();
  return true;
}

bool Exchange::write(std::string_view bytes) {
  {
    MutexLock lock(mutex_);
    if (!begun_ || pending_.ended) return false;
    room_.wait(mutex_,
               [this]() LB_NO_THREAD_SAFETY_ANALYSIS { return abandoned_ || pending_.bytes.size() < kMaxBuffered; });
    if (abandoned_) return false;
    pending_.bytes.append(bytes);
  }
  wake_();
  return true;
}

void Exchange::end(Headers trailers) {
  {
    MutexLock lock(mutex_);
    if (!begun_ || pending_.ended) return;
    pending_.ended = true;
    pending_.trailers = std::move(trailers);
  }
  wake_();
}

bool Exchange::begun() const {
  MutexLock lock(mutex_);
  return begun_ || answered_;
}

void Exchange::finish() {
  {
    MutexLock lock(mutex_);
    if (!answered_ && !begun_) {
      pending_.whole = to_response({500, "internal", "the request was not answered", "", {}});
      answered_ = true;
    }
    pending_.handler_done = true;
  }
  wake_();
}

Exchange::Taken Exchange::take() {
  MutexLock lock(mutex_);
  Taken out;
  out.whole = std::exchange(pending_.whole, std::nullopt);
  out.head = std::exchange(pending_.head, std::nullopt);
  out.bytes.swap(pending_.bytes);
  out.ended = pending_.ended;
  out.trailers = pending_.trailers;
  out.handler_done = pending_.handler_done;
  room_.notify_all();
  return out;
}

void Exchange::abandon() {
  {
    MutexLock lock(mutex_);
    abandoned_ = true;
    room_.notify_all();
  }
  stop_.request_stop();
}

}  // namespace logboom::http
