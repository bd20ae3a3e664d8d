#include "record/batch.h"

namespace logboom {
namespace {

constexpr std::size_t kLongestPacked = 8;

// Up to eight letters in one integer, so that a word is found by comparing integers.
constexpr std::uint64_t pack(std::string_view word) {
  std::uint64_t packed = 0;
  for (const char c : word) packed = packed << 8 | static_cast<unsigned char>(c);
  return packed;
}

Level level_of_packed(std::uint64_t word) {
  switch (word) {
    case pack("trace"):
    case pack("trc"):
    case pack("finer"):
    case pack("finest"):
    case pack("verbose"):
      return Level::kTrace;
    case pack("debug"):
    case pack("dbg"):
    case pack("fine"):
      return Level::kDebug;
    case pack("info"):
    case pack("inf"):
    case pack("notice"):
    case pack("note"):
    case pack("config"):
      return Level::kInfo;
    case pack("warn"):
    case pack("wrn"):
    case pack("warning"):
      return Level::kWarn;
    case pack("error"):
    case pack("err"):
    case pack("severe"):
      return Level::kError;
    case pack("fatal"):
    case pack("ftl"):
    case pack("crit"):
    case pack("critical"):
    case pack("alert"):
    case pack("emerg"):
    case pack("panic"):
    case pack("dpanic"):
      return Level::kFatal;
    default:
      return Level::kNone;
  }
}

bool equal_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (static_cast<char>(text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

}  // namespace

std::string_view level_name(Level level) {
  switch (level) {
    case Level::kNone:
      return "";
    case Level::kTrace:
      return "trace";
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarn:
      return "warn";
    case Level::kError:
      return "error";
    case Level::kFatal:
      return "fatal";
  }
  return "";
}

std::optional<Level> level_from_name(std::string_view name) {
  if (name.size() < 3) return std::nullopt;
  if (name.size() > kLongestPacked) {
    if (equal_ignoring_case(name, "information") || equal_ignoring_case(name, "informational")) return Level::kInfo;
    if (equal_ignoring_case(name, "emergency")) return Level::kFatal;
    return std::nullopt;
  }
  std::uint64_t packed = 0;
  for (const char c : name) {
    const char lower = static_cast<char>(c | 0x20);
    if (lower < 'a' || lower > 'z') return std::nullopt;
    packed = packed << 8 | static_cast<unsigned char>(lower);
  }
  const Level level = level_of_packed(packed);
  return level == Level::kNone ? std::nullopt : std::optional(level);
}

std::string_view disposition_name(Disposition disposition) {
  switch (disposition) {
    case Disposition::kStored:
      return "stored";
    case Disposition::kDropped:
      return "dropped";
    case Disposition::kHole:
      return "hole";
    case Disposition::kQuarantined:
      return "quarantined";
    case Disposition::kGap:
      return "gap";
  }
  return "";
}

std::uint64_t Batch::memory() const {
  std::uint64_t total = sizeof(Batch) + channel.capacity() + cause.capacity() + rule.capacity() + bytes.capacity();
  total += records.capacity() * sizeof(Record) + drops.capacity() * sizeof(DroppedRun);
  total += marks.capacity() * sizeof(PrefixMark);
  total += drop_causes.capacity() * sizeof(std::string) + fields.capacity() * 2 * sizeof(std::string);
  for (const std::string& name : drop_causes) total += name.capacity();
  for (const auto& [name, value] : fields) total += name.capacity() + value.capacity();
  total += state.identity.handle.capacity() + state.path.capacity() + state.host.capacity();
  return total + state.group.capacity() + state.guard.capacity();
}

}  // namespace logboom
