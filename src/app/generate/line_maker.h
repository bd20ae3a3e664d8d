// LineMaker: writes log lines as applications do, for tests, demonstrations and benchmarks. The same format and seed
// give the same bytes. Nothing in the product knows these lines.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "app/generate/random.h"
#include "base/clock.h"

namespace logboom::app {

enum class LineFormat { kApp, kAccess, kJson, kJava, kMysqlSlow };
// "app", "access", "json", "java", "mysql-slow".
std::optional<LineFormat> line_format_from_name(std::string_view name);

class LineMaker {
 public:
  LineMaker(LineFormat format, std::uint64_t seed) : format_(format), random_(seed) {}
  // Appends one event (one line; java and mysql-slow sometimes several), each line with its LF. Returns the lines
  // written.
  std::uint64_t append(std::string& out, TimeNs time);
  // Nanoseconds until the next event, on average `mean`.
  TimeNs gap(TimeNs mean) { return static_cast<TimeNs>(random_.below(static_cast<std::uint64_t>(2 * mean) + 1)); }

 private:
  std::uint64_t append_app(std::string& out, TimeNs time);
  std::uint64_t append_access(std::string& out, TimeNs time);
  std::uint64_t append_json(std::string& out, TimeNs time);
  std::uint64_t append_java(std::string& out, TimeNs time);
  std::uint64_t append_mysql_slow(std::string& out, TimeNs time);
  std::string_view level();

  LineFormat format_;
  Random random_;
};

}  // namespace logboom::app
