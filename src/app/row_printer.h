// How search and follow print records: in the form asked for, and with their neighbours.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "app/api_access.h"
#include "app/context.h"

namespace logboom::app {

// A cell of CSV, quoted where it must be.
std::string csv_cell(const std::string& text);

// Prints rows of the API to standard output: as text exactly as they stand in their files, behind the columns of
// `with` (time, host, file, offset, level); as JSON, NDJSON or CSV whole.
class RowPrinter {
 public:
  RowPrinter(const Context& context, std::vector<std::string> with);
  ~RowPrinter();
  void print(const nlohmann::json& row);
  // Between rows that do not follow each other; in text only.
  void separate();
  std::uint64_t printed() const { return printed_; }

 private:
  void print_text(const nlohmann::json& row);
  void print_csv(const nlohmann::json& row);

  const OutputFormat format_;
  const bool terminal_;
  const bool color_;
  const std::vector<std::string> with_;
  std::uint64_t printed_ = 0;
};

// Prints records with `around` records of the same file before and after each. As grep does: no record twice, and one
// separator between groups that do not touch. Bound: three numbers per file that had a match.
class ContextPrinter {
 public:
  // All of them outlive it.
  ContextPrinter(Context& context, ApiAccess& api, std::string around, RowPrinter& printer)
      : context_(context), api_(api), around_(std::move(around)), printer_(printer) {}
  Status print(const nlohmann::json& match);

 private:
  // The last group of a file: offsets of its first and its last record, and of what may follow that one.
  struct Group {
    std::uint64_t first = 1;
    std::uint64_t last = 0;  // below `first`: none yet
    std::uint64_t end = 0;
  };
  void print_group(const std::string& file, const nlohmann::json& rows, std::uint64_t match);

  Context& context_;
  ApiAccess& api_;
  const std::string around_;
  RowPrinter& printer_;
  std::map<std::string, Group> groups_;  // by source, epoch and topic
  std::string file_;                     // of what was printed last
};

}  // namespace logboom::app
