// INI files of the system logboom replaces (config.ini of an agent, logtransfer.ini of a transfer), read into the same
// settings and rules as YAML. Unknown keys are warnings: such files hold keys of other programs' too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"
#include "config/rule.h"
#include "config/settings.h"

namespace logboom::config {

// Whether a file's name says that it is one: it ends in ".ini".
bool is_ini_file(std::string_view path);

struct IniEntry {
  std::string section;
  std::string key;
  std::string value;
  int line = 0;     // 1-based
  std::string row;  // as it stands in the file
};

// Sections, `key = value` and `key: value`, comments with ; and # (behind a value with " ;" and " #"), values in
// quotes, and values that go on in indented lines. Appends problems.
std::vector<IniEntry> read_ini(const std::string& file, std::string_view text, std::vector<Problem>& problems);

// What the old names mean, with what goes without saying there: agents send the raw line to Kafka and read files that
// are there from their end, and a transfer begins at the newest message. A section and key that are a setting's name
// ([limits] memory) are that setting.
void read_ini_settings(const std::string& file, std::string_view text, Settings& settings,
                       std::vector<Problem>& problems);

// The rule of [collect] logfile_path, to the topic of [kafka], and the roots; its file is read from its end unless
// `start` says otherwise.
void read_ini_rules(const std::string& file, std::string_view text, RuleSet& rules, std::vector<Problem>& problems);

}  // namespace logboom::config
