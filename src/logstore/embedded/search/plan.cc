#include "logstore/embedded/search/plan.h"

#include <algorithm>

namespace logboom::logstore::embedded {
namespace {

Verdict of(bool yes) {
  return yes ? Verdict::kYes : Verdict::kNo;
}

Verdict verdict_on_field(const query::FieldMatcher& field, const SourceNames& names) {
  switch (field.origin()) {
    case query::FieldOrigin::kHost:
      return of(field.matches_text(names.host));
    case query::FieldOrigin::kFile:
      return of(field.matches_path(names.path));
    case query::FieldOrigin::kTopic:
      return of(field.matches_text(names.channel));
    case query::FieldOrigin::kSource:
      return of(field.matches_text(names.source.to_hex()));
    default:
      return Verdict::kMaybe;
  }
}

// Verdicts of the fields, joined: AND is the least of its parts, OR the greatest, NOT turns them around.
template <typename OfField>
Verdict verdict_of(const query::MatchNode& node, const OfField& of_field) {
  if (node.field) return of_field(*node.field);
  if (node.kind == query::NodeKind::kAll) return Verdict::kYes;
  if (node.text) return Verdict::kMaybe;
  if (node.kind == query::NodeKind::kNot) {
    const Verdict child = verdict_of(node.children.front(), of_field);
    return child == Verdict::kMaybe ? Verdict::kMaybe : of(child == Verdict::kNo);
  }
  const bool all = node.kind == query::NodeKind::kAnd;
  Verdict result = of(all);
  for (const query::MatchNode& child : node.children) {
    const Verdict v = verdict_of(child, of_field);
    result = all ? std::min(result, v) : std::max(result, v);
  }
  return result;
}

}  // namespace

Verdict verdict_on_source(const query::MatchNode& node, const SourceNames& names) {
  return verdict_of(node, [&](const query::FieldMatcher& field) { return verdict_on_field(field, names); });
}

Verdict verdict_on_levels(const query::MatchNode& node, const std::array<std::uint32_t, kLevels>& rows_per_level) {
  return verdict_of(node, [&](const query::FieldMatcher& field) {
    if (field.origin() != query::FieldOrigin::kLevel) return Verdict::kMaybe;
    bool some = false;
    bool all = true;
    for (std::size_t level = 0; level < rows_per_level.size(); ++level) {
      if (rows_per_level[level] == 0) continue;
      const bool matches = field.matches_level(static_cast<Level>(level));
      some = some || matches;
      all = all && matches;
    }
    return some && !all ? Verdict::kMaybe : of(some);
  });
}

Result<std::unique_ptr<const Plan>> Plan::make(const SearchRequest& request, const StoreView& view) {
  std::shared_ptr<const Snapshot> snapshot = view.snapshot();
  std::vector<std::shared_ptr<const ChunkMeta>> wanted;
  for (const auto& file : snapshot->files) {
    for (const auto* chunks : {&file->blocks, &file->tails}) {
      for (const auto& chunk : *chunks) {
        if (chunk->overlaps(request.from, request.to)) wanted.push_back(chunk);
      }
    }
  }
  return make(request, view, std::move(snapshot), std::move(wanted));
}

Result<std::unique_ptr<const Plan>> Plan::make(const SearchRequest& request, const StoreView& view,
                                               std::shared_ptr<const Snapshot> snapshot,
                                               std::vector<std::shared_ptr<const ChunkMeta>> chunks) {
  auto plan = std::make_unique<Plan>();
  plan->request = request;
  LB_ASSIGN(plan->matcher, query::Matcher::compile(request.query));
  plan->requirements = query::Requirements::of(plan->matcher.root());
  plan->order.newest_first = request.newest_first;
  plan->snapshot = std::move(snapshot);
  plan->chunks = std::move(chunks);
  plan->ask_sources(view);
  plan->sort_chunks();
  return std::unique_ptr<const Plan>(std::move(plan));
}

void Plan::ask_sources(const StoreView& view) {
  for (const auto& chunk : chunks) {
    for (const RefRange& range : chunk->refs) {
      auto [it, added] = names.try_emplace(range.ref);
      if (!added) continue;
      it->second = view.names(range.ref);
      const bool known = it->second != nullptr;
      verdicts.emplace(range.ref, known ? verdict_on_source(matcher.root(), *it->second) : Verdict::kMaybe);
    }
  }
}

const SourceNames* Plan::names_of(SourceRef ref) const {
  const auto it = names.find(ref);
  return it == names.end() ? nullptr : it->second.get();
}

Verdict Plan::verdict_on(SourceRef ref) const {
  const auto it = verdicts.find(ref);
  return it == verdicts.end() ? Verdict::kMaybe : it->second;
}

Verdict Plan::verdict_on(const ChunkMeta& chunk) const {
  const Verdict by_level = verdict_on_levels(matcher.root(), chunk.levels);
  if (by_level != Verdict::kMaybe || chunk.refs.empty()) return by_level;
  const Verdict first = verdict_on(chunk.refs.front().ref);
  for (const RefRange& range : chunk.refs) {
    if (verdict_on(range.ref) != first) return Verdict::kMaybe;
  }
  return first;
}

RowKey Plan::front_key(const ChunkMeta& chunk) const {
  RowKey front;
  bool first = true;
  for (const RefRange& range : chunk.refs) {
    const SourceNames* of = names_of(range.ref);
    if (of == nullptr) continue;
    RowKey key{0, of->source, of->epoch, order.newest_first ? range.end : range.begin, 0};
    key.time = order.newest_first ? chunk.newest() : chunk.oldest();
    if (first || order.comes_before(key, front)) front = key;
    first = false;
  }
  if (first) front.time = order.newest_first ? chunk.newest() : chunk.oldest();
  return front;
}

void Plan::sort_chunks() {
  std::vector<std::pair<RowKey, std::shared_ptr<const ChunkMeta>>> keyed;
  keyed.reserve(chunks.size());
  for (auto& chunk : chunks) keyed.emplace_back(front_key(*chunk), std::move(chunk));
  std::sort(keyed.begin(), keyed.end(), [this](const auto& a, const auto& b) {
    return a.first != b.first ? order.comes_before(a.first, b.first) : a.second->key < b.second->key;
  });
  for (std::size_t i = 0; i < keyed.size(); ++i) chunks[i] = std::move(keyed[i].second);
}

}  // namespace logboom::logstore::embedded
