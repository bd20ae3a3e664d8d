#include "logstore/name_counter.h"

#include <algorithm>

namespace logboom::logstore {

void NameCounter::add(const query::RecordView& record, query::Matcher::Scratch& scratch) {
  ++records_;
  for (const auto& [name, value] : *record.constants) count(name);
  for (const parse::Field& field : scratch.fields.fields(record.format, record.text)) count(field.name);
}

std::vector<FieldInfo> NameCounter::names() const {
  std::vector<FieldInfo> out;
  for (const auto& [name, records] : counts_) out.push_back({name, records});
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.records > b.records; });
  return out;
}

void NameCounter::count(const std::string& name) {
  const auto it = counts_.find(name);
  if (it != counts_.end()) {
    ++it->second;
  } else if (counts_.size() < kMostNames) {
    counts_.emplace(name, 1);
  }
}

}  // namespace logboom::logstore
