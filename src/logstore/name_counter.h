// NameCounter: which fields records have, from a sample. Not thread-safe. Bound: kMostNames names.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "logstore/log_searcher.h"
#include "logstore/query/matcher.h"

namespace logboom::logstore {

class NameCounter {
 public:
  static constexpr std::uint64_t kMostRecords = 10'000;
  static constexpr std::size_t kMostNames = 5'000;

  bool full() const { return records_ >= kMostRecords; }
  std::uint64_t records() const { return records_; }
  void add(const query::RecordView& record, query::Matcher::Scratch& scratch);
  // Most frequent first.
  std::vector<FieldInfo> names() const;

 private:
  void count(const std::string& name);
  std::uint64_t records_ = 0;
  std::map<std::string, std::uint64_t> counts_;
};

}  // namespace logboom::logstore
