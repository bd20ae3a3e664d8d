// Discovery: which files the rules name right now, and in which folders new ones may appear: those of the rules, and
// where one of them is missing the nearest folder above it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "source/file/match/rule_matcher.h"

namespace logboom::source {

// Bounds of one walk; what lies beyond is reported and left out.
inline constexpr std::size_t kMaxFoundFiles = 1'000'000;
inline constexpr std::size_t kMaxFoundFolders = 100'000;

struct PathProblem {
  std::string path;
  std::string text;  // "cannot read the folder /x: Permission denied"
};

struct Discovery {
  std::vector<std::string> files;    // sorted, each once; regular files, symlinks and what a rule names itself
  std::vector<std::string> folders;  // sorted, each once; folders to watch
  std::vector<PathProblem> problems;
};

// Walks every rule. Folders behind symlinks are followed for a named component or a single *, never below ** or a
// folder rule, so that no loop is walked. Blocks on the disk; its cost is one list() per folder.
Discovery discover(FileSystem& files, const RuleMatcher& matcher);

}  // namespace logboom::source
