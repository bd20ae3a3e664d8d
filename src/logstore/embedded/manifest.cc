#include "logstore/embedded/manifest.h"

#include <fmt/format.h>

#include "logstore/embedded/codec.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint64_t kSalt = 0x7366696c65735f31ULL;
constexpr std::uint64_t kMaxBytes = 64u << 20;
constexpr const char* kName = "/store.files";

}  // namespace

Result<std::optional<Manifest>> load_manifest(FileSystem& files, const std::string& directory) {
  const std::string path = directory + kName;
  const Result<std::string> bytes = read_file(files, path, kMaxBytes);
  if (!bytes.ok()) {
    if (bytes.error().code() == ErrorCode::kNotFound) return std::optional<Manifest>();
    return bytes.error();
  }
  LB_ASSIGN(RowReader in, RowReader::open(*bytes, kSalt, path));
  if (const std::uint8_t version = in.u8(); version != kVersion) {
    return Error(ErrorCode::kUnsupported,
                 fmt::format("cannot read {}: version {} is newer than this program", path, version));
  }
  Manifest manifest;
  manifest.creating = in.number32();
  const std::size_t count = in.count(2);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t seq = in.number32();
    manifest.files[seq] = in.number();
  }
  if (!in.finished())
    return Error(ErrorCode::kCorrupt, fmt::format("cannot read {}: its content makes no sense", path));
  return std::optional<Manifest>(std::move(manifest));
}

Status save_manifest(FileSystem& files, const std::string& directory, const Manifest& manifest) {
  RowWriter out;
  out.u8(kVersion);
  out.number(manifest.creating);
  out.number(manifest.files.size());
  for (const auto& [seq, commit] : manifest.files) {
    out.number(seq);
    out.number(commit);
  }
  return replace_file(files, directory + kName, std::move(out).seal(kSalt));
}

}  // namespace logboom::logstore::embedded
