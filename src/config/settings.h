// Settings: every option of the program by name, from its table: flag, environment, file, default, in that order. One
// table feeds parsing, checking, `config show`, --help and the reference page.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_size.h"
#include "base/result.h"
#include "config/problem.h"
#include "config/yaml.h"

namespace logboom::config {

enum class OptionType { kText, kPath, kSize, kDuration, kInteger, kBoolean, kChoice, kList };

// What a value must be, beyond its type: says what is expected, as in "an address and a port", or nothing when `text`
// is that.
using ValueCheck = std::function<std::optional<std::string>(std::string_view text)>;

struct OptionSpec {
  std::string name;  // "logs.retention.age"
  OptionType type = OptionType::kText;
  std::string fallback;                   // the default, as a person would write it
  std::string help;                       // one sentence
  std::vector<std::string> choices = {};  // of kChoice
  bool secret = false;                    // shown as ******
  ValueCheck check = {};                  // of values that have the type; none: every one will do
};
using OptionTable = std::vector<OptionSpec>;

struct SettingValue {
  std::string text;
  std::string origin;  // "default", "--data-dir", "LOGBOOM_DATA_DIR", "/etc/logboom/logboom.yaml:3"
};

// "90s", "5m", "30d", "250ms", "1h30m". kInvalidArgument with the form that is expected.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string duration_text(std::chrono::milliseconds duration);

// "LOGBOOM_LOGS_RETENTION_AGE" for "logs.retention.age".
std::string environment_name(std::string_view option);

// Values of a table, each of a valid type. Getters abort on a name that is not in the table or of another type: a bug.
class Settings {
 public:
  explicit Settings(OptionTable table);

  // Later calls win over earlier ones: call in the order file, environment, flags. Each appends its problems.
  // `root` may hold keys of `ignored` (sections read elsewhere), others are errors that name the nearest known key.
  void read_yaml(const std::string& file, std::string_view text, const YamlNode& root,
                 const std::vector<std::string>& ignored, std::vector<Problem>& problems);
  // `lookup` is getenv in the program.
  void read_environment(const std::function<const char*(const std::string&)>& lookup, std::vector<Problem>& problems);
  Status set(std::string_view name, std::string_view text, std::string_view origin);

  const OptionTable& table() const { return table_; }
  const SettingValue& value(std::string_view name) const;
  const std::string& text(std::string_view name) const { return value(name).text; }
  ByteSize size(std::string_view name) const;
  std::chrono::milliseconds duration(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  bool boolean(std::string_view name) const;
  // Of kList: written with commas, or as a YAML list.
  std::vector<std::string> list(std::string_view name) const;
  bool is_default(std::string_view name) const { return value(name).origin == "default"; }

 private:
  const OptionSpec* spec(std::string_view name) const;
  void read_node(const std::string& file, std::string_view text, const std::string& prefix, const YamlNode& node,
                 const std::vector<std::string>& ignored, std::vector<Problem>& problems);

  OptionTable table_;
  std::map<std::string, SettingValue, std::less<>> values_;
};

}  // namespace logboom::config
