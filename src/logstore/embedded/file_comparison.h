// FileComparison: what is stored of one stream against the bytes its file has now. Memory: one piece, at most 1 MiB.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "logstore/ledger_view.h"
#include "logstore/mark_check.h"
#include "record/interval_set.h"

namespace logboom::logstore::embedded {

class FileComparison {
 public:
  explicit FileComparison(ReadBytes read) : read_(std::move(read)) {}

  // Stored bytes at `offset` of the stream. An error is the file's.
  Status compare(std::uint64_t offset, std::string_view stored);
  // A range whose bytes have expired: the file's bytes have to fit the marks inside it.
  Status compare_expired(std::uint64_t begin, std::uint64_t end, const std::vector<PrefixMark>& marks);

  std::uint64_t compared() const { return compared_; }
  // Ascending; where the file has other bytes, or none.
  std::vector<Interval> differing() const { return differing_.intervals(); }

 private:
  ReadBytes read_;
  std::string buffer_;
  std::uint64_t compared_ = 0;
  Coverage differing_;
};

}  // namespace logboom::logstore::embedded
