#include "source/file/present_file.h"

#include <fmt/format.h>

#include "base/log.h"
#include "source/file/identity/identity.h"
#include "source/file/match/rule_matcher.h"

namespace logboom::source {
namespace {

bool is_it(const Result<FileStat>& stat, const FileIdentity& identity) {
  return stat.ok() && stat->type == FileType::kRegular && binding_key(stat->identity) == binding_key(identity);
}

// Empty: under no name.
std::string find_name(FileSystem& files, const std::string& path, const FileIdentity& identity) {
  if (is_it(files.stat(path), identity)) return path;
  const std::string folder(folder_of(path));
  const auto entries = files.list(folder);
  if (!entries.ok()) return {};
  for (const DirectoryEntry& entry : *entries) {
    std::string other = folder + "/" + entry.name;
    if (entry.type == FileType::kRegular && is_it(files.stat(other, false), identity)) return other;
  }
  return {};
}

}  // namespace

Result<PresentFile> open_present_file(FileSystem& files, const std::string& path, const FileIdentity& identity) {
  const Error gone(ErrorCode::kNotFound, fmt::format("{} is not on the disk any more", printable(path)));
  PresentFile present;
  present.path = find_name(files, path, identity);
  if (present.path.empty()) return gone;
  LB_ASSIGN(present.file, files.open(present.path, OpenMode::kRead));
  if (!is_it(present.file->stat(), identity)) return gone;  // replaced between the two looks
  std::string head(6, '\0');
  LB_ASSIGN(const std::size_t got, present.file->pread(head.data(), head.size(), 0));
  const auto kind = detect_compression(std::string_view(head).substr(0, got));
  const bool compressed =
      compression_of(name_of(present.path)) != Compression::kNone && kind && *kind != CompressionKind::kNone;
  present.content = compressed ? decoded_content(*present.file, *kind, false) : plain_content(*present.file);
  return present;
}

}  // namespace logboom::source
