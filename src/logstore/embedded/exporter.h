// Exporter: one stream's original bytes, in order; what has to stay out is listed.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "logstore/embedded/content.h"
#include "logstore/ledger_view.h"

namespace logboom::logstore::embedded {

class Exporter {
 public:
  Exporter(const StoreView& view, std::shared_ptr<const Snapshot> snapshot,
           const std::function<Status(std::string_view)>& sink)
      : content_(view, std::move(snapshot)), sink_(sink) {}
  // `epochs`: the stream last, before it those whose stored prefix it took over, oldest first. An error only from the
  // sink or the stop.
  Result<std::vector<ExportOmission>> run(const std::vector<std::shared_ptr<const Stream>>& epochs,
                                          std::stop_token stop);

 private:
  Status write_epoch(const Stream& stream, std::uint64_t end, std::stop_token stop);
  Status write_range(const Stream& stream, const HeldRange& held, std::stop_token stop);
  Status write_stored(const LedgerRange& range, const Extents& found, std::stop_token stop);
  Status write_extent(const Extent& extent, std::uint64_t end);
  Status write_zeros(std::uint64_t count);
  void omit(std::uint64_t begin, std::uint64_t end, std::string why);

  ContentReader content_;
  const std::function<Status(std::string_view)>& sink_;
  std::vector<ExportOmission> omissions_;
  std::uint64_t at_ = 0;  // everything before is written or omitted
  Status sink_error_;
};

}  // namespace logboom::logstore::embedded
