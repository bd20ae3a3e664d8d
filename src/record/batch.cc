#include "record/batch.h"

#include <array>

namespace logboom {
namespace {

constexpr std::size_t kLongestPacked = 8;

// Up to eight letters in one integer, so that a word is found by comparing integers.
constexpr std::uint64_t pack(std::string_view word) {
  std::uint64_t packed = 0;
  for (const char c : word) packed = packed << 8 | static_cast<unsigned char>(c);
  return packed;
}

struct Alias {
  std::uint64_t word;
  Level level;
};

constexpr std::array kAliases = {
    Alias{pack("trace"), Level::kTrace},  Alias{pack("trc"), Level::kTrace},      Alias{pack("finer"), Level::kTrace},
    Alias{pack("finest"), Level::kTrace}, Alias{pack("verbose"), Level::kTrace},  Alias{pack("debug"), Level::kDebug},
    Alias{pack("dbg"), Level::kDebug},    Alias{pack("fine"), Level::kDebug},     Alias{pack("info"), Level::kInfo},
    Alias{pack("inf"), Level::kInfo},     Alias{pack("notice"), Level::kInfo},    Alias{pack("config"), Level::kInfo},
    Alias{pack("note"), Level::kInfo},    Alias{pack("warn"), Level::kWarn},      Alias{pack("wrn"), Level::kWarn},
    Alias{pack("warning"), Level::kWarn}, Alias{pack("error"), Level::kError},    Alias{pack("err"), Level::kError},
    Alias{pack("severe"), Level::kError}, Alias{pack("fatal"), Level::kFatal},    Alias{pack("ftl"), Level::kFatal},
    Alias{pack("crit"), Level::kFatal},   Alias{pack("critical"), Level::kFatal}, Alias{pack("alert"), Level::kFatal},
    Alias{pack("emerg"), Level::kFatal},  Alias{pack("panic"), Level::kFatal},    Alias{pack("dpanic"), Level::kFatal},
};

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
  for (const Alias& alias : kAliases) {
    if (alias.word == packed) return alias.level;
  }
  return std::nullopt;
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
