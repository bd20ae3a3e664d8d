#include <cstdio>

#include "app/cli.h"
#include "app/context.h"
#include "app/signals.h"

int main(int argc, char** argv) {
  using namespace logboom::app;
  const Parsed parsed = parse_command_line(argc, argv);
  if (!parsed.command) {
    std::fputs(parsed.text.c_str(), parsed.exit_code == kOk ? stdout : stderr);
    return parsed.exit_code;
  }
  Signals signals;
  Context context;
  context.stop = signals.stop_token();
  if (const auto refused = prepare_context(context, parsed.args, parsed.command->config_name)) return *refused;
  return finish_output(parsed.command->run(context, parsed.args));
}
