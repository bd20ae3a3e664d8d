#include "app/signals.h"

#include <csignal>
#include <cstdio>
#include <thread>

#include <pthread.h>
#include <unistd.h>

namespace logboom::app {

struct Signals::State {
  sigset_t set{};
  std::stop_source stop;
  std::jthread thread;
};

Signals::Signals(Reloads& reloads) : state_(std::make_unique<State>()) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) sigaddset(&state_->set, signal);
  ::pthread_sigmask(SIG_BLOCK, &state_->set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  state_->thread = std::jthread([state = state_.get(), &reloads](std::stop_token) {
    int stops = 0;
    for (;;) {
      int signal = 0;
      if (::sigwait(&state->set, &signal) != 0) continue;
      if (signal == SIGUSR1) return;  // the destructor
      if (signal == SIGHUP) {
        reloads.request();
        continue;
      }
      if (++stops > 1) ::_exit(130);
      state->stop.request_stop();
    }
  });
}

Signals::~Signals() {
  ::pthread_kill(state_->thread.native_handle(), SIGUSR1);
  state_->thread.join();
}

std::stop_token Signals::stop_token() const {
  return state_->stop.get_token();
}
void Signals::request_stop() {
  state_->stop.request_stop();
}

}  // namespace logboom::app
