// audit and export.
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/api_access.h"
#include "app/commands/commands.h"
#include "app/frames.h"
#include "app/paths.h"
#include "app/progress.h"
#include "base/byte_size.h"
#include "base/counted.h"
#include "base/log.h"

namespace logboom::app {
namespace {

using nlohmann::json;

void print_sources(const json& sources) {
  fmt::print("{:<34} {:>6} {:>12} {:>12} {:>10} {:>10}  {}\n", "source", "epoch", "stored", "dropped", "gap", "expired",
             "file");
  for (const json& source : sources) {
    const json bytes = source.value("bytes", json::object());
    fmt::print("{:<34} {:>6} {:>12} {:>12} {:>10} {:>10}  {}\n", source.value("source", ""), source.value("epoch", 0),
               bytes.value("stored", std::uint64_t{0}), bytes.value("dropped", std::uint64_t{0}),
               bytes.value("gap", std::uint64_t{0}), source.value("expired_bytes", std::uint64_t{0}),
               printable(source.value("file", "")));
  }
}

// With --source: which files were compared with what is stored of them.
void print_reread(const json& sources) {
  for (const json& source : sources) {
    const json bytes = source.value("reread_bytes", json());
    fmt::print("{}: {}\n", printable(source.value("file", "")),
               bytes.is_number()
                   ? fmt::format("{} compared with the file", ByteSize(bytes.get<std::uint64_t>()).to_string())
                   : "not compared, its bytes are no longer on the disk");
  }
}

std::size_t print_findings(const json& findings) {
  std::size_t open = 0;
  for (const json& finding : findings) {
    const std::string accepted = finding.value("accepted_by", "");
    open += accepted.empty();
    const std::uint64_t end = finding.value("end", std::uint64_t{0});
    // Of the store itself, not of a collected file, where it has no range.
    const std::string range = end == 0 ? std::string()
                                       : fmt::format(" [{}, {}) of {}", finding.value("begin", std::uint64_t{0}), end,
                                                     printable(finding.value("file", "")));
    fmt::print("{} {}: {}{}: {}{}\n", accepted.empty() ? "FINDING" : "accepted", finding.value("id", ""),
               finding.value("kind", ""), range, printable(finding.value("detail", "")),
               accepted.empty()
                   ? ""
                   : fmt::format(" (by {}, {})", printable(accepted), time_text(finding.value("accepted_at", json()))));
  }
  return open;
}

int print_audit(const Context& context, const json& report, bool reread) {
  const bool clean = report.value("clean", false);
  if (context.output != OutputFormat::kText) {
    fmt::print("{}\n", report.dump());
    return clean ? kOk : kNo;
  }
  const json sources = report.value("sources", json::array());
  print_sources(sources);
  if (reread) print_reread(sources);
  const std::size_t open = print_findings(report.value("findings", json::array()));
  std::uint64_t stored = 0;
  for (const json& source : sources) stored += source.value("bytes", json::object()).value("stored", std::uint64_t{0});
  fmt::print("{}, {} stored, {} and {} checked: ", counted(sources.size(), "source"), ByteSize(stored).to_string(),
             counted(report.value("blocks_checked", std::uint64_t{0}), "block"),
             counted(report.value("rows_checked", std::uint64_t{0}), "row"));
  fmt::print("{}\n", clean ? "every byte accounted for" : counted(open, "open finding"));
  if (!clean && report.value("needs_repair", false)) {
    fmt::print(
        "the store is damaged: stop the program, run `logboom repair`, and start it again; what is lost is read again "
        "from its files where they are still there\n");
  }
  return clean ? kOk : kNo;
}

std::string header_of(const http::Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (std::equal(key.begin(), key.end(), name.begin(), name.end(),
                   [](char a, char b) { return std::tolower(a) == std::tolower(b); }))
      return value;
  }
  return "";
}

int report_omissions(const ApiResponse& answer) {
  const std::string complete = header_of(answer.headers, "logboom-complete");
  if (complete == "true") return kOk;
  if (complete.empty()) return fail(Error(ErrorCode::kUnavailable, "the export was cut; run it again"));
  const json omissions = json::parse(header_of(answer.headers, "logboom-omissions"), nullptr, false);
  if (omissions.is_array()) {
    for (const json& o : omissions)
      print_error(fmt::format("left out [{}, {}): {}", o.value("begin", std::uint64_t{0}),
                              o.value("end", std::uint64_t{0}), printable(o.value("why", ""))));
  }
  return kNo;
}

}  // namespace

int run_audit(Context& context, const Args& args) {
  if (Status form = refuse_csv(context); !form.ok()) return fail(form.error());
  auto api = open_api(context, args.has("accept") ? ApiNeed::kWrite : ApiNeed::kRead);
  if (!api.ok()) return fail(api.error());
  if (args.has("accept")) {
    const auto accepted =
        call_json(**api, {"POST", "/api/v1/audit/accept", {}, json{{"id", args.text("accept")}}.dump()}, context.stop);
    if (accepted.ok()) {
      fmt::print("accepted {}\n", args.text("accept"));
      return kOk;
    }
    const int code = fail(accepted.error());
    return accepted.error().code() == ErrorCode::kNotFound ? kUsage : code;
  }
  http::Pairs parameters = {{"deep", args.has("shallow") ? "false" : "true"}};
  if (args.has("source")) parameters.emplace_back("source", args.text("source"));
  if (args.has("source") && !args.has("shallow")) parameters.emplace_back("reread", "true");
  const auto report = call_json(**api, {"GET", "/api/v1/audit", std::move(parameters)}, context.stop);
  return report.ok() ? print_audit(context, *report, args.has("source") && !args.has("shallow")) : fail(report.error());
}

int run_export(Context& context, const Args& args) {
  if (!args.has("file") && !args.has("source"))
    return fail(Error(ErrorCode::kInvalidArgument, "say what to export: --file PATH or --source ID"));
  http::Pairs parameters;
  if (args.has("file")) {
    const std::string file = args.text("file");
    parameters.emplace_back("file", file.starts_with("stdin:") ? file : absolute_path(file));
  }
  for (const char* name : {"source", "epoch", "topic"}) {
    if (args.has(name)) parameters.emplace_back(name, args.text(name));
  }
  auto api = open_api(context, ApiNeed::kRead);
  if (!api.ok()) return fail(api.error());
  std::FILE* out = stdout;
  if (args.has("to")) out = std::fopen(args.text("to").c_str(), "wbe");
  if (!out) return fail(os_error("create " + args.text("to"), errno));
  std::uint64_t written = 0;
  bool good = true;
  Progress progress(shows_progress(context) && args.has("to"), "written");
  const auto answer = (*api)->call(
      {"GET", "/api/v1/export", std::move(parameters)},
      [&](std::string_view piece) {
        good = std::fwrite(piece.data(), 1, piece.size(), out) == piece.size();
        progress.update(written += piece.size(), 0);
        return good;
      },
      context.stop);
  progress.finish();
  if (std::fflush(out) != 0) good = false;
  if (out != stdout && std::fclose(out) != 0) good = false;
  if (!good) return fail(os_error("write the export", errno));
  return answer.ok() ? report_omissions(*answer) : fail(answer.error());
}

}  // namespace logboom::app
