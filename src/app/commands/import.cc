#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "app/api_access.h"
#include "app/commands/commands.h"
#include "app/frames.h"
#include "app/paths.h"
#include "app/progress.h"
#include "base/byte_size.h"
#include "base/counted.h"
#include "base/log.h"
#include "http/client.h"
#include "http/json.h"

namespace logboom::app {
namespace {

using nlohmann::json;

Result<json> import_body(Context& context, const Args& args) {
  json paths = json::array();
  for (const std::string& typed : args.rest()) {
    const std::string path = absolute_path(typed);
    const auto stat = context.files->stat(path);
    if (!stat.ok()) return stat.error().with_context("cannot import " + printable(typed));
    if (!http::is_utf8(path)) {
      return Error(ErrorCode::kInvalidArgument,
                   fmt::format("cannot import {} by its name, which is no UTF-8: import its "
                               "folder, or give it another name",
                               printable(typed)));
    }
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
    fmt::print(stderr, "{}, {} durable\n", counted(files, "file"),
               ByteSize(done.value("bytes_durable", std::uint64_t{0})).to_string());
  }
  return problems.empty() ? kOk : kFailed;
}

// Spools of imports that were killed.
void remove_left_spools(Context& context) {
  constexpr std::string_view kBegin = "import-";
  const auto entries = context.files->list(context.data_directory());
  if (!entries.ok()) return;
  for (const DirectoryEntry& entry : *entries) {
    const std::string& name = entry.name;
    if (!name.starts_with(kBegin) || !name.ends_with(".spool")) continue;
    pid_t process = 0;
    const char* digits = name.data() + kBegin.size();
    const auto read = std::from_chars(digits, name.data() + name.size(), process);
    if (read.ec != std::errc() || process <= 0 || std::string_view(read.ptr) != ".spool") continue;
    if (::kill(process, 0) != 0 && errno == ESRCH) ::unlink((context.data_directory() + "/" + name).c_str());
  }
}

// What comes on standard input, in a file of the data directory while it is being imported.
class Spool {
 public:
  explicit Spool(Context& context) : path_(context.data_directory() + fmt::format("/import-{}.spool", ::getpid())) {}
  ~Spool() { ::unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

  Status fill(Context& context) {
    LB_TRY(context.files->create_directories(context.data_directory()));
    remove_left_spools(context);
    LB_ASSIGN(auto file, context.files->open(path_, OpenMode::kCreate));
    std::string chunk(1 << 20, '\0');
    std::uint64_t size = 0;
    Progress progress(shows_progress(context), "read");
    for (;;) {
      const ssize_t got = ::read(STDIN_FILENO, chunk.data(), chunk.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return os_error("read standard input", errno);
      if (got == 0) return {};
      if (context.stop.stop_requested()) return Error(ErrorCode::kCancelled, "the import was interrupted");
      LB_TRY(file->pwrite(chunk.data(), static_cast<std::size_t>(got), size));
      progress.update(size += static_cast<std::uint64_t>(got), 0);
    }
  }

 private:
  std::string path_;
};

Result<json> stream_body(const Args& args, const Spool& spool) {
  json body = {{"paths", json::array({spool.path()})}, {"stream_name", args.text("name")}};
  if (args.has("topic")) body["topic"] = args.text("topic");
  if (args.has("again")) body["again"] = true;
  return body;
}

Status check_use(const Context& context, const Args& args, bool from_stdin) {
  const auto wrong = [](const char* why) { return Error(ErrorCode::kInvalidArgument, why); };
  if (!context.server.empty()) {
    return wrong(
        "cannot import over --server: the program there reads the files of its own machine, not these; send them to it "
        "(logboom import - --name NAME there, over ssh), or make this host its agent (logboom enroll)");
  }
  const auto& rest = args.rest();
  if (!from_stdin && std::find(rest.begin(), rest.end(), "-") != rest.end())
    return wrong("cannot import standard input (-) beside files: run the import twice");
  if (from_stdin && !args.has("name")) return wrong("what comes on standard input needs a name: --name web-1.log");
  if (!from_stdin && args.has("name"))
    return wrong("cannot use --name with files, which have names: it names what comes on standard input (-)");
  return {};
}

}  // namespace

int run_import(Context& context, const Args& args) {
  const bool from_stdin = args.rest() == std::vector<std::string>{"-"};
  if (const Status use = check_use(context, args, from_stdin); !use.ok()) return fail(use.error());
  Spool spool(context);
  if (from_stdin) {
    if (Status filled = spool.fill(context); !filled.ok()) return fail(filled.error());
  }
  const auto body = from_stdin ? stream_body(args, spool) : import_body(context, args);
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
