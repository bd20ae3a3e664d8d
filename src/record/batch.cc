#include "record/batch.h"

#include <cstring>

#include "record/level_word.h"

namespace logboom {
namespace {

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
  if (name.size() > 8) {
    if (equal_ignoring_case(name, "information") || equal_ignoring_case(name, "informational")) return Level::kInfo;
    if (equal_ignoring_case(name, "emergency")) return Level::kFatal;
    return std::nullopt;
  }
  // Two overlapping halves: a copy of varying length would be a call.
  std::uint64_t bytes = 0;
  if (name.size() == 3) {
    bytes = pack_word(name);
  } else {
    std::uint32_t low, high;
    std::memcpy(&low, name.data(), 4);
    std::memcpy(&high, name.data() + name.size() - 4, 4);
    bytes = low | static_cast<std::uint64_t>(high) << (8 * (name.size() - 4));
  }
  const LeadingWord word = leading_word(reinterpret_cast<const char*>(&bytes), false);
  const Level level = word.length == name.size() ? find_level_word(word.word).level : Level::kNone;
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
