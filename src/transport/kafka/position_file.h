// PositionFile: what of each source this host has delivered to Kafka, as the agent's own note: a topic cannot be asked.
// A hint: what it does not know of yet is delivered again, and the ledger behind Kafka leaves the repeat out.
// Thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "io/file_system.h"
#include "record/position.h"

namespace logboom::transport::kafka {

class PositionFile {
 public:
  // Reads the file, where there is one. A damaged file is put aside under the name `.damaged`, said in the log, and
  // reading begins anew.
  static Result<std::unique_ptr<PositionFile>> open(FileSystem& files, std::string path);

  std::vector<KnownSource> known() const;
  // There was no file, or none that could be read: what was delivered has to be had from elsewhere, then adopt().
  bool is_new() const;
  void adopt(std::vector<KnownSource> known);
  // What changed since it was taken last, whole sources; whether anything did.
  bool has_changed() const;
  std::vector<KnownSource> take_changed();
  // Before a batch is sent for the first time: its marks, and where a file with start=end begins. To be saved before it
  // goes, so that an agent that dies before the delivery is known reads on with the chain of marks that the store has
  // got, and from where it was decided. Whether there is something to save.
  bool sending(const Batch& batch);
  void delivered(const Batch& batch);
  // Writes the file, replacing it whole, when something changed; at most once a second, and less often the longer it
  // takes.
  void save_when_due();
  Status save();

 private:
  PositionFile(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

  FileSystem& files_;
  const std::string path_;
  mutable Mutex mutex_;
  bool new_ LB_GUARDED_BY(mutex_) = true;
  std::map<std::pair<SourceId, std::string>, KnownSource> known_ LB_GUARDED_BY(mutex_);  // by source and channel
  std::set<SourceId> unnoted_ LB_GUARDED_BY(mutex_);                                     // for take_changed()
  bool changed_ LB_GUARDED_BY(mutex_) = false;
  std::chrono::steady_clock::time_point due_ LB_GUARDED_BY(mutex_){};
};

}  // namespace logboom::transport::kafka
