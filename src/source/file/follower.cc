#include "source/file/follower.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "source/file/identity/identity.h"

namespace logboom::source {
namespace {

constexpr Moment kRetryAfter = std::chrono::seconds(1);

MatcherOptions matcher_options(const FileCollectorOptions& options) {
  MatcherOptions out;
  out.literal_paths = options.explicit_paths;
  out.max_record = static_cast<std::uint32_t>(std::min<std::uint64_t>(options.max_line, 1u << 30));
  out.own_directories = options.own_directories;
  return out;
}

}  // namespace

Follower::Follower(const FollowerDeps& deps, Emitter& emitter, std::stop_token stop)
    : deps_(deps),
      emitter_(emitter),
      stop_(std::move(stop)),
      maker_(deps.clock, deps.options.host),
      bytes_read_(deps.registry.counter("logboom_source_bytes_total",
                                        "Bytes of files handed on, holes and dropped ranges included.")),
      batches_(deps.registry.counter("logboom_source_batches_total", "Batches made of files.")),
      records_(deps.registry.counter("logboom_source_records_total", "Records found in files.")),
      errors_(deps.registry.counter("logboom_source_errors_total", "Files that could not be opened or read.")),
      files_known_(deps.registry.gauge("logboom_source_files", "Files known to the collector.")),
      files_open_(deps.registry.gauge("logboom_source_open_files", "Descriptors held on files.")) {
  for (const FileIdentity& identity : deps.options.never) never_.insert(binding_key(identity));
}

Status Follower::start(const config::RuleSet& rules) {
  LB_ASSIGN(auto known, emitter_.known_sources());
  set_rules(rules);
  for (KnownSource& source : known) {
    // Its file was there before the rule ran, and so may others be that were not reached yet.
    const bool undecided = source.starts_at > 0 && source.coverage.empty();
    for (const RulePtr& rule : matcher_->rules()) {
      if (!undecided && rule->rule.topic == source.channel && rule->matches(source.state.path))
        fresh_rules_.erase(rule.get());
    }
    if (source.state.identity != FileIdentity{}) bindings_[binding_key(source.state.identity)] = source.source;
    if (source.state.group.empty()) source.state.group = rotation_group(source.state.path);
    names_.add(source.source, source.state.path);
    const SourceId id = source.source;
    known_[id].push_back({std::move(source)});
    if (known_[id].size() == 1) remember(id);
  }
  return ok_status();
}

void Follower::set_rules(const config::RuleSet& rules) {
  const auto before = std::move(matcher_);
  matcher_ = std::make_unique<RuleMatcher>(rules, matcher_options(deps_.options));
  for (const std::string& problem : matcher_->problems()) log_error("{}", problem);
  const auto fresh = std::exchange(fresh_rules_, {});  // rules may change again before the first scan with them
  for (const RulePtr& rule : matcher_->rules()) {
    const bool ran =
        before && std::any_of(before->rules().begin(), before->rules().end(), [&](const RulePtr& old) {
          return !fresh.contains(old.get()) && old->path == rule->path && old->rule.topic == rule->rule.topic;
        });
    if (!ran) fresh_rules_.insert(rule.get());
  }
  for (auto& [id, source] : sources_) {
    for (Stream& stream : source->streams) stream.rule = nullptr;
    for (const std::string& path : source->paths) attach_streams(*source, path);
    attach_streams(*source, source->matched_path);
    for (Stream& stream : source->streams) {
      if (!stream.rule)
        stream.rule = matcher_->rule_for_group(rotation_group(source->matched_path), stream.channel, false);
    }
    make_ready(*source);
  }
  reported_.clear();
  deps_.board.clear_paths();
}

TrackedSource* Follower::find(const SourceId& id) {
  const auto found = sources_.find(id);
  return found == sources_.end() ? nullptr : found->second.get();
}

void Follower::make_ready(TrackedSource& source) {
  if (source.queued) return;
  source.queued = true;
  ready_.push_back(&source);
}

void Follower::at(TrackedSource& source, Moment when) {
  if (source.timer_at != Moment{0} && source.timer_at <= when) return;
  if (source.timer_at != Moment{0}) timers_.erase({source.timer_at, source.id});
  source.timer_at = std::max(when, Moment{1});
  timers_.insert({source.timer_at, source.id});
}

void Follower::tick() {
  while (!timers_.empty() && timers_.begin()->first <= now()) {
    const SourceId id = timers_.begin()->second;
    timers_.erase(timers_.begin());
    if (TrackedSource* source = find(id)) {
      source->timer_at = Moment{0};
      make_ready(*source);
    }
  }
}

std::optional<Moment> Follower::next_deadline() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first;
}

// What waited for the acknowledgements of a source can go on.
void Follower::answered_all(TrackedSource& source) {
  const bool ends = source.ending != Ending::kNone || source.compressed || source.state == FileState::kRotated;
  if (ends && (!source.finished || source.copy.content)) make_ready(source);
  if (TrackedSource* original = source.alias ? find(source.original) : nullptr) make_ready(*original);
}

void Follower::take_acks() {
  for (const Emitter::Ack& ack : emitter_.take_acks()) {
    TrackedSource* source = find(ack.source);
    if (source == nullptr) continue;
    const auto stream = std::find_if(source->streams.begin(), source->streams.end(),
                                     [&](const Stream& s) { return s.channel == ack.channel; });
    if (stream == source->streams.end()) continue;
    if (stream->in_flight > 0) --stream->in_flight;
    if (ack.epoch == source->epoch) {
      if (ack.status.ok()) {
        stream->acked.add(ack.begin, ack.end);
        if (!stream->failed && source->problem.starts_with("not stored")) source->problem.clear();
      } else {
        stream->failed = true;
        stream->retry_at = now() + kRetryAfter;
        source->problem = fmt::format("not stored yet: {}", ack.status.error().message());
        at(*source, stream->retry_at);
      }
    }
    // Its timer may have come and gone while others were under way.
    if (stream->in_flight == 0 && stream->failed) at(*source, stream->retry_at);
    if (stream->in_flight == 0) answered_all(*source);
    publish(*source);
  }
}

bool Follower::complete() const {
  if (!ready_.empty()) return false;
  return std::all_of(sources_.begin(), sources_.end(), [](const auto& entry) {
    const TrackedSource& source = *entry.second;
    if (source.ending != Ending::kNone && !source.finished) return false;
    return std::all_of(source.streams.begin(), source.streams.end(), [&](const Stream& stream) {
      if (!stream.settled()) return false;
      return !stream.rule || (source.undecided && !source.alias) || source.state == FileState::kUnreadable ||
             stream.position >= source.size;
    });
  });
}

void Follower::publish(const TrackedSource& source) {
  for (const Stream& stream : source.streams) {
    SourceStatus status;
    status.source = source.id;
    status.epoch = source.epoch;
    status.channel = stream.channel;
    if (stream.rule) status.rule = stream.rule->rule.name;
    status.path = source.path();
    status.state = source.state;
    status.size = source.size;
    status.read = stream.position;
    status.acknowledged = stream.acknowledged();
    status.problem = source.problem;
    deps_.board.put(std::move(status));
  }
}

}  // namespace logboom::source
