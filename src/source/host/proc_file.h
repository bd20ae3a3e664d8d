// ProcFile: a file of /proc or /sys that is read again and again; kept open, since to open it costs more than to read
// it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace logboom::source::host {

// Of one file; what is behind is an error, not a part.
inline constexpr std::size_t kMostProcBytes = 8u << 20;

// One thread at a time.
class ProcFile {
 public:
  explicit ProcFile(std::string path) : path_(std::move(path)) {}
  ~ProcFile() { close(); }
  ProcFile(ProcFile&& other) noexcept
      : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
  ProcFile(const ProcFile&) = delete;
  ProcFile& operator=(const ProcFile&) = delete;
  ProcFile& operator=(ProcFile&&) = delete;

  const std::string& path() const { return path_; }
  // The whole content, in `buffer`, which is shared by many files and grows as it must. Never blocks on a network.
  // kNotFound: there is no such file; kFull: it is too large. After an error the next call opens it anew.
  Result<std::string_view> read(std::string& buffer);
  void close();

 private:
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace logboom::source::host
