#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/cli.h"
#include "app/context.h"
#include "app/descriptors.h"
#include "app/signals.h"
#include "base/log.h"

namespace {

using namespace logboom::app;

// What a library throws is no crash to a person: an answer of something that is no logboom, memory that is used up.
int run_command(const Parsed& parsed, Context& context) {
  try {
    return parsed.command->run(context, parsed.args);
  } catch (const nlohmann::json::exception& failure) {
    print_error(fmt::format("cannot make sense of an answer: is it a logboom of this version that answers there? ({})",
                            logboom::printable(failure.what())));
  } catch (const std::exception& failure) {
    print_error(fmt::format("cannot go on: {}", logboom::printable(failure.what())));
  }
  return kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  const Parsed parsed = parse_command_line(argc, argv);
  if (!parsed.command) {
    std::fputs(parsed.text.c_str(), parsed.exit_code == kOk ? stdout : stderr);
    return parsed.exit_code;
  }
  raise_descriptor_limit();
  Reloads reloads;
  Signals signals(reloads);
  Context context;
  context.reloads = &reloads;
  context.stop = signals.stop_token();
  if (const auto refused = prepare_context(context, parsed.args, parsed.command->config_name)) return *refused;
  return finish_output(run_command(parsed, context));
}
