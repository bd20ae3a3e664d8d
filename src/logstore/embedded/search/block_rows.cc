#include "logstore/embedded/search/block_rows.h"

#include <algorithm>

#include "logstore/embedded/block/text_form.h"
#include "logstore/embedded/search/block_order.h"
#include "logstore/embedded/search/json_place.h"
#include "logstore/embedded/search/leaves.h"
#include "logstore/embedded/search/rows.h"
#include "logstore/field_values.h"
#include "logstore/query/shown_text.h"

namespace logboom::logstore::embedded {
namespace {

RowSet only(const RowSet& rows, const RowSet& within) {
  RowSet out = rows;
  out &= within;
  return out;
}

// How dear a part of a query is, roughly: parts of AND and OR are asked in this order, each only of the rows left.
int cost_of(const query::MatchNode& node) {
  if (node.kind == query::NodeKind::kAll) return 0;
  if (node.field) {
    const query::FieldOrigin origin = node.field->origin();
    return origin == query::FieldOrigin::kParsed ? 5 : origin == query::FieldOrigin::kLevel ? 1 : 0;
  }
  if (node.text) return node.text->is_regex() ? 4 : node.text->tokens().empty() ? 3 : 2;
  int cost = 0;
  for (const query::MatchNode& child : node.children) cost = std::max(cost, cost_of(child));
  return cost;
}

std::vector<const query::MatchNode*> cheapest_first(const std::vector<query::MatchNode>& nodes) {
  std::vector<const query::MatchNode*> out;
  for (const query::MatchNode& node : nodes) out.push_back(&node);
  std::stable_sort(out.begin(), out.end(), [](const auto* a, const auto* b) { return cost_of(*a) < cost_of(*b); });
  return out;
}

// `names` may be nullptr: then they are lost.
void show_names(query::RecordView& view, const SourceNames* names) {
  if (names == nullptr) return;
  view.host = names->host, view.path = names->path, view.channel = names->channel, view.source = names->source;
}

}  // namespace

BlockRows::BlockRows(const Plan& plan, const ChunkMeta& chunk, BlockReader& reader, const TokenFilter* filter,
                     LaneScratch& scratch)
    : plan_(plan), chunk_(chunk), reader_(reader), filter_(filter), scratch_(scratch) {}

const Leaf& BlockRows::leaf_of(const query::MatchNode& node) {
  auto [it, added] = scratch_.leaves.try_emplace(&node);
  if (added) it->second = make_leaf(*node.text, scratch_.matching.folded);
  return it->second;
}

Result<RowSet> BlockRows::in_range_and_verdict(Verdict verdict) {
  RowSet rows(reader_.rows());
  for (const Segment& segment : reader_.meta().segments) {
    if (plan_.verdict_on(segment.source_ref) == verdict)
      rows.add_range(segment.first_row, segment.first_row + segment.rows);
  }
  if (plan_.covers(chunk_) || rows.empty()) return rows;
  LB_ASSIGN(const RowSet in_time, reader_.rows_in_time(plan_.request.from, plan_.request.to));
  rows &= in_time;
  return rows;
}

Result<RowSet> BlockRows::matching() {
  LB_ASSIGN(RowSet rows, in_range_and_verdict(Verdict::kYes));
  LB_ASSIGN(const RowSet unsure, in_range_and_verdict(Verdict::kMaybe));
  if (unsure.empty()) return rows;
  if (!has_utf16()) {
    LB_ASSIGN(const RowSet found, matching(plan_.matcher.root(), unsure));
    rows |= found;
    return rows;
  }
  RowSet plain = unsure;
  RowSet utf16(reader_.rows());
  for (const Segment& segment : reader_.meta().segments) {
    if (is_utf16(reader_.meta().contexts[segment.context].format))
      utf16.add_range(segment.first_row, segment.first_row + segment.rows);
  }
  plain -= utf16;
  utf16 &= unsure;
  LB_ASSIGN(const RowSet found, matching(plan_.matcher.root(), plain));
  LB_ASSIGN(const RowSet decoded, matching_utf16(utf16));
  rows |= found;
  rows |= decoded;
  return rows;
}

bool BlockRows::has_utf16() const {
  const auto& contexts = reader_.meta().contexts;
  return std::any_of(contexts.begin(), contexts.end(), [](const SegmentContext& c) { return is_utf16(c.format); });
}

// Row by row: such files are rare, and their blocks were found by the filters of their texts.
Result<RowSet> BlockRows::matching_utf16(const RowSet& within) {
  RowSet found(reader_.rows());
  if (within.empty()) return found;
  LB_ASSIGN(const std::vector<std::uint64_t>* offsets, reader_.offsets());
  LB_TRY(visit(within, [&](std::uint32_t row, query::RecordView view) {
    query::show_as_text(view, (*offsets)[row], scratch_.text);
    if (plan_.matcher.matches(view, scratch_.matching)) found.add(row);
    return true;
  }));
  return found;
}

Result<RowSet> BlockRows::matching(const query::MatchNode& node, const RowSet& within) {
  if (within.empty() || node.kind == query::NodeKind::kAll) return within;
  if (node.field) return matching_field(node, within);
  if (node.text) {
    LB_ASSIGN(const RowSet found, reader_.find(leaf_of(node), filter_));
    return only(found, within);
  }
  if (node.kind == query::NodeKind::kNot) {
    RowSet rows = within;
    LB_ASSIGN(const RowSet found, matching(node.children.front(), within));
    rows -= found;
    return rows;
  }
  if (node.kind == query::NodeKind::kAnd) {
    RowSet rows = within;
    for (const query::MatchNode* child : cheapest_first(node.children)) {
      LB_ASSIGN(rows, matching(*child, rows));
    }
    return rows;
  }
  RowSet rows(within.size());
  RowSet left = within;
  for (const query::MatchNode* child : cheapest_first(node.children)) {
    LB_ASSIGN(const RowSet found, matching(*child, left));
    rows |= found;
    left -= found;
  }
  return rows;
}

Result<RowSet> BlockRows::matching_field(const query::MatchNode& node, const RowSet& within) {
  switch (node.field->origin()) {
    case query::FieldOrigin::kLevel:
      return matching_level(*node.field, within);
    case query::FieldOrigin::kParsed:
      return matching_parsed(*node.field, within);
    default:
      return matching_segments(*node.field, within);
  }
}

Result<RowSet> BlockRows::matching_level(const query::FieldMatcher& field, const RowSet& within) {
  RowSet rows(within.size());
  for (int i = 0; i < kLevels; ++i) {
    const auto level = static_cast<Level>(i);
    if (reader_.meta().level_counts[static_cast<std::size_t>(i)] == 0 || !field.matches_level(level)) continue;
    LB_ASSIGN(const RowSet of_level, reader_.rows_of_level(level));
    rows |= of_level;
  }
  rows &= within;
  return rows;
}

bool BlockRows::segment_matches(const query::FieldMatcher& field, const Segment& segment) const {
  const SourceNames* names = plan_.names_of(segment.source_ref);
  if (field.origin() == query::FieldOrigin::kRule) {
    return field.matches_text(reader_.meta().contexts[segment.context].rule);
  }
  if (names == nullptr) return false;
  switch (field.origin()) {
    case query::FieldOrigin::kHost:
      return field.matches_text(names->host);
    case query::FieldOrigin::kFile:
      return field.matches_path(names->path);
    case query::FieldOrigin::kTopic:
      return field.matches_text(names->channel);
    case query::FieldOrigin::kSource:
      return field.matches_text(names->source.to_hex());
    default:
      return false;
  }
}

RowSet BlockRows::matching_segments(const query::FieldMatcher& field, const RowSet& within) const {
  RowSet rows(within.size());
  for (const Segment& segment : reader_.meta().segments) {
    if (segment_matches(field, segment)) rows.add_range(segment.first_row, segment.first_row + segment.rows);
  }
  rows &= within;
  return rows;
}

// A constant of the rule decides for a whole segment, and so does a format without fields; the rest is JSON.
Result<RowSet> BlockRows::matching_parsed(const query::FieldMatcher& field, const RowSet& within) {
  RowSet found(within.size());
  RowSet json(within.size());
  for (const Segment& segment : reader_.meta().segments) {
    const SegmentContext& context = reader_.meta().contexts[segment.context];
    const std::uint32_t end = segment.first_row + segment.rows;
    if (const std::string* constant = query::constant_of(context.fields, field.name()); constant != nullptr) {
      if (field.matches_text(*constant)) found.add_range(segment.first_row, end);
    } else if (context.format == Format::kJson) {
      json.add_range(segment.first_row, end);
    }
  }
  found &= within;
  json &= within;
  RowSet unsure(within.size());
  LB_ASSIGN(const RowSet plain,
            reader_.each_form(json, [&](TextForm& form) { return match_form(field, form, json, found, unsure); }));
  unsure |= plain;
  LB_TRY(match_lines(field, unsure, found));
  return found;
}

// Adds the form's rows to those that match, or to those whose lines have to be parsed.
Status BlockRows::match_form(const query::FieldMatcher& field, const TextForm& form, const RowSet& within,
                             RowSet& found, RowSet& unsure) {
  LB_ASSIGN(const auto place, find_json_place(form, field.name(), scratch_.matching.fields));
  if (!place) {
    for (const std::uint32_t row : form.rows()) {
      if (within.contains(row)) unsure.add(row);
    }
    return ok_status();
  }
  if (place->absent) return ok_status();
  const auto test = [&](std::string_view json) { return value_matches(field, json); };
  return form.find(place->begin, place->end, test, within, found);
}

bool BlockRows::value_matches(const query::FieldMatcher& field, std::string_view json) {
  if (const auto value = parse::plain_value(json)) return field.matches(*value);
  scratch_.text.assign("{\"v\":").append(json).append("}");
  const auto value = scratch_.matching.fields.field(Format::kJson, scratch_.text, "v");
  return value.has_value() && field.matches(*value);
}

Status BlockRows::match_lines(const query::FieldMatcher& field, const RowSet& within, RowSet& found) {
  if (within.empty()) return ok_status();
  return reader_.decode(within, [&](std::uint32_t row, std::string_view text) {
    const auto value = scratch_.matching.fields.field(Format::kJson, text, field.name());
    if (value && field.matches(*value)) found.add(row);
    return true;
  });
}

Result<LeafCounts> BlockRows::count(const query::MatchNode& leaf) {
  const bool levels = plan_.request.histogram_step > 0;
  return reader_.count(leaf_of(leaf), filter_, levels ? BlockReader::CountLevels::kYes : BlockReader::CountLevels::kNo);
}

Status BlockRows::visit(const RowSet& rows, const Visitor& visit) {
  LB_ASSIGN(const std::vector<Level>* levels, reader_.levels());
  const auto& meta = reader_.meta();
  std::size_t at = 0;
  return reader_.decode(rows, [&](std::uint32_t row, std::string_view text) {
    while (at + 1 < meta.segments.size() && row >= meta.segments[at + 1].first_row) ++at;
    const Segment& segment = meta.segments[at];
    const SegmentContext& context = meta.contexts[segment.context];
    query::RecordView view;
    view.text = text;
    view.rule = context.rule;
    view.level = (*levels)[row];
    view.format = context.format;
    view.constants = &context.fields;
    show_names(view, plan_.names_of(segment.source_ref));
    return visit(row, view);
  });
}

Status BlockRows::tally(const RowSet& rows, Tally& tally) {
  LB_ASSIGN(const LeafCounts counts, reader_.counts(rows));
  tally.add_rows(counts.records, counts.lines);
  if (plan_.request.histogram_step > 0) {
    LB_TRY(reader_.histogram(rows, plan_.request.histogram_step, [&](TimeNs start, Level level, std::uint64_t records) {
      tally.add_bucket(start, level, records);
    }));
  }
  return plan_.request.values_of.empty() ? ok_status() : tally_values(rows, tally);
}

// What is the same for a whole segment or stands in the level column is counted without looking at texts.
Status BlockRows::tally_values(const RowSet& rows, Tally& tally) {
  std::vector<std::size_t> of_text;
  for (std::size_t i = 0; i < plan_.request.values_of.size(); ++i) {
    const query::FieldOrigin origin = query::origin_of(plan_.request.values_of[i]);
    if (origin == query::FieldOrigin::kParsed) {
      of_text.push_back(i);
    } else if (origin == query::FieldOrigin::kLevel) {
      LB_TRY(tally_levels(i, rows, tally));
    } else {
      tally_segments(i, rows, tally);
    }
  }
  if (of_text.empty()) return ok_status();
  return visit(rows, [&](std::uint32_t, const query::RecordView& record) {
    for (const std::size_t i : of_text) {
      const auto value = value_of(plan_.request.values_of[i], record, scratch_.matching);
      if (value) tally.add_value(i, *value);
    }
    return true;
  });
}

Status BlockRows::tally_levels(std::size_t field, const RowSet& rows, Tally& tally) {
  LB_ASSIGN(const LeafCounts counts, reader_.counts(rows));
  for (std::size_t level = 1; level < counts.levels.size(); ++level) {
    if (counts.levels[level] != 0) tally.add_value(field, level_name(static_cast<Level>(level)), counts.levels[level]);
  }
  return ok_status();
}

void BlockRows::tally_segments(std::size_t field, const RowSet& rows, Tally& tally) {
  for (const Segment& segment : reader_.meta().segments) {
    std::uint64_t count = 0;
    const std::uint32_t end = segment.first_row + segment.rows;
    for (std::uint32_t row = rows.next(segment.first_row); row < end; row = rows.next(row + 1)) ++count;
    if (count == 0) continue;
    query::RecordView view;
    view.rule = reader_.meta().contexts[segment.context].rule;
    show_names(view, plan_.names_of(segment.source_ref));
    const auto value = value_of(plan_.request.values_of[field], view, scratch_.matching);
    if (value) tally.add_value(field, *value, count);
  }
}

Result<std::vector<Row>> BlockRows::best_rows(const RowSet& rows, const RowsWanted& wanted) {
  LB_ASSIGN(const std::vector<std::uint32_t> ordered, BlockOrder(plan_, reader_).best(rows, wanted));
  return make_rows(ordered);
}

Result<std::vector<Row>> BlockRows::make_rows(const std::vector<std::uint32_t>& rows) {
  std::vector<Row> out(rows.size());
  if (rows.empty()) return out;
  std::unordered_map<std::uint32_t, std::size_t> place;
  RowSet wanted(reader_.rows());
  for (std::size_t i = 0; i < rows.size(); ++i) place[rows[i]] = i, wanted.add(rows[i]);
  LB_ASSIGN(const std::vector<TimeNs>* times, reader_.times());
  LB_ASSIGN(const std::vector<std::uint64_t>* offsets, reader_.offsets());
  LB_ASSIGN(const std::vector<std::uint32_t>* lines, reader_.line_counts());
  LB_ASSIGN(const std::vector<std::uint8_t>* flags, reader_.flags());
  LB_ASSIGN(const std::vector<TimeOrigin>* origins, reader_.time_origins());
  LB_TRY(visit(wanted, [&](std::uint32_t row, const query::RecordView& view) {
    Row& r = out[place[row]];
    const Segment& segment = reader_.segment_of(row);
    const SourceNames* names = plan_.names_of(segment.source_ref);
    if (names != nullptr) r.source = names->source, r.epoch = names->epoch;
    r.offset = (*offsets)[row];
    r.time = (*times)[row];
    r.time_origin = (*origins)[row];
    r.level = view.level;
    r.format = view.format;
    r.flags = (*flags)[row];
    r.lines = (*lines)[row];
    r.commit = reader_.commit_of(row) != 0 ? reader_.commit_of(row) : chunk_.first_commit;
    r.host = view.host;
    r.path = view.path;
    r.channel = view.channel;
    r.text = view.text;
    r.fields = *view.constants;
    return true;
  }));
  return out;
}

}  // namespace logboom::logstore::embedded
