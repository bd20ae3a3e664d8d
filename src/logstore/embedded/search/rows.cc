#include "logstore/embedded/search/rows.h"

namespace logboom::logstore::embedded {

query::RecordView view_of(const Batch& batch, const Record& record, const SourceNames* names) {
  query::RecordView view;
  view.text = batch.text(record);
  view.host = names != nullptr ? std::string_view(names->host) : std::string_view(batch.state.host);
  view.path = names != nullptr ? std::string_view(names->path) : std::string_view(batch.state.path);
  view.channel = batch.channel;
  view.rule = batch.rule;
  view.source = batch.source;
  view.level = record.level;
  view.format = batch.format;
  view.constants = &batch.fields;
  return view;
}

RowKey key_of_record(const Batch& batch, const Record& record) {
  return {record.time, batch.source, batch.epoch, batch.offset(record), channel_key(batch.channel)};
}

Row row_of(const Batch& batch, const Record& record, const SourceNames* names, std::uint64_t commit) {
  Row row;
  row.source = batch.source;
  row.epoch = batch.epoch;
  row.offset = batch.offset(record);
  row.time = record.time;
  row.time_origin = record.time_origin;
  row.level = record.level;
  row.format = batch.format;
  row.flags = record.flags;
  row.lines = record.lines;
  row.commit = commit;
  row.host = names != nullptr ? names->host : batch.state.host;
  row.path = names != nullptr ? names->path : batch.state.path;
  row.channel = batch.channel;
  row.text = batch.text(record);
  row.fields = batch.fields;
  return row;
}

}  // namespace logboom::logstore::embedded
