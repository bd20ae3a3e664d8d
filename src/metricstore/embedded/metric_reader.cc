#include "metricstore/embedded/metric_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "metricstore/embedded/recent_row.h"
#include "metricstore/embedded/slots.h"
#include "metricstore/line_builder.h"

namespace logboom::metricstore::embedded {
namespace {

bool for_any_kind(Pick pick) {
  return pick == Pick::kLast || pick == Pick::kCount;
}

// The fields whose samples can be picked so: all of those that were named must.
Result<std::vector<Field>> pickable(std::vector<Field> fields, const MetricQuery& query) {
  const auto is_number = [](const Field& field) {
    return field.kind == FieldKind::kDouble || field.kind == FieldKind::kInteger;
  };
  if (for_any_kind(query.pick) && (query.across == Across::kNone || query.pick == Pick::kCount)) return fields;
  const auto odd = std::find_if_not(fields.begin(), fields.end(), is_number);
  if (odd != fields.end() && !query.fields.empty()) {
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("field \"{}\" is {}: ask for last or count of it", odd->name, kind_name(odd->kind)));
  }
  std::erase_if(fields, [&](const Field& field) { return !is_number(field); });
  return fields;
}

// One query at work.
class Run {
 public:
  Run(MetricFile& file, const Directory& directory, const MetricQuery& query, const MetricRetention& retention,
      TimeNs now, MetricVisitor& visitor, std::stop_token stop)
      : file_(file),
        directory_(directory),
        query_(query),
        retention_(retention),
        now_(now),
        visitor_(visitor),
        stop_(std::move(stop)),
        tier_(counts_up(query.pick) ? Tier::kRaw : tier_for_step(query.step.count())),
        begin_(begin_of(query)),
        groups_(query.across, query.by) {}

  Result<MetricAnswer> run() {
    LB_ASSIGN(fields_, pickable(directory_.fields(query_.measurement, query_.fields), query_));
    for (const Field& field : fields_) field_ids_.push_back(field.id);
    const std::vector<MatchedSeries> series = directory_.match(query_.measurement, query_.tags);
    answer_.series = series.size();
    for (auto first = series.begin(); first != series.end() && !fields_.empty();) {
      const auto last = std::find_if(first, series.end(), [&](const auto& s) { return s.host != first->host; });
      LB_TRY(read_host({first, last}));
      if (cancelled_) return answer_;
      first = last;
    }
    LB_TRY(emit_groups());
    return answer_;
  }

 private:
  using Fresh = std::map<SeriesId, std::map<std::uint32_t, RowCollector>>;

  // The rows are noted before the snapshot is made: a row that has gone since is in a chunk of that snapshot.
  Status read_host(const std::vector<MatchedSeries>& series) {
    const std::vector<RecentRow> rows = directory_.recent(series.front().host);
    LB_ASSIGN(MetricFile::Snapshot snapshot, file_.snapshot());
    LB_ASSIGN(Fresh fresh, read_recent(snapshot, rows, series));
    for (const MatchedSeries& one : series) {
      if (stop_.stop_requested()) return Error(ErrorCode::kCancelled, "the query was cancelled");
      LB_TRY(read_series(snapshot, one, fresh[one.id]));
      if (cancelled_) break;
    }
    return ok_status();
  }

  Result<Fresh> read_recent(MetricFile::Snapshot& snapshot, const std::vector<RecentRow>& rows,
                            const std::vector<MatchedSeries>& series) {
    std::set<SeriesId> wanted;
    for (const MatchedSeries& one : series) wanted.insert(one.id);
    Fresh fresh;
    for (const RecentRow& row : rows) {
      // All of an hour, as it is merged with the chunk of that hour.
      if (row.max < floor_to(begin_, kHourNs) || row.min >= query_.to) continue;
      auto bytes = snapshot.recent(row.id);
      if (!bytes.ok() && bytes.error().code() != ErrorCode::kCorrupt) return bytes.error();
      if (bytes.ok() && !*bytes) continue;
      auto samples = bytes.ok() ? decode_recent(**bytes) : bytes.error();
      if (!samples.ok()) {
        ++answer_.damaged_chunks;
        continue;
      }
      for (KnownSample& sample : *samples) {
        if (wanted.count(sample.series) == 0) continue;
        std::erase_if(sample.values, [&](const auto& value) {
          return std::find(field_ids_.begin(), field_ids_.end(), value.first) == field_ids_.end();
        });
        if (sample.values.empty()) continue;
        fresh[sample.series][static_cast<std::uint32_t>(sample.time / kHourNs)].add(sample.time, sample.values);
      }
    }
    return fresh;
  }

  Status read_series(MetricFile::Snapshot& snapshot, const MatchedSeries& series,
                     std::map<std::uint32_t, RowCollector>& fresh) {
    std::set<std::uint32_t> hours;
    for (const auto& [hour, rows] : fresh) hours.insert(hour);
    const TimeNs from = std::max(begin_, floor_to(series.first, kHourNs));
    const TimeNs to = std::min(query_.to, series.last + 1);
    std::vector<LineBuilder> lines(fields_.size(), LineBuilder(query_.pick, query_.step.count(), query_.from));
    for (const Piece& piece : plan_pieces(from, to, tier_, hours, retention_, now_)) {
      if (stop_.stop_requested()) return Error(ErrorCode::kCancelled, "the query was cancelled");
      LB_ASSIGN(Chunk chunk, read_chunk(snapshot, {piece.tier, piece.slot, series.id}));
      if (piece.tier == Tier::kRaw && hours.count(piece.slot) != 0)
        chunk = merge_chunks(chunk, fresh.at(piece.slot).finish());
      if (!chunk.times.empty())
        answer_.resolution = std::max(answer_.resolution, std::chrono::nanoseconds(tier_width(piece.tier)));
      for (std::size_t i = 0; i < fields_.size(); ++i) add_points(chunk, piece, fields_[i], lines[i]);
      LB_TRY(check_points(lines));
    }
    return deliver(series, lines);
  }

  // Empty where there is none.
  Result<Chunk> read_chunk(MetricFile::Snapshot& snapshot, const ChunkKey& key) {
    LB_ASSIGN(const std::optional<std::string> row, snapshot.chunk(key));
    if (!row) return Chunk{};
    Result<Chunk> chunk = codec_.decode(key, *row, &field_ids_);
    if (chunk.ok() || chunk.error().code() != ErrorCode::kCorrupt) return chunk;
    ++answer_.damaged_chunks;
    return Chunk{};
  }

  static void add_points(const Chunk& chunk, const Piece& piece, const Field& field, LineBuilder& line) {
    const auto inside = [&](TimeNs time) { return time >= piece.from && time < piece.to; };
    if (field.kind == FieldKind::kText) {
      for (const TextPoint& point : read_texts(chunk, piece.tier, field.id)) {
        if (inside(point.time)) line.add(point);
      }
      return;
    }
    for (const Aggregate& sample : read_aggregates(chunk, piece.tier, field.id)) {
      if (inside(sample.time)) line.add(sample);
    }
  }

  Status too_many() const {
    return Error(
        ErrorCode::kInvalidArgument,
        fmt::format("more than {} points: ask for a longer step, a shorter range or fewer series", query_.max_points));
  }

  Status check_points(const std::vector<LineBuilder>& lines) const {
    std::uint64_t points = answer_.points;
    for (const LineBuilder& line : lines) points += line.points();
    points += groups_.points();
    return points > query_.max_points ? too_many() : ok_status();
  }

  Status deliver(const MatchedSeries& series, std::vector<LineBuilder>& lines) {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      MetricLine line;
      lines[i].finish(line);
      if (line.times.empty()) continue;
      line.field = fields_[i].name;
      line.host = series.host_name;
      line.tags = series.tags;
      if (query_.across != Across::kNone) {
        groups_.add(line);
        continue;
      }
      LB_TRY(give(std::move(line)));
      if (cancelled_) break;
    }
    return ok_status();
  }

  Status give(MetricLine line) {
    answer_.points += line.times.size();
    if (answer_.points > query_.max_points) return too_many();
    cancelled_ = !visitor_.on_line(std::move(line));
    return ok_status();
  }

  Status emit_groups() {
    for (MetricLine& line : groups_.finish()) {
      LB_TRY(give(std::move(line)));
      if (cancelled_) break;
    }
    return ok_status();
  }

  MetricFile& file_;
  const Directory& directory_;
  const MetricQuery& query_;
  const MetricRetention& retention_;
  const TimeNs now_;
  MetricVisitor& visitor_;
  const std::stop_token stop_;
  const Tier tier_;
  const TimeNs begin_;
  std::vector<Field> fields_;
  std::vector<FieldId> field_ids_;
  ChunkCodec codec_;
  LineGroups groups_;
  bool cancelled_ = false;
  MetricAnswer answer_;
};

}  // namespace

Result<MetricAnswer> MetricReader::query(const MetricQuery& query, MetricVisitor& visitor, std::stop_token stop) const {
  LB_TRY(check_query(query));
  const MetricRetention retention = retention_();
  Run run(file_, directory_, query, retention, clock_.now(), visitor, std::move(stop));
  Result<MetricAnswer> answer = run.run();
  if (answer.ok()) damaged_ += answer->damaged_chunks;
  return answer;
}

}  // namespace logboom::metricstore::embedded
