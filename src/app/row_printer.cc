#include "app/row_printer.h"

#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "app/frames.h"
#include "base/log.h"

namespace logboom::app {
namespace {

using nlohmann::json;

void write(const std::string& bytes) {
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
}

std::string column(const json& row, const std::string& name) {
  if (name == "time") return time_text(row.value("time", json()));
  if (name == "offset") return std::to_string(row.value("offset", std::uint64_t{0}));
  if (name == "file") return printable(exact_bytes(row, "file", "file_raw"));
  return printable(row.value(name, ""));
}

std::string_view color_of(std::string_view level) {
  if (level == "error" || level == "fatal") return "\x1b[31m";
  if (level == "warn") return "\x1b[33m";
  return level == "debug" || level == "trace" ? "\x1b[2m" : "";
}

// As printable(), but the record's own line breaks stay.
std::string printable_lines(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t end = text.find('\n');
    out += printable(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += '\n';
    text.remove_prefix(end + 1);
  }
}

std::uint64_t offset_of(const json& row) {
  return row.value("offset", std::uint64_t{0});
}

}  // namespace

std::string csv_cell(const std::string& text) {
  std::string out = "\"";
  // A spreadsheet would run a cell that begins so as a formula.
  if (!text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos) out += '\'';
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

RowPrinter::RowPrinter(const Context& context, std::vector<std::string> with)
    : format_(context.output), terminal_(::isatty(STDOUT_FILENO) != 0), color_(context.color), with_(std::move(with)) {
  if (format_ == OutputFormat::kCsv) std::fputs("time,level,host,file,text\n", stdout);
  if (format_ == OutputFormat::kJson) std::fputs("[", stdout);
}

RowPrinter::~RowPrinter() {
  if (format_ == OutputFormat::kJson) std::fputs("]\n", stdout);
}

void RowPrinter::print(const json& row) {
  switch (format_) {
    case OutputFormat::kText:
      print_text(row);
      break;
    case OutputFormat::kCsv:
      print_csv(row);
      break;
    case OutputFormat::kJson:
      std::fputs(printed_ > 0 ? ",\n" : "", stdout);
      write(row.dump());
      break;
    case OutputFormat::kNdjson:
      write(row.dump() + "\n");
  }
  ++printed_;
}

void RowPrinter::separate() {
  if (format_ == OutputFormat::kText) std::fputs("--\n", stdout);
}

void RowPrinter::print_text(const json& row) {
  std::string line;
  for (const std::string& name : with_) line += column(row, name) + " ";
  const std::string text = exact_bytes(row, "text", "raw");
  const std::string_view color = color_ ? color_of(row.value("level", "")) : "";
  line += color;
  line += terminal_ ? printable_lines(text) : text;
  line += color.empty() ? "\n" : "\x1b[0m\n";
  write(line);
}

void RowPrinter::print_csv(const json& row) {
  write(fmt::format("{},{},{},{},{}\n", time_text(row.value("time", json())), row.value("level", ""),
                    csv_cell(row.value("host", "")), csv_cell(exact_bytes(row, "file", "file_raw")),
                    csv_cell(exact_bytes(row, "text", "raw"))));
}

Status ContextPrinter::print(const json& match) {
  const std::string epoch = std::to_string(match.value("epoch", 0u));
  const ApiRequest request{"GET",
                           "/api/v1/context",
                           {{"source", match.value("source", "")},
                            {"epoch", epoch},
                            {"offset", std::to_string(offset_of(match))},
                            {"topic", match.value("topic", "")},
                            {"before", around_},
                            {"after", around_}}};
  LB_ASSIGN(const json answer, call_json(api_, request, context_.stop));
  const json rows = answer.value("rows", json::array());
  if (rows.empty()) return {};  // expired since it was found
  print_group(match.value("source", "") + "." + epoch + "." + match.value("topic", ""), rows, offset_of(match));
  return {};
}

void ContextPrinter::print_group(const std::string& file, const json& rows, std::uint64_t match) {
  Group& group = groups_[file];
  const bool known = group.first <= group.last;
  const bool touches = known && match >= group.first && offset_of(rows.front()) <= group.end;
  if (!touches) group = {offset_of(rows.front()), offset_of(rows.front()), 0};
  bool first = !touches;
  bool begun = touches && file == file_;
  for (const json& row : rows) {
    const std::uint64_t offset = offset_of(row);
    if (!first && offset <= group.last) continue;
    if (!begun && printer_.printed() > 0) printer_.separate();
    begun = true;
    first = false;
    printer_.print(row);
    file_ = file;
    group.last = offset;
    group.end = offset + row.value("bytes", std::uint64_t{0}) + 1;
  }
}

}  // namespace logboom::app
