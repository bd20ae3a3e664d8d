// The stream collector: one file read from its beginning to its end as the source of a given name, whatever file it is.
// For what comes on standard input: the name, not the file, is the identity, so reading the same stream again under the
// same name stores nothing twice (the store verifies and trims what it has).
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/memory_budget.h"
#include "io/file_system.h"
#include "source/collector.h"

namespace logboom::source {

struct StreamOptions {
  std::string path;  // of the file that holds the stream; ended, nobody writes to it
  std::string name;  // identity and shown path: "stdin:NAME"
  std::string channel = "logs";
  std::string agent_key;
  std::string host;
  std::uint64_t batch_bytes = 2u << 20;
  std::uint32_t max_line = 1u << 20;
};

// Emits the whole stream and returns when all of it is acknowledged; the first failed acknowledgement ends it with its
// error (run it again: what is durable stays). Memory: the byte budget, one batch at a time. The deps outlive it.
std::unique_ptr<Collector> make_stream_collector(StreamOptions options, FileSystem& files, const Clock& clock,
                                                 MemoryBudget& budget);

}  // namespace logboom::source
