#include <charconv>
#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "app/commands/commands.h"
#include "app/generate/config_paths.h"
#include "app/generate/log_writer.h"
#include "app/paths.h"
#include "app/progress.h"
#include "base/counted.h"
#include "parse/time.h"

namespace logboom::app {
namespace {

template <typename T>
Result<T> number(const Args& args, std::string_view option, T fallback) {
  const std::string text = args.text(option);
  if (text.empty()) return fallback;
  T value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || value < T{}) {
    return Error(ErrorCode::kInvalidArgument, fmt::format("--{}: '{}' is not a number", option, text));
  }
  return value;
}

std::vector<LineFormat> formats_of(const std::string& name) {
  using enum LineFormat;
  if (name == "mixed") return {kApp, kAccess, kJson, kJava, kApp, kAccess, kJson, kMysqlSlow};
  return {*line_format_from_name(name)};
}

// app-0.log and so on in the folder, or files that the rules of --config take.
Result<std::vector<std::string>> paths_of(Context& context, const Args& args, std::uint64_t count) {
  if (args.has("config")) {
    if (!args.rest().empty()) {
      return Error(ErrorCode::kInvalidArgument,
                   "cannot write to a folder and to the paths of --config: give one of them");
    }
    LB_ASSIGN(const config::RuleSet set, own_rules(context.config_file, *context.files));
    LB_ASSIGN(auto paths, paths_of_rules(set.rules, count, *context.files));
    for (const std::string& path : paths)
      LB_TRY(context.files->create_directories(std::filesystem::path(path).parent_path().string()));
    return paths;
  }
  const std::string folder = absolute_path(args.rest().empty() ? "." : args.rest()[0]);
  LB_TRY(context.files->create_directories(folder));
  std::vector<std::string> paths;
  for (std::uint64_t i = 0; i < count; ++i) paths.push_back(fmt::format("{}/app-{}.log", folder, i));
  return paths;
}

Result<GenerateOptions> options_of(Context& context, const Args& args) {
  GenerateOptions options;
  LB_ASSIGN(const std::uint64_t count, number<std::uint64_t>(args, "files", 1));
  if (count == 0 || count > 100'000) return Error(ErrorCode::kInvalidArgument, "--files: give 1 to 100000");
  options.formats = formats_of(args.text("format", "mixed"));
  LB_ASSIGN(options.seed, number<std::uint64_t>(args, "seed", 1));
  LB_ASSIGN(options.lines, number<std::uint64_t>(args, "lines", 0));
  LB_ASSIGN(options.rate, number<double>(args, "rate", 0));
  if (args.has("bytes")) {
    LB_ASSIGN(const ByteSize size, ByteSize::parse(args.text("bytes")));
    options.bytes = size.bytes();
  }
  const std::string rotate = args.text("rotate");
  options.rotation = rotate == "rename"         ? Rotation::kRename
                     : rotate == "copytruncate" ? Rotation::kCopyTruncate
                     : rotate == "gzip"         ? Rotation::kGzip
                                                : Rotation::kNone;
  options.rotate_name = args.text("rotate-name");
  if (options.rotate_name.find('/') != std::string::npos)
    return Error(ErrorCode::kInvalidArgument, "--rotate-name: a name without folders");
  if (args.has("every")) {
    LB_ASSIGN(options.rotate_every, config::parse_duration(args.text("every")));
  }
  if (args.has("start")) {
    options.start = parse::parse_time(args.text("start"), {context.clock.now(), 0});
    if (!options.start)
      return Error(ErrorCode::kInvalidArgument, fmt::format("--start: '{}' is no time", args.text("start")));
  }
  if (options.bytes == 0 && options.lines == 0 && options.rate == 0) {
    return Error(ErrorCode::kInvalidArgument, "say how much: --bytes, --lines, or --rate (until Ctrl-C)");
  }
  LB_ASSIGN(options.paths, paths_of(context, args, count));
  return options;
}

}  // namespace

int run_generate(Context& context, const Args& args) {
  const auto options = options_of(context, args);
  if (!options.ok()) return fail(options.error());
  Progress progress(shows_progress(context), "writing");
  const auto wrote = generate_logs(
      *options, context.clock, [&](const GenerateProgress& p) { progress.update(p.bytes, options->bytes); },
      context.stop);
  progress.finish();
  if (!wrote.ok()) return fail(wrote.error());
  if (!context.quiet)
    fmt::print(stderr, "{}, {} in {}\n", counted(wrote->lines, "line"), ByteSize(wrote->bytes).to_string(),
               counted(options->paths.size(), "file"));
  return kOk;
}

}  // namespace logboom::app
