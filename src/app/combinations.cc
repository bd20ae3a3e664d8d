#include "app/combinations.h"

#include <map>

#include <fmt/format.h>

namespace logboom::app {
namespace {

// Common options that mean something to a command.
enum Takes : unsigned { kNothing = 0, kServer = 1, kOutput = 2 };

// `option` cannot stand beside any of `others`.
struct Clash {
  std::string option;
  std::vector<std::string> others;
};

// `option` means nothing without `other`.
struct Need {
  std::string option;
  std::string other;
};

struct Combinations {
  unsigned takes = kNothing;
  std::vector<Clash> clashes = {};
  std::vector<Need> needs = {};
};

const Need kTokenOfServer = {"token-file", "server"};

Combinations search() {
  // What is printed instead of records.
  const std::vector<std::string> figures = {"count", "count-lines", "histogram", "fields", "values"};
  Combinations made{kServer | kOutput, {}, {kTokenOfServer}};
  for (auto figure = figures.begin(); figure + 1 != figures.end(); ++figure)
    made.clashes.push_back({*figure, {figure + 1, figures.end()}});
  for (const char* of_records : {"follow", "context", "with"}) made.clashes.push_back({of_records, figures});
  made.clashes.push_back({"follow", {"context", "until", "deadline"}});
  made.clashes.push_back({"limit", {"all", "count", "count-lines", "histogram", "fields"}});
  made.clashes.push_back({"all", {"values"}});
  return made;
}

Combinations asking(unsigned takes, std::vector<Clash> clashes = {}) {
  return {takes | kServer, std::move(clashes), {kTokenOfServer}};
}

// A command that is not named here takes none of the common options above.
const std::map<std::string, Combinations>& table() {
  static const std::vector<Clash> kWhose = {{"host", {"hosts"}}};
  static const std::map<std::string, Combinations> combinations = {
      {"agent", {kServer}},
      {"audit", asking(kOutput, {{"accept", {"source", "shallow"}}})},
      {"backup", asking(kNothing)},
      {"export", asking(kNothing, {{"file", {"source"}}})},
      {"fleet", asking(kOutput)},
      {"follow", asking(kOutput)},
      {"generate", {kNothing, {}, {{"rotate-name", "rotate"}, {"every", "rotate"}}}},
      {"import", asking(kNothing)},
      {"login", asking(kNothing)},
      {"metrics", asking(kOutput)},
      {"rules add", asking(kNothing, kWhose)},
      {"rules get", asking(kNothing)},
      {"rules history", asking(kOutput)},
      {"rules list", asking(kOutput)},
      {"rules put", asking(kNothing, kWhose)},
      {"rules remove", asking(kNothing, kWhose)},
      {"rules restore", asking(kNothing, kWhose)},
      {"search", search()},
      {"sources", asking(kOutput)},
      {"status", asking(kOutput)},
      {"token create", asking(kNothing, {{"agent", {"role"}}})},
      {"token list", asking(kOutput)},
      {"token revoke", asking(kNothing)},
      {"up",
       {kNothing,
        {{"no-page",
          {"tls-cert", "tls-key", "public-url", "server.tls_cert", "server.tls_key", "server.public_url"}}}}},
  };
  return combinations;
}

}  // namespace

std::string misuse(const std::string& command, const Args& args) {
  const auto found = table().find(command);
  const Combinations known = found == table().end() ? Combinations() : found->second;
  for (const char* option : {"server", "token-file"}) {
    if ((known.takes & kServer) == 0 && args.has(option))
      return fmt::format("cannot use --{} with {}: that works on this machine and asks no server", option, command);
  }
  if ((known.takes & kOutput) == 0 && args.text("output", "text") != "text")
    return fmt::format("cannot use --output {} with {}: its answer has one form only", args.text("output"), command);
  for (const Need& need : known.needs) {
    if (args.has(need.option) && !args.has(need.other))
      return fmt::format("cannot use --{} without --{}: it would do nothing", need.option, need.other);
  }
  for (const Clash& clash : known.clashes) {
    for (const std::string& other : clash.others) {
      if (args.has(clash.option) && args.has(other))
        return fmt::format("cannot use --{} together with --{}: one of them would do nothing", clash.option, other);
    }
  }
  return "";
}

}  // namespace logboom::app
