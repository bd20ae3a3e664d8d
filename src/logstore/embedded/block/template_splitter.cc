#include "logstore/embedded/block/template_splitter.h"

#include <algorithm>
#include <cstring>

#include "logstore/embedded/block/text_hash.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::size_t kOverrun = 32;  // copies of pieces write over their end

}  // namespace

void TemplateSplitter::split(std::string_view raw, const std::vector<TextRange>& rows) {
  scanner_.prepare(raw);
  candidates_.clear(), pieces_.clear(), text_.clear();
  row_pieces_.resize(VariableScanner::kMaxVariables + 2);
  first_variable_.resize(rows.size());
  candidate_of_.resize(rows.size());
  table_.assign(1024, 0);
  std::size_t used = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (variables_.size() < used + VariableScanner::kMaxVariables)
      variables_.resize(2 * used + VariableScanner::kMaxVariables);
    first_variable_[i] = static_cast<std::uint32_t>(used);
    Row row{rows[i], variables_.data() + used, 0, 0};
    row.count = scanner_.take(row.range.begin, row.range.end, variables_.data() + used);
    used += row.count;
    take_static(raw, row);
    candidate_of_[i] = find_or_add(row);
  }
  keep_best();
}

// Brings the static pieces of a row together, with their lengths.
void TemplateSplitter::take_static(std::string_view raw, Row& row) {
  const std::size_t most = row.range.end - row.range.begin + 2 * kOverrun;
  if (row_text_.size() < most) row_text_.resize(2 * most);
  char* out = row_text_.data();
  const char* from = raw.data() + row.range.begin;
  for (std::size_t i = 0; i <= row.count; ++i) {
    const char* end = raw.data() + (i < row.count ? row.variables[i].begin : row.range.end);
    const auto length = static_cast<std::size_t>(end - from);
    row_pieces_[i] = static_cast<std::uint32_t>(length);
    if (length <= kOverrun) {
      std::memcpy(out, from, kOverrun);
    } else {
      std::memcpy(out, from, length);
    }
    out += length;
    if (i < row.count) from = raw.data() + row.variables[i].end;
  }
  std::memset(out, 0, 8);
  row.text_size = static_cast<std::size_t>(out - row_text_.data());
}

std::uint32_t TemplateSplitter::find_or_add(const Row& row) {
  const std::size_t pieces = row.count + 1;
  row_pieces_[pieces] = 0;
  const std::uint64_t hash = hash_words(row_pieces_.data(), (pieces + 1) / 2,
                                        hash_words(row_text_.data(), (row.text_size + 7) / 8, kHashMultiplier));
  std::size_t at = hash & (table_.size() - 1);
  for (; table_[at] != 0; at = (at + 1) & (table_.size() - 1)) {
    Candidate& candidate = candidates_[table_[at] - 1];
    if (candidate.hash != hash || candidate.piece_count != pieces || candidate.text_size != row.text_size) continue;
    if (std::memcmp(text_.data() + candidate.text, row_text_.data(), row.text_size) == 0 &&
        std::memcmp(pieces_.data() + candidate.first_piece, row_pieces_.data(), pieces * sizeof(std::uint32_t)) == 0) {
      ++candidate.rows;
      return table_[at] - 1;
    }
  }
  if (candidates_.size() == kMaxCandidates) return kNone;
  add_candidate(hash, row);
  table_[at] = static_cast<std::uint32_t>(candidates_.size());
  if (candidates_.size() * 2 > table_.size()) grow_table();
  return static_cast<std::uint32_t>(candidates_.size() - 1);
}

void TemplateSplitter::add_candidate(std::uint64_t hash, const Row& row) {
  Candidate candidate;
  candidate.hash = hash;
  candidate.rows = 1;
  candidate.first_piece = static_cast<std::uint32_t>(pieces_.size());
  candidate.piece_count = static_cast<std::uint32_t>(row.count + 1);
  candidate.text = static_cast<std::uint32_t>(text_.size());
  candidate.text_size = static_cast<std::uint32_t>(row.text_size);
  pieces_.insert(pieces_.end(), row_pieces_.begin(), row_pieces_.begin() + candidate.piece_count);
  text_.append(row_text_.data(), row.text_size);
  candidates_.push_back(candidate);
}

void TemplateSplitter::grow_table() {
  table_.assign(table_.size() * 4, 0);
  for (std::size_t c = 0; c < candidates_.size(); ++c) {
    std::size_t at = candidates_[c].hash & (table_.size() - 1);
    while (table_[at] != 0) at = (at + 1) & (table_.size() - 1);
    table_[at] = static_cast<std::uint32_t>(c + 1);
  }
}

void TemplateSplitter::keep_best() {
  std::vector<std::uint32_t> kept;
  for (std::uint32_t c = 0; c < candidates_.size(); ++c) {
    if (candidates_[c].rows >= kLeastRows) kept.push_back(c);
  }
  if (kept.size() > kMaxTemplates) {
    std::nth_element(kept.begin(), kept.begin() + kMaxTemplates, kept.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return candidates_[a].rows > candidates_[b].rows; });
    kept.resize(kMaxTemplates);
    std::sort(kept.begin(), kept.end());
  }
  std::vector<std::uint16_t> id_of(candidates_.size(), 0);
  found_.resize(kept.size());
  for (std::size_t k = 0; k < kept.size(); ++k) {
    const Candidate& candidate = candidates_[kept[k]];
    id_of[kept[k]] = static_cast<std::uint16_t>(k + 1);
    found_[k].rows.clear();
    found_[k].rows.reserve(candidate.rows);
    found_[k].pieces.assign(pieces_.begin() + candidate.first_piece,
                            pieces_.begin() + candidate.first_piece + candidate.piece_count);
    found_[k].text = std::string_view(text_).substr(candidate.text, candidate.text_size);
  }
  plain_.clear();
  ids_.resize(candidate_of_.size());
  for (std::uint32_t row = 0; row < candidate_of_.size(); ++row) {
    ids_[row] = candidate_of_[row] == kNone ? 0 : id_of[candidate_of_[row]];
    (ids_[row] == 0 ? plain_ : found_[ids_[row] - 1].rows).push_back(row);
  }
}

}  // namespace logboom::logstore::embedded
