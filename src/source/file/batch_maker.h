// BatchMaker: turns bytes of a stream into a batch of records, or a range without bytes into a batch that says what
// became of it; moves the stream's marks, guard and carries along.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "source/file/tracked_source.h"

namespace logboom::source {

// Not thread-safe.
class BatchMaker {
 public:
  BatchMaker(const Clock& clock, std::string host) : clock_(clock), host_(std::move(host)) {}

  // Takes as many whole records as `at_end` allows from the beginning of `bytes`, which lie at the stream's position;
  // `held` gets what is left over. nullopt, with `bytes` untouched, when there are none. The batch holds what is needed
  // of `lease`.
  std::optional<Batch> records(const TrackedSource& source, Stream& stream, std::string& bytes, parse::AtEnd at_end,
                               MemoryBudget::Lease& lease, std::string& held);
  // The range from the stream's position to `end` under one disposition. `guard`: the bytes before `end`, empty when
  // unknown.
  Batch range(const TrackedSource& source, Stream& stream, std::uint64_t end, Disposition disposition,
              std::string cause, std::string guard);
  // No range: the state alone, at the stream's position.
  Batch state_only(const TrackedSource& source, const Stream& stream);

 private:
  Batch blank(const TrackedSource& source, const Stream& stream);
  std::int32_t zone_seconds(TimeNs now);

  const Clock& clock_;
  const std::string host_;
  TimeNs zone_checked_ = 0;
  std::int32_t zone_seconds_ = 0;
};

// The last kGuardBytes of `guard` followed by `bytes`.
std::string next_guard(std::string_view guard, std::string_view bytes);

}  // namespace logboom::source
