// Signals: SIGINT and SIGTERM become a stop request, a second SIGINT ends the process at once (nothing acknowledged is
// lost), SIGHUP asks for what is read anew (Reloads). Handled on a thread of their own, so no code runs inside a signal
// handler.
#pragma once

#include <memory>
#include <stop_token>

#include "app/reloads.h"

namespace logboom::app {

class Signals {
 public:
  // Blocks the signals in the calling thread and all it starts later: make it before any thread.
  // `reloads` outlives it.
  explicit Signals(Reloads& reloads);
  ~Signals();
  std::stop_token stop_token() const;
  void request_stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace logboom::app
