// What the long-running commands have in common.
#pragma once

#include <memory>
#include <string>

#include "app/context.h"

namespace logboom::app {

// Tells systemd (READY=1, STOPPING=1) where it runs us; nothing elsewhere.
void notify_service_manager(const std::string& state);
// At every reload it logs which settings differ now; as long as the answer lives. The context and args outlive it.
std::unique_ptr<Reloads::Subscription> follow_settings(const Context& context, const Args& args);

}  // namespace logboom::app
