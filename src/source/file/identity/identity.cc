#include "source/file/identity/identity.h"

#include <algorithm>
#include <cctype>

#include "io/hashing.h"

namespace logboom::source {
namespace {

void put_u64(std::string& out, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) out += static_cast<char>(value >> (8 * i));
}

void put_text(std::string& out, std::string_view text) {
  put_u64(out, text.size());
  out += text;
}

std::string identity_bytes(const FileIdentity& identity) {
  std::string out;
  put_u64(out, identity.file_system);
  put_text(out, identity.handle);
  if (identity.handle.empty()) {
    put_u64(out, identity.device);
    put_u64(out, identity.inode);
    put_u64(out, static_cast<std::uint64_t>(identity.birth_time));
  }
  return out;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_separator(char c) {
  return c == '.' || c == '-' || c == '_' || c == '~';
}

// End of a run of digits that starts at `at`, with the separators and the T inside a date or time (2026-11-20T14.31).
std::size_t number_end(std::string_view name, std::size_t at) {
  while (at < name.size()) {
    if (is_digit(name[at])) {
      ++at;
    } else if ((name[at] == '-' || name[at] == '_' || name[at] == 'T' || name[at] == ':') && at + 1 < name.size() &&
               is_digit(name[at + 1])) {
      ++at;
    } else {
      return at;
    }
  }
  return at;
}

std::string_view without_compression(std::string_view name) {
  switch (compression_of(name)) {
    case Compression::kGzip:
      return name.substr(0, name.size() - 3);
    case Compression::kZstd:
      return name.substr(0, name.size() - 4);
    case Compression::kXz:
      return name.substr(0, name.size() - 3);
    case Compression::kNone:
      return name;
  }
  return name;
}

}  // namespace

SourceId make_source_id(std::string_view agent_key, const FileIdentity& identity) {
  std::string bytes = "logboom source 1";
  put_text(bytes, agent_key);
  return xxh3_128(bytes + identity_bytes(identity));
}

Hash128 binding_key(const FileIdentity& identity) {
  return xxh3_128(identity_bytes(identity));
}

Compression compression_of(std::string_view name) {
  if (name.ends_with(".gz")) return Compression::kGzip;
  if (name.ends_with(".zst")) return Compression::kZstd;
  if (name.ends_with(".xz")) return Compression::kXz;
  return Compression::kNone;
}

RotationName rotation_name(std::string_view file_name) {
  RotationName out;
  const std::string_view name = without_compression(file_name);
  out.compressed = name.size() != file_name.size();
  std::size_t at = 0;
  while (at < name.size()) {
    if (!is_digit(name[at])) {
      out.base += name[at++];
      continue;
    }
    at = number_end(name, at);
    ++out.tokens;
    // The separator before a number belongs to it: app.log.1 and app-20261120.log are app.log.
    if (!out.base.empty() && is_separator(out.base.back())) out.base.pop_back();
  }
  return out;
}

std::string plain_name(std::string_view file_name) {
  return std::string(without_compression(file_name));
}

std::string without_last_number(std::string_view file_name) {
  const std::string_view name = without_compression(file_name);
  std::string before;  // what stands before the last run, and what stands behind it
  std::string behind(name);
  for (std::size_t at = 0; at < name.size();) {
    if (!is_digit(name[at])) {
      ++at;
      continue;
    }
    const std::size_t end = number_end(name, at);
    const bool separated = at > 0 && is_separator(name[at - 1]);
    before = name.substr(0, separated ? at - 1 : at);
    behind = name.substr(end);
    at = end;
  }
  return before + behind;
}

std::string rotation_group(std::string_view path) {
  const std::size_t name = path.rfind('/') + 1;
  return std::string(path.substr(0, name)) + rotation_name(path.substr(name)).base;
}

bool may_be_copy(std::string_view copy_name, std::string_view original_name) {
  const RotationName copy = rotation_name(copy_name);
  const RotationName original = rotation_name(original_name);
  if (copy.base != original.base) return false;
  return copy.tokens > original.tokens || (copy.compressed && !original.compressed);
}

KnownAction decide_known(const KnownFacts& facts) {
  if (facts.size >= facts.position && facts.guard_equal) return KnownAction::kContinue;
  if (facts.first_look && facts.size < facts.position && facts.held_prefix > 0) return KnownAction::kInherit;
  return KnownAction::kNewEpoch;
}

UnknownDecision decide_unknown(bool empty, bool quiet, const std::vector<Candidate>& candidates) {
  if (empty) return {UnknownAction::kRegister, 0};
  std::vector<std::size_t> like;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!candidates[i].has_copy && candidates[i].likeness != Likeness::kNone) like.push_back(i);
  }
  if (like.empty()) return {UnknownAction::kCollect, 0};
  // Those that have less in common with it are generations that begin with the same lines.
  std::uint64_t most = 0;
  for (const std::size_t i : like) most = std::max(most, candidates[i].equal);
  std::erase_if(like, [&](std::size_t i) { return candidates[i].equal < most; });
  // Between originals of equal bytes that were read to their end it does not matter whose copy it is.
  const bool unsure = like.size() > 1 && !std::all_of(like.begin(), like.end(), [&](std::size_t i) {
                        return candidates[i].likeness == Likeness::kContinues && candidates[i].nothing_left;
                      });
  if (unsure) return {quiet ? UnknownAction::kCollectFlagged : UnknownAction::kWait, quiet ? 0 : like[0]};
  const Candidate& original = candidates[like[0]];
  if (original.state != OriginalState::kLive && (original.likeness == Likeness::kContinues || quiet)) {
    return {UnknownAction::kContinueOriginal, like[0]};
  }
  return {quiet ? UnknownAction::kAlias : UnknownAction::kWait, like[0]};
}

}  // namespace logboom::source
