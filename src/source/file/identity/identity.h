// Identity: what names a source, which names may be rotated copies of one another, and what a file found on disk means.
// Pure functions over facts; the table of docs/exactly-once.md. Byte tables: docs/formats/identity.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/batch.h"

namespace logboom::source {

// 128-bit id of the source behind a file: from the agent's key, the file system's id and the kernel's file handle;
// device, inode and birth time stand in where there is no handle.
SourceId make_source_id(std::string_view agent_key, const FileIdentity& identity);
// The same without the key: the name under which a handle is bound to a source id.
Hash128 binding_key(const FileIdentity& identity);

enum class Compression { kNone, kGzip, kZstd, kXz };
// By the name's ending: .gz, .zst, .xz.
Compression compression_of(std::string_view name);

// A file name taken apart.
struct RotationName {
  std::string base;        // without date, number and compression suffix: files of one group have it in common
  std::size_t tokens = 0;  // dates and numbers that were left out
  bool compressed = false;
  bool operator==(const RotationName&) const = default;
};
RotationName rotation_name(std::string_view file_name);
// A name without compression suffix, and that without its last date or number: where to look for what a copy was made
// of.
std::string plain_name(std::string_view file_name);
std::string without_last_number(std::string_view file_name);
// Folder and base of a path: what SourceState::group holds.
std::string rotation_group(std::string_view path);
// Whether a file of this name can be a rotated copy of a file of that name: the same base, and a date, a number or a
// compression suffix more. Two numbered files beside each other (app-1.log, app-2.log) are no copies of one another.
bool may_be_copy(std::string_view copy_name, std::string_view original_name);

// What is seen of a file whose handle is known.
struct KnownFacts {
  std::uint64_t position = 0;  // where collecting goes on
  std::uint64_t size = 0;
  bool guard_equal = true;        // the bytes before the position are those that were read
  bool first_look = false;        // since the agent's start
  std::uint64_t held_prefix = 0;  // the largest mark <= size that still holds; 0: none
};
enum class KnownAction { kContinue, kInherit, kNewEpoch };
KnownAction decide_known(const KnownFacts& facts);

// How the bytes of a file with an unknown handle relate to a source.
enum class Likeness {
  kNone,       // other bytes, or too few to say
  kPrefix,     // all its bytes are the beginning of the source, and it is shorter than what was read
  kContinues,  // it begins with everything that was read of the source
};
enum class OriginalState { kLive, kTruncated, kVanished };

// A source that an unknown file may be a copy of: same rotation group, fitting name, at least one byte collected.
struct Candidate {
  OriginalState state = OriginalState::kLive;
  bool has_copy = false;  // another file was already recognised as its copy
  Likeness likeness = Likeness::kNone;
  bool nothing_left = false;  // the file holds nothing that was not read of the source
  std::uint64_t equal = 0;    // so many bytes at the beginning are the same
};
enum class UnknownAction { kRegister, kCollect, kCollectFlagged, kContinueOriginal, kWait, kAlias };
struct UnknownDecision {
  UnknownAction action = UnknownAction::kCollect;
  std::size_t candidate = 0;  // for kContinueOriginal, kWait and kAlias
  bool operator==(const UnknownDecision&) const = default;
};
// `quiet`: the file has not grown for a while, so a copy being written would be complete.
UnknownDecision decide_unknown(bool empty, bool quiet, const std::vector<Candidate>& candidates);

}  // namespace logboom::source
