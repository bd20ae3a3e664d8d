// PageServer: the page and the API of a running engine, over TCP and the Unix socket of its data directory.
#pragma once

#include <memory>
#include <string>

#include "app/context.h"
#include "app/engine.h"

namespace logboom::app {

struct PageServerOptions {
  bool tcp = true;                 // false: the Unix socket alone
  Producer* batches_to = nullptr;  // takes what agents send; nullptr: no agents
  bool asks_agents = false;        // for what is missing of their files, where the settings name a way to them
};

// Stops before the engine does. The context and the engine outlive it.
class PageServer {
 public:
  // Listens and serves. kUnavailable when the address is in use.
  static Result<std::unique_ptr<PageServer>> start(Context& context, Engine& engine, const PageServerOptions& options);
  virtual ~PageServer() = default;
  // Of the certificate this program made for itself; empty: it serves another one, or none.
  virtual std::string fingerprint() const = 0;
  // A fresh one-time address of the page.
  virtual std::string sign_in_url() = 0;
  virtual void stop() = 0;
};

// Where the page is, and the fingerprint of a certificate of the program's own, for people.
void print_page(PageServer& server);

}  // namespace logboom::app
