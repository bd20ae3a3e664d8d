#include "server/sources.h"

#include <algorithm>
#include <map>

namespace logboom::server {

std::uint64_t SourceView::lag() const {
  if (!running) return 0;
  return running->size > running->acknowledged ? running->size - running->acknowledged : 0;
}

std::vector<SourceView> join_sources(std::vector<source::SourceStatus> running,
                                     std::vector<logstore::SourceInfo> stored) {
  std::map<std::pair<SourceId, std::string>, SourceView> by_key;
  for (auto& info : stored) {
    auto& view = by_key[{info.source, info.channel}];
    if (!view.stored || view.stored->epoch < info.epoch) view.stored = std::move(info);
  }
  for (auto& status : running) by_key[{status.source, status.channel}].running = std::move(status);
  std::vector<SourceView> out;
  for (auto& [key, view] : by_key) out.push_back(std::move(view));
  std::ranges::stable_sort(out, {}, &SourceView::path);
  return out;
}

void write_source(http::JsonWriter& out, const SourceView& view) {
  const logstore::SourceInfo none;
  const auto& stored = view.stored ? *view.stored : none;
  const bool runs = view.running.has_value();
  out.field("source", (runs ? view.running->source : stored.source).to_hex());
  out.field("epoch", runs ? view.running->epoch : stored.epoch)
      .field("topic", runs ? view.running->channel : stored.channel);
  out.field("rule", runs ? view.running->rule : std::string())
      .bytes_field("file", view.path())
      .bytes_field("host", stored.state.host);
  out.field("state", runs ? source::file_state_name(view.running->state) : std::string_view("stored"));
  for (const auto& [name, value] :
       {std::pair{"size", runs ? view.running->size : 0}, std::pair{"read", runs ? view.running->read : 0}}) {
    out.key(name);
    runs ? out.number(value) : out.null();
  }
  out.field("acknowledged", runs ? view.running->acknowledged : stored.position).field("lag", view.lag());
  out.field("problem", runs ? view.running->problem : std::string()).field("records", stored.records);
  out.field("stored_bytes", stored.stored_bytes).field("position", stored.position);
  out.key("first_seen").time(stored.first_seen).key("last_seen").time(stored.last_seen);
  out.field("finished", stored.state.finished)
      .field("binary", stored.state.binary)
      .field("flagged", stored.state.flagged);
}

}  // namespace logboom::server
