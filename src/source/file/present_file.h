// The file of a source as it lies on the disk now, for comparing it with what was stored of it.
#pragma once

#include <memory>
#include <string>

#include "io/file_system.h"
#include "source/file/identity/content.h"

namespace logboom::source {

struct PresentFile {
  std::string path;
  std::unique_ptr<File> file;
  std::unique_ptr<Content> content;  // plain bytes, also of a compressed file
};

// Looks for the file of this identity under `path` and, renamed, under every other name in its folder. kNotFound when
// it is there no more: deleted, moved to another folder, or compressed (that is another file). Opens nothing but the
// file itself.
Result<PresentFile> open_present_file(FileSystem& files, const std::string& path, const FileIdentity& identity);

}  // namespace logboom::source
