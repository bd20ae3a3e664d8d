// metrics: lines of a host's metrics, drawn or as data.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app/api_access.h"
#include "app/commands/commands.h"
#include "app/commands/plot.h"
#include "app/frames.h"
#include "app/row_printer.h"
#include "base/log.h"
#include "server/params.h"

namespace logboom::app {
namespace {

using nlohmann::json;

// One thing to draw: a measurement, and of it some fields and tags.
struct Wanted {
  std::string measurement;
  std::string fields;  // with commas; empty: all
  std::string tags;
  bool whole = false;  // the sum over all series of a host
};

// What is drawn where nobody asked for anything.
const std::vector<Wanted>& usual() {
  static const std::vector<Wanted> wanted = {
      {"cpu", "used", "cpu=total"}, {"memory", "used_percent", ""},
      {"load", "load1", ""},        {"diskio", "read_rate,write_rate", "", true},
      {"disk", "used_percent", ""}, {"net", "received_rate,sent_rate", "interface!=lo", true}};
  return wanted;
}

// "cpu", "cpu.used", "cpu.used,iowait".
Wanted wanted_of(const std::string& word) {
  const std::size_t dot = word.find('.');
  return {word.substr(0, dot), dot == std::string::npos ? "" : word.substr(dot + 1), ""};
}

int terminal_columns() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) return std::min<int>(size.ws_col, 200);
  return 80;
}

struct Asked {
  TimeNs from = 0;
  TimeNs to = 0;
  std::chrono::nanoseconds step{0};
  std::string pick;
};

// The least usual step that gives a point per column of dots at most.
std::chrono::nanoseconds step_for(TimeNs range, int columns) {
  const TimeNs least = range / (2 * std::max(columns, 1));
  for (const int seconds : {1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200}) {
    if (seconds * kNsPerSecond >= least) return std::chrono::seconds(seconds);
  }
  return std::chrono::hours(24);
}

Result<Asked> asked_of(const Args& args, TimeNs now) {
  Asked asked;
  const auto time_of = [&](const char* name, const char* absent) -> Result<TimeNs> {
    const std::string text = args.text(name, absent);
    if (const auto time = server::parse_time_parameter(text, now)) return *time;
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("cannot read --{} \"{}\": give -1h, an ISO time or an epoch", name, printable(text)));
  };
  LB_ASSIGN(asked.from, time_of("since", "-1h"));
  LB_ASSIGN(asked.to, time_of("until", "now"));
  if (asked.from >= asked.to) return Error(ErrorCode::kInvalidArgument, "--from must be earlier than --to");
  asked.step = step_for(asked.to - asked.from, terminal_columns());
  if (args.has("step")) {
    const auto step = server::parse_duration(args.text("step"));
    if (!step) return Error(ErrorCode::kInvalidArgument, "cannot read --step: give 10s, 1m or 1h");
    asked.step = *step;
  }
  asked.pick = args.text("pick", "mean");
  return asked;
}

ApiRequest request_of(const std::string& host, const Wanted& wanted, const Asked& asked) {
  ApiRequest request{"GET", "/api/v1/metrics/query", {}};
  request.query = {{"host", host},
                   {"measurement", wanted.measurement},
                   {"from", std::to_string(asked.from)},
                   {"to", std::to_string(asked.to)},
                   {"step", fmt::format("{}ms", asked.step.count() / 1'000'000)},
                   {"pick", asked.pick}};
  if (!wanted.fields.empty()) request.query.emplace_back("fields", wanted.fields);
  if (!wanted.tags.empty()) request.query.emplace_back("tags", wanted.tags);
  if (wanted.whole) {
    request.query.emplace_back("across", "sum");
    request.query.emplace_back("by", "host");
  }
  return request;
}

std::string tags_text(const json& line) {
  std::string text;
  const json tags = line.value("tags", json::object());
  for (const auto& [name, value] : tags.items())
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value.get<std::string>());
  return text;
}

TimeNs time_of(const json& text) {
  const std::string digits = text.get<std::string>();
  TimeNs time = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), time);
  return time;
}

void draw_line(const std::string& measurement, const json& line, const Asked& asked, bool many_hosts) {
  Plot plot;
  plot.from = asked.from;
  plot.to = asked.to;
  plot.gap = std::max<TimeNs>(3 * asked.step.count(), 60 * kNsPerSecond);
  plot.columns = terminal_columns();
  const json& values = line["values"];
  double sum = 0, least = 0, greatest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i].is_number()) continue;
    const double value = values[i].get<double>();
    least = plot.points.empty() ? value : std::min(least, value);
    greatest = plot.points.empty() ? value : std::max(greatest, value);
    sum += value;
    plot.points.push_back({time_of(line["times"][i]), value});
  }
  const std::string name =
      fmt::format("{}{}.{}", many_hosts ? line.value("host", "") + " " : "", measurement, line.value("field", ""));
  fmt::print("{}  {}", printable(name), printable(tags_text(line)));
  if (plot.points.empty()) {
    const std::string last = values.empty() ? "" : values.back().get<std::string>();
    fmt::print("  {}\n", printable(last));
    return;
  }
  fmt::print("  last {}  least {}  mean {}  greatest {}\n{}", short_number(plot.points.back().value),
             short_number(least), short_number(sum / static_cast<double>(plot.points.size())), short_number(greatest),
             draw(plot));
}

void print_csv(const std::string& measurement, const json& line) {
  for (std::size_t i = 0; i < line["values"].size(); ++i) {
    const json& value = line["values"][i];
    fmt::print("{},{},{},{},{},{}\n", time_text(line["times"][i]), csv_cell(line.value("host", "")),
               csv_cell(measurement), csv_cell(line.value("field", "")), csv_cell(tags_text(line)),
               value.is_string() ? csv_cell(value.get<std::string>()) : value.dump());
  }
}

int list_hosts(Context& context, ApiAccess& api) {
  const auto answer = call_json(api, {"GET", "/api/v1/metrics/hosts", {}}, context.stop);
  if (!answer.ok()) return fail(answer.error());
  if (context.output != OutputFormat::kText) {
    fmt::print("{}\n", answer->dump());
    return kOk;
  }
  const json hosts = answer->value("hosts", json::array());
  fmt::print("{:<24} {:<16} {:<26} {:>7}  {}\n", "host", "ip", "last sample", "series", "measurements");
  for (const json& host : hosts) {
    std::string measurements;
    for (const json& name : host["measurements"])
      measurements += (measurements.empty() ? "" : " ") + name.get<std::string>();
    fmt::print("{:<24} {:<16} {:<26} {:>7}  {}\n", printable(host.value("host", "")), printable(host.value("ip", "")),
               time_text(host["last"]), host.value("series", 0), printable(measurements));
  }
  return hosts.empty() ? kNo : kOk;
}

class MetricsPrinter {
 public:
  MetricsPrinter(Context& context, const Asked& asked) : context_(context), asked_(asked) {}
  void print(const std::string& measurement, const json& answer) {
    const json& lines = answer["lines"];
    const bool many = std::any_of(lines.begin(), lines.end(),
                                  [&](const json& line) { return line["host"] != lines.front()["host"]; });
    printed_ += lines.size();
    if (context_.output == OutputFormat::kJson) all_.push_back(answer);
    for (const json& line : lines) {
      if (context_.output == OutputFormat::kText) draw_line(measurement, line, asked_, many);
      if (context_.output == OutputFormat::kCsv) {
        if (!std::exchange(headed_, true)) fmt::print("time,host,measurement,field,tags,value\n");
        print_csv(measurement, line);
      }
      if (context_.output == OutputFormat::kNdjson) {
        json row = line;
        row["measurement"] = measurement;
        fmt::print("{}\n", row.dump());
      }
    }
  }
  std::size_t finish() {
    if (context_.output == OutputFormat::kJson) fmt::print("{}\n", all_.dump());
    if (context_.output == OutputFormat::kText && printed_ > 0) {
      fmt::print("{:>7} {} to {}, {} of {}\n", "", time_text(std::to_string(asked_.from)),
                 time_text(std::to_string(asked_.to)), asked_.pick,
                 fmt::format("{}s", std::chrono::duration<double>(asked_.step).count()));
    }
    return printed_;
  }

 private:
  Context& context_;
  const Asked& asked_;
  json all_ = json::array();
  std::size_t printed_ = 0;
  bool headed_ = false;
};

}  // namespace

int run_metrics(Context& context, const Args& args) {
  auto api = open_api(context, ApiNeed::kRead);
  if (!api.ok()) return fail(api.error());
  if (args.rest().empty())
    return context.output == OutputFormat::kCsv ? fail(refuse_csv(context).error()) : list_hosts(context, **api);
  const auto asked = asked_of(args, context.clock.now());
  if (!asked.ok()) return fail(asked.error());
  std::vector<Wanted> wanted;
  for (std::size_t i = 1; i < args.rest().size(); ++i) wanted.push_back(wanted_of(args.rest()[i]));
  const std::string& host = args.rest().front();
  MetricsPrinter printer(context, *asked);
  for (const Wanted& one : wanted.empty() ? usual() : wanted) {
    const auto answer = call_json(**api, request_of(host, one, *asked), context.stop);
    if (!answer.ok()) return fail(answer.error());
    printer.print(one.measurement, *answer);
  }
  if (printer.finish() > 0) return finish_output(kOk);
  if (!context.quiet)
    print_error(fmt::format("no samples of {} in this time; `logboom metrics` lists the hosts", printable(host)));
  return kNo;
}

}  // namespace logboom::app
