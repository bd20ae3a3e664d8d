#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/api_access.h"
#include "app/commands/commands.h"
#include "app/frames.h"
#include "app/paths.h"
#include "app/progress.h"
#include "base/byte_size.h"
#include "base/log.h"
#include "http/client.h"

namespace logboom::app {
namespace {

using nlohmann::json;

Result<json> import_body(Context& context, const Args& args) {
  json paths = json::array();
  std::vector<std::string> missing;
  for (const std::string& typed : args.rest()) {
    const std::string path = absolute_path(typed);
    const auto stat = context.files->stat(path);
    if (!stat.ok()) return stat.error().with_context("cannot import " + printable(typed));
    paths.push_back(path);
  }
  json body = {{"paths", paths}};
  if (args.has("topic")) body["topic"] = args.text("topic");
  if (args.has("again")) body["again"] = true;
  return body;
}

int report(const Context& context, const json& done) {
  if (const json error = done.value("error", json()); error.is_object()) {
    print_error(error.value("message", ""));
    return error.value("code", "") == "cancelled" ? kInterrupted : kFailed;
  }
  const json problems = done.value("problems", json::array());
  for (const json& problem : problems) print_error(problem.get<std::string>());
  if (!context.quiet) {
    const auto files = done.value("files", std::uint64_t{0});
    fmt::print(stderr, "{} file{}, {} durable\n", files, files == 1 ? "" : "s",
               ByteSize(done.value("bytes_durable", std::uint64_t{0})).to_string());
  }
  return problems.empty() ? kOk : kFailed;
}

}  // namespace

int run_import(Context& context, const Args& args) {
  const auto body = import_body(context, args);
  if (!body.ok()) return fail(body.error());
  auto api = open_api(context, ApiNeed::kWrite);
  if (!api.ok()) return fail(api.error());
  Progress progress(shows_progress(context), "imported");
  json done;
  http::LineReader lines([&](std::string_view line) {
    json frame = json::parse(line, nullptr, false);
    if (!frame.is_object()) return true;
    progress.update(frame.value("bytes_durable", std::uint64_t{0}), frame.value("bytes", std::uint64_t{0}),
                    fmt::format("{} of {} files", frame.value("files_done", 0), frame.value("files", 0)));
    if (frame.value("type", "") == "done") done = std::move(frame);
    return true;
  });
  const ApiRequest request{"POST", "/api/v1/import", {}, body->dump()};
  const auto answer = (*api)->call(
      request, [&](std::string_view piece) { return lines(piece); }, context.stop);
  progress.finish();
  if (!answer.ok()) return fail(answer.error());
  if (!done.is_object())
    return fail(Error(ErrorCode::kUnavailable, "the import broke off; run it again, nothing is stored twice"));
  return report(context, done);
}

}  // namespace logboom::app
