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

}  // namespace

Verdict verdict_on_source(const query::MatchNode& node, const SourceNames& names) {
  if (node.field) return verdict_on_field(*node.field, names);
  if (node.kind == query::NodeKind::kAll) return Verdict::kYes;
  if (node.text) return Verdict::kMaybe;
  if (node.kind == query::NodeKind::kNot) {
    const Verdict child = verdict_on_source(node.children.front(), names);
    return child == Verdict::kMaybe ? Verdict::kMaybe : of(child == Verdict::kNo);
  }
  // AND is the least of its children's verdicts, OR the greatest.
  const bool all = node.kind == query::NodeKind::kAnd;
  Verdict result = of(all);
  for (const query::MatchNode& child : node.children) {
    const Verdict v = verdict_on_source(child, names);
    result = all ? std::min(result, v) : std::max(result, v);
  }
  return result;
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
  const bool newest_first = request.newest_first;
  std::sort(plan->chunks.begin(), plan->chunks.end(), [newest_first](const auto& a, const auto& b) {
    if (newest_first) return a->newest() != b->newest() ? a->newest() > b->newest() : b->key < a->key;
    return a->oldest() != b->oldest() ? a->oldest() < b->oldest() : a->key < b->key;
  });
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

Verdict Plan::verdict_on(SourceRef ref) const {
  const auto it = verdicts.find(ref);
  return it == verdicts.end() ? Verdict::kMaybe : it->second;
}

Verdict Plan::verdict_on(const ChunkMeta& chunk) const {
  if (chunk.refs.empty()) return Verdict::kMaybe;
  const Verdict first = verdict_on(chunk.refs.front().ref);
  for (const RefRange& range : chunk.refs) {
    if (verdict_on(range.ref) != first) return Verdict::kMaybe;
  }
  return first;
}

}  // namespace logboom::logstore::embedded
