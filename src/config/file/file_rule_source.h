// Rules from files: a person's logboom.yaml, and rules.yaml in the data directory, which the program itself writes
// (`logboom rules add`, the page). Every set that was in force is kept in rules-history.ndjson, so a revision means the
// same after a restart. A person's own file is never written.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/rule_source.h"
#include "io/file_system.h"

namespace logboom::config {

struct FileRuleOptions {
  std::string config_file;     // YAML, or INI by its ending; empty: none
  std::string data_directory;  // holds rules.yaml and rules-history.ndjson
  std::vector<Rule> given;     // from the command line (`up PATH`); in force beside the files
  std::vector<Rule> fallback;  // in force when nobody ever wrote a rule (/var/log)
  bool read_only = false;      // load() and history() alone, and nothing is written
};

// The deps outlive it. put() makes exactly these rules the ones in force; where that would take a change of the
// person's file or of the command line it is kInvalidArgument and says which. wait_for_change uses inotify on the
// files' folders, and notices replacement by rename, symlink swaps and files that appear later; where inotify fails it
// compares every second.
Result<std::unique_ptr<RuleSource>> open_file_rules(const FileRuleOptions& options, FileSystem& files,
                                                    const Clock& clock);

}  // namespace logboom::config
