// A folder that stands for a host's /proc, /sys and /etc, filled from tests/cases/host; and what tests ask of samples.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/check.h"
#include "record/sample.h"
#include "source/host/host_reader.h"
#include "source/host/proc_file.h"

namespace logboom::source::host {

class HostFolder {
 public:
  HostFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "host-XXXXXX").string();
    LB_CHECK(::mkdtemp(name.data()) != nullptr);
    root_ = name;
  }
  ~HostFolder() { std::filesystem::remove_all(root_); }
  HostFolder(const HostFolder&) = delete;
  HostFolder& operator=(const HostFolder&) = delete;

  // Makes it what that folder of tests/cases/host is.
  void fill(const std::string& name) {
    const char* source = std::getenv("LOGBOOM_SOURCE_DIR");
    LB_CHECK(source != nullptr);
    const auto from = std::filesystem::path(source) / "tests/cases/host" / name;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(from)) {
      if (!entry.is_regular_file()) continue;
      const auto to = root_ / entry.path().lexically_relative(from);
      std::filesystem::create_directories(to.parent_path());
      std::filesystem::copy_file(entry.path(), to, std::filesystem::copy_options::overwrite_existing);
    }
    for (const auto& entry : std::filesystem::directory_iterator(root_ / "proc")) {
      const std::string pid = entry.path().filename().string();
      if (pid.find_first_not_of("0123456789") == std::string::npos && !std::filesystem::exists(from / "proc" / pid))
        std::filesystem::remove_all(entry.path());
    }
  }
  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }
  void remove(const std::string& path) const { std::filesystem::remove_all(root_ / path); }
  std::string root() const { return root_.string(); }

  // Every file system has 1000 bytes, 400 of them free, 300 for users, and 100 inodes, 90 free; a file is none.
  HostReaderOptions options() {
    HostReaderOptions options;
    options.root = root();
    options.ticks_per_second = 100;
    options.page_bytes = 4096;
    options.addresses = [] { return std::vector<std::string>{"10.0.0.5", "fd00::5"}; };
    options.space = [this](const std::string& folder) -> std::optional<Space> {
      std::string mount = folder.substr(root().size());
      if (mount.ends_with(".conf")) return std::nullopt;
      asked_.push_back(std::move(mount));
      return Space{1000, 400, 300, 100, 90};
    };
    return options;
  }
  const std::vector<std::string>& asked() const { return asked_; }

 private:
  std::filesystem::path root_;
  std::vector<std::string> asked_;
};

// The first of that measurement and these tags (any tags when none are named); nullptr: there is none.
inline const Sample* find_sample(const std::vector<Sample>& samples, std::string_view measurement,
                                 const std::vector<SampleTag>& tags = {}) {
  for (const Sample& sample : samples) {
    if (sample.measurement == measurement && (tags.empty() || sample.tags == tags)) return &sample;
  }
  return nullptr;
}

inline const FieldValue* field_of(const Sample& sample, std::string_view name) {
  for (const SampleField& field : sample.fields) {
    if (field.name == name) return &field.value;
  }
  return nullptr;
}
inline bool has_field(const Sample& sample, std::string_view name) {
  return field_of(sample, name) != nullptr;
}
// -1: the sample has no such double; likewise of whole numbers.
inline double number_of(const Sample& sample, std::string_view name) {
  const FieldValue* value = field_of(sample, name);
  return value != nullptr && std::holds_alternative<double>(*value) ? std::get<double>(*value) : -1;
}
inline std::int64_t count_of(const Sample& sample, std::string_view name) {
  const FieldValue* value = field_of(sample, name);
  return value != nullptr && std::holds_alternative<std::int64_t>(*value) ? std::get<std::int64_t>(*value) : -1;
}

}  // namespace logboom::source::host
