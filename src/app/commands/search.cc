// search and follow.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/api_access.h"
#include "app/commands/commands.h"
#include "app/frames.h"
#include "app/progress.h"
#include "app/row_printer.h"
#include "base/counted.h"
#include "base/log.h"
#include "config/list_text.h"
#include "http/client.h"
#include "logstore/query/query.h"

namespace logboom::app {
namespace {

using nlohmann::json;
namespace query = logstore::query;

// The query with --host and --file in it, in canonical form.
Result<std::string> full_query(const Context& context, const Args& args) {
  std::string typed;
  for (const std::string& word : args.rest()) typed += (typed.empty() ? "" : " ") + word;
  LB_ASSIGN(query::Parsed parsed, query::parse(typed));
  if (!parsed.note.empty() && !context.quiet) fmt::print(stderr, "note: searched as plain text: {}\n", parsed.note);
  query::Node all;
  all.kind = query::NodeKind::kAnd;
  for (const char* field : {"host", "file"}) {
    if (!args.has(field)) continue;
    query::Node node;
    node.kind = query::NodeKind::kField;
    node.field = field;
    node.text = args.text(field);
    const char* wildcards = node.field == "file" ? "*?" : "*";
    const bool pattern = node.text.find_first_of(wildcards) != std::string::npos;
    node.op = pattern ? query::FieldOp::kPattern : query::FieldOp::kEquals;
    all.children.push_back(std::move(node));
  }
  if (all.children.empty()) return query::to_string(parsed.root);
  all.children.push_back(std::move(parsed.root));
  return query::to_string(all);
}

// The columns of --with.
Result<std::vector<std::string>> columns_of(const Context& context, const Args& args) {
  if (args.has("with") && context.output != OutputFormat::kText) {
    return Error(ErrorCode::kInvalidArgument,
                 "cannot use --with and --output together: it adds columns to the text form, the others have them all");
  }
  constexpr std::array<std::string_view, 5> kKnown{"time", "host", "file", "offset", "level"};
  const std::string typed = args.text("with");
  std::vector<std::string> columns;
  for (const std::string_view column : config::split_list(typed)) {
    columns.emplace_back(column);
    if (std::find(kKnown.begin(), kKnown.end(), columns.back()) != kKnown.end()) continue;
    return Error(ErrorCode::kInvalidArgument, fmt::format("cannot show the column \"{}\": there are {}",
                                                          printable(columns.back()), fmt::join(kKnown, ", ")));
  }
  return columns;
}

struct Found {
  json stats;
  std::string next;  // cursor of the page behind it; empty: there is none
  json histogram = json::array();
  std::uint64_t commit = 0;
};

// One search; rows go to on_row in the order they come.
Result<Found> run_query(Context& context, ApiAccess& api, http::Pairs parameters,
                        const std::function<void(const json&)>& on_row) {
  Found found;
  json failure;
  Progress progress(shows_progress(context), "searched");
  http::LineReader lines([&](std::string_view line) {
    const json frame = json::parse(line, nullptr, false);
    if (!frame.is_object()) return true;
    const std::string type = frame.value("type", "");
    if (type == "rows")
      for (const json& row : frame.at("rows")) on_row(row);
    if (type == "meta") found.commit = frame.value("commit", std::uint64_t{0});
    if (type == "histogram") found.histogram = frame.at("buckets");
    if (type == "progress")
      progress.update(frame.at("stats").value("bytes_read", std::uint64_t{0}), 0,
                      fmt::format("{} found", frame.at("stats").value("records", std::uint64_t{0})));
    if (type == "done") {
      found.stats = frame.at("stats");
      if (const json next = frame.value("next", json()); next.is_string()) found.next = next.get<std::string>();
      failure = frame.value("error", json());
    }
    return std::ferror(stdout) == 0;
  });
  const ApiRequest request{"GET", "/api/v1/search", std::move(parameters)};
  const auto response = api.call(
      request, [&](std::string_view piece) { return lines(piece); }, context.stop);
  progress.finish();
  if (std::ferror(stdout) != 0) {  // what is behind nobody would see
    found.stats = json::object();
    return found;
  }
  if (!response.ok()) return response.error();
  if (failure.is_object()) return Error(ErrorCode::kUnavailable, failure.value("message", "the search broke off"));
  if (!found.stats.is_object()) return Error(ErrorCode::kUnavailable, "the answer of " + api.where() + " was cut");
  return found;
}

void explain(const Context& context, const json& stats) {
  // Rows that are missing are no note: said also when quiet.
  if (const auto damaged = stats.value("damaged_blocks", std::uint64_t{0}); damaged > 0) {
    print_error(
        fmt::format("{} could not be read; `logboom audit` names the ranges", counted(damaged, "damaged block")));
  }
  if (stats.value("partial", false) && !context.quiet)
    fmt::print(stderr, "note: partial result, searched back to {}\n",
               time_text(stats.value("searched_back_to", json())));
}

http::Pairs search_parameters(const std::string& query, const Args& args) {
  http::Pairs parameters = {{"q", query}};
  if (args.has("since")) parameters.emplace_back("from", args.text("since"));
  if (args.has("until")) parameters.emplace_back("to", args.text("until"));
  if (args.has("deadline")) parameters.emplace_back("deadline", args.text("deadline"));
  return parameters;
}

int print_count(Context& context, ApiAccess& api, const std::string& query, const Args& args, const char* member) {
  http::Pairs parameters = search_parameters(query, args);
  parameters.emplace_back("limit", "0");
  const auto found = run_query(context, api, std::move(parameters), [](const json&) {});
  if (!found.ok()) return fail(found.error());
  explain(context, found->stats);
  const std::uint64_t count = found->stats.value(member, std::uint64_t{0});
  if (!found->stats.value("exact", true) && !context.quiet) fmt::print(stderr, "note: at least so many\n");
  fmt::print("{}\n", count);
  return count > 0 ? kOk : kNo;
}

int print_histogram(Context& context, ApiAccess& api, const std::string& query, const Args& args) {
  http::Pairs parameters = search_parameters(query, args);
  parameters.emplace_back("limit", "0");
  parameters.emplace_back("step", args.text("histogram"));
  const auto found = run_query(context, api, std::move(parameters), [](const json&) {});
  if (!found.ok()) return fail(found.error());
  explain(context, found->stats);
  if (context.output != OutputFormat::kText) {
    fmt::print("{}\n", found->histogram.dump());
    return found->histogram.empty() ? kNo : kOk;
  }
  std::uint64_t most = 1;
  const auto total = [](const json& bucket) {
    std::uint64_t sum = 0;
    for (const json& n : bucket.at("counts")) sum += n.get<std::uint64_t>();
    return sum;
  };
  for (const json& bucket : found->histogram) most = std::max(most, total(bucket));
  for (const json& bucket : found->histogram) {
    const std::uint64_t n = total(bucket);
    fmt::print("{:<24} {:>10}  {}\n", time_text(bucket.at("start")), n,
               std::string(static_cast<std::size_t>(50 * n / most), '#'));
  }
  return found->histogram.empty() ? kNo : kOk;
}

int print_names(Context& context, ApiAccess& api, ApiRequest request, const char* list, const char* name,
                const char* count) {
  const auto answer = call_json(api, request, context.stop);
  if (!answer.ok()) return fail(answer.error());
  const json rows = answer->value(list, json::array());
  if (context.output != OutputFormat::kText) {
    fmt::print("{}\n", rows.dump());
    return rows.empty() ? kNo : kOk;
  }
  for (const json& row : rows)
    fmt::print("{:>10}  {}\n", row.value(count, std::uint64_t{0}), printable(row.value(name, "")));
  if (!answer->value("exact", true) && !context.quiet)
    fmt::print(stderr, "note: too many distinct values; the counts are lower bounds\n");
  return rows.empty() ? kNo : kOk;
}

int follow_from(Context& context, ApiAccess& api, const std::string& query, std::optional<std::uint64_t> commit,
                RowPrinter& printer) {
  http::Pairs parameters = {{"q", query}, {"rate", "0"}};
  if (commit) parameters.emplace_back("commit", std::to_string(*commit));
  std::string event;
  http::LineReader lines([&](std::string_view line) {
    if (line.starts_with("event: ")) event = line.substr(7);
    if (!line.starts_with("data: ") || event != "rows") return true;
    const json data = json::parse(line.substr(6), nullptr, false);
    if (data.is_object())
      for (const json& row : data.at("rows")) printer.print(row);
    std::fflush(stdout);
    return !std::ferror(stdout);
  });
  const ApiRequest request{"GET", "/api/v1/live", std::move(parameters)};
  const auto answer = api.call(
      request, [&](std::string_view piece) { return lines(piece); }, context.stop);
  if (answer.ok() || answer.error().code() == ErrorCode::kCancelled)
    return context.stop.stop_requested() ? kInterrupted : kOk;
  return fail(answer.error());
}

// Page by page, as each record takes further questions: only a page is held.
Result<Found> print_all_with_context(Context& context, ApiAccess& api, const http::Pairs& parameters,
                                     ContextPrinter& around) {
  constexpr std::size_t kPage = 500;
  std::uint64_t damaged = 0;
  Found page;
  do {
    http::Pairs asked = parameters;
    asked.emplace_back("limit", std::to_string(kPage));
    if (!page.next.empty()) asked.emplace_back("after", page.next);
    std::vector<json> rows;
    LB_ASSIGN(page, run_query(context, api, std::move(asked), [&](const json& row) { rows.push_back(row); }));
    for (const json& row : rows) LB_TRY(around.print(row));
    damaged = std::max(damaged, page.stats.value("damaged_blocks", std::uint64_t{0}));
  } while (!page.next.empty() && !page.stats.value("partial", false) && std::ferror(stdout) == 0);
  page.stats["damaged_blocks"] = damaged;
  return page;
}

// The newest, oldest of them first.
Result<Found> print_newest(Context& context, ApiAccess& api, http::Pairs parameters,
                           const std::function<Status(const json&)>& print) {
  std::vector<json> newest;
  LB_ASSIGN(Found found,
            run_query(context, api, std::move(parameters), [&](const json& row) { newest.push_back(row); }));
  for (auto row = newest.rbegin(); row != newest.rend(); ++row) LB_TRY(print(*row));
  return found;
}

Result<Found> find_and_print(Context& context, ApiAccess& api, const std::string& query, const Args& args,
                             RowPrinter& printer) {
  http::Pairs parameters = search_parameters(query, args);
  parameters.emplace_back("order", args.has("all") ? "oldest" : "newest");
  parameters.emplace_back("count", "false");
  ContextPrinter around(context, api, args.text("context"), printer);
  if (args.has("all") && args.has("context")) return print_all_with_context(context, api, parameters, around);
  parameters.emplace_back("limit", args.has("all") ? "all" : args.text("limit", "100"));
  if (args.has("all"))
    return run_query(context, api, std::move(parameters), [&](const json& row) { printer.print(row); });
  return print_newest(context, api, std::move(parameters), [&](const json& row) {
    return args.has("context") ? around.print(row) : (printer.print(row), ok_status());
  });
}

int print_rows(Context& context, ApiAccess& api, const std::string& query, const Args& args,
               std::vector<std::string> columns) {
  RowPrinter printer(context, std::move(columns));
  const auto found = find_and_print(context, api, query, args, printer);
  if (!found.ok()) return fail(found.error());
  std::fflush(stdout);
  explain(context, found->stats);
  if (args.has("follow")) return follow_from(context, api, query, found->commit, printer);
  return printer.printed() > 0 ? kOk : kNo;
}

struct Question {
  std::string query;
  std::vector<std::string> columns;  // of the text form
  std::unique_ptr<ApiAccess> api;
};

Result<Question> question_of(Context& context, const Args& args) {
  Question question;
  LB_ASSIGN(question.query, full_query(context, args));
  LB_ASSIGN(question.columns, columns_of(context, args));
  LB_ASSIGN(question.api, open_api(context, ApiNeed::kRead));
  return question;
}

}  // namespace

int run_search(Context& context, const Args& args) {
  auto asked = question_of(context, args);
  if (!asked.ok()) return fail(asked.error());
  const auto& [query, columns, api] = *asked;
  const bool rows = !args.has("count") && !args.has("count-lines") && !args.has("histogram") && !args.has("fields") &&
                    !args.has("values");
  if (Status form = rows ? ok_status() : refuse_csv(context); !form.ok()) return fail(form.error());
  if (args.has("count")) return print_count(context, *api, query, args, "records");
  if (args.has("count-lines")) return print_count(context, *api, query, args, "lines");
  if (args.has("histogram")) return print_histogram(context, *api, query, args);
  if (args.has("fields"))
    return print_names(context, *api, {"GET", "/api/v1/fields", search_parameters(query, args)}, "fields", "name",
                       "records");
  if (args.has("values")) {
    http::Pairs parameters = search_parameters(query, args);
    parameters.emplace_back("field", args.text("values"));
    parameters.emplace_back("limit", args.text("limit", "100"));
    return print_names(context, *api, {"GET", "/api/v1/values", std::move(parameters)}, "values", "value", "count");
  }
  return print_rows(context, *api, query, args, columns);
}

int run_follow(Context& context, const Args& args) {
  const auto asked = question_of(context, args);
  if (!asked.ok()) return fail(asked.error());
  RowPrinter printer(context, asked->columns);
  return follow_from(context, *asked->api, asked->query, std::nullopt, printer);
}

}  // namespace logboom::app
