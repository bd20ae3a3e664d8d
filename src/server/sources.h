// Sources as one list: what the ledger holds, joined with what the running collector sees.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/json.h"
#include "logstore/ledger_view.h"
#include "source/collector.h"

namespace logboom::server {

struct SourceView {
  std::optional<source::SourceStatus> running;
  std::optional<logstore::SourceInfo> stored;
  const std::string& path() const { return running ? running->path : stored->state.path; }
  std::uint64_t lag() const;
};

// Sorted by path. Of one (source, topic) the newest epoch.
std::vector<SourceView> join_sources(std::vector<source::SourceStatus> running,
                                     std::vector<logstore::SourceInfo> stored);
// The members of a SOURCE, without the braces.
void write_source(http::JsonWriter& out, const SourceView& view);

}  // namespace logboom::server
