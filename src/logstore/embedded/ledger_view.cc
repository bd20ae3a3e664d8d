#include "logstore/embedded/ledger_view.h"

#include <algorithm>

#include <fmt/format.h>

#include "logstore/embedded/exporter.h"
#include "logstore/newest_entries.h"

namespace logboom::logstore::embedded {

void Notes::set_accepted(std::map<std::string, Acceptance> accepted) {
  MutexLock lock(mutex_);
  accepted_ = std::move(accepted);
}

void Notes::accept(const Acceptance& acceptance) {
  MutexLock lock(mutex_);
  accepted_[acceptance.finding] = acceptance;
}

std::map<std::string, Acceptance> Notes::accepted() const {
  MutexLock lock(mutex_);
  return accepted_;
}

void Notes::add_damage(Damage damage) {
  MutexLock lock(mutex_);
  damages_.push_back(std::move(damage));
}

std::vector<Damage> Notes::damages() const {
  MutexLock lock(mutex_);
  return damages_;
}

Result<std::vector<SourceInfo>> EmbeddedLedger::sources() {
  std::vector<SourceInfo> out;
  for (const auto& stream : catalog_.streams()) out.push_back(info_of(*stream));
  return out;
}

void EmbeddedLedger::read_quarantine(const std::function<void(QuarantineEntry)>& visit, std::vector<Damage>& damages) {
  for (const auto& file : files_.all()) {
    const Status read = file->quarantine(visit, damages);
    if (!read.ok()) damages.push_back({file->seq(), "table quarantine", read.error().message()});
  }
}

Result<std::vector<QuarantineEntry>> EmbeddedLedger::quarantine(std::size_t limit) {
  std::vector<Damage> damages;
  NewestEntries newest(limit);
  read_quarantine([&](QuarantineEntry entry) { newest.add(std::move(entry)); }, damages);
  return std::move(newest).take();
}

Result<AuditReport> EmbeddedLedger::audit(const AuditRequest& request, std::stop_token stop) {
  AuditInput input;
  input.damages = notes_.damages();
  input.accepted = notes_.accepted();
  const std::shared_ptr<const Snapshot> snapshot = catalog_.snapshot_with(input.streams);
  const auto keep = [&](QuarantineEntry entry) {
    entry.bytes = {};
    input.quarantine.push_back(std::move(entry));
  };
  read_quarantine(keep, input.damages);
  return Auditor(view_, snapshot).run(input, request, std::move(stop));
}

Result<std::shared_ptr<const Stream>> EmbeddedLedger::stream_of(const ExportRequest& request) const {
  std::vector<std::shared_ptr<const Stream>> found;
  for (const auto& stream : catalog_.streams()) {
    if (stream->source != request.source) continue;
    if (request.epoch && stream->epoch != *request.epoch) continue;
    if (!request.channel.empty() && stream->channel != request.channel) continue;
    found.push_back(stream);
  }
  if (found.empty()) {
    return Error(ErrorCode::kNotFound,
                 fmt::format("cannot export {}: no such source, epoch or channel", request.source.to_hex()));
  }
  std::uint32_t newest = 0;
  for (const auto& stream : found) newest = std::max(newest, stream->epoch);
  std::erase_if(found, [&](const auto& stream) { return stream->epoch != newest; });
  if (found.size() == 1) return found[0];
  std::string channels;
  for (const auto& stream : found) channels += (channels.empty() ? "" : ", ") + stream->channel;
  return Error(ErrorCode::kInvalidArgument, fmt::format("cannot export {}: it has several channels, name one of: {}",
                                                        request.source.to_hex(), channels));
}

Result<std::vector<ExportOmission>> EmbeddedLedger::export_bytes(const ExportRequest& request,
                                                                 const std::function<Status(std::string_view)>& sink,
                                                                 std::stop_token stop) {
  LB_ASSIGN(const std::shared_ptr<const Stream> stream, stream_of(request));
  std::vector<std::shared_ptr<const Stream>> epochs{stream};
  while (epochs.front()->state.inherited > 0 && epochs.front()->epoch > 0) {
    StreamKey key = key_of(*epochs.front());
    --key.epoch;
    std::shared_ptr<const Stream> before = catalog_.find(key);
    if (before == nullptr) break;
    epochs.insert(epochs.begin(), std::move(before));
  }
  return Exporter(view_, catalog_.snapshot(), sink).run(epochs, std::move(stop));
}

}  // namespace logboom::logstore::embedded
