// What rules would collect on this host: the files they name now and how fast those grow. Reads nothing but the ends of
// these files, keeps nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "config/rule.h"
#include "io/file_system.h"

namespace logboom::source {

struct PreviewedFile {
  std::string path;
  std::string rule;
  std::string topic;
  std::uint64_t size = 0;
  double bytes_per_second = 0;
  double lines_per_second = 0;
  std::string problem;  // why it would not be read; empty: it would
};

struct RulePreview {
  std::vector<PreviewedFile> files;   // those with a problem first, then the fastest; one per file and topic
  std::vector<std::string> problems;  // of rules and folders
};

struct PreviewOptions {
  std::vector<std::string> own_directories;  // as FileCollectorOptions'
  std::chrono::milliseconds watch{1000};     // how long growth is measured; cut short by the stop
};

// Blocks for options.watch and the disk. Bounds: those of discovery.
RulePreview preview_rules(const config::RuleSet& rules, const PreviewOptions& options, FileSystem& files,
                          std::stop_token stop);

}  // namespace logboom::source
