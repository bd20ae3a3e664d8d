#include "logstore/embedded/block/template_splitter.h"

#include <algorithm>
#include <cstring>

#include "logstore/embedded/block/text_hash.h"

namespace logboom::logstore::embedded {
namespace {

// Calls f(piece) for the static text before, between and behind the variables.
template <typename F>
void for_each_piece(std::string_view raw, TextRange row, const TextRange* variables, std::size_t count, F f) {
  std::uint32_t at = row.begin;
  for (std::size_t i = 0; i < count; ++i) {
    f(raw.substr(at, variables[i].begin - at));
    at = variables[i].end;
  }
  f(raw.substr(at, row.end - at));
}

}  // namespace

void TemplateSplitter::split(std::string_view raw, const std::vector<TextRange>& rows) {
  scanner_.prepare(raw);
  variables_.clear(), candidates_.clear(), pieces_.clear(), text_.clear();
  first_variable_.resize(rows.size());
  candidate_of_.resize(rows.size());
  table_.assign(1024, 0);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::size_t first = variables_.size();
    first_variable_[row] = static_cast<std::uint32_t>(first);
    scanner_.scan(rows[row].begin, rows[row].end, variables_);
    candidate_of_[row] = find_or_add(raw, rows[row], variables_.data() + first, variables_.size() - first);
  }
  keep_best();
}

std::uint64_t TemplateSplitter::hash_static(std::string_view raw, TextRange row, const TextRange* variables,
                                            std::size_t count) const {
  std::uint64_t hash = kHashMultiplier;
  for_each_piece(raw, row, variables, count, [&](std::string_view piece) { hash = text_hash(piece, hash); });
  return hash;
}

bool TemplateSplitter::same_static(const Candidate& candidate, std::string_view raw, TextRange row,
                                   const TextRange* variables, std::size_t count) const {
  if (candidate.piece_count != count + 1) return false;
  const std::uint32_t* length = pieces_.data() + candidate.first_piece;
  const char* text = text_.data() + candidate.text;
  bool same = true;
  for_each_piece(raw, row, variables, count, [&](std::string_view piece) {
    same = same && piece.size() == *length && std::memcmp(piece.data(), text, piece.size()) == 0;
    text += *length++;
  });
  return same;
}

std::uint32_t TemplateSplitter::find_or_add(std::string_view raw, TextRange row, const TextRange* variables,
                                            std::size_t count) {
  const std::uint64_t hash = hash_static(raw, row, variables, count);
  std::size_t at = hash & (table_.size() - 1);
  for (; table_[at] != 0; at = (at + 1) & (table_.size() - 1)) {
    Candidate& candidate = candidates_[table_[at] - 1];
    if (candidate.hash == hash && same_static(candidate, raw, row, variables, count)) {
      ++candidate.rows;
      return table_[at] - 1;
    }
  }
  if (candidates_.size() == kMaxCandidates) return kNone;
  add_candidate(hash, raw, row, variables, count);
  table_[at] = static_cast<std::uint32_t>(candidates_.size());
  if (candidates_.size() * 2 > table_.size()) grow_table();
  return static_cast<std::uint32_t>(candidates_.size() - 1);
}

void TemplateSplitter::add_candidate(std::uint64_t hash, std::string_view raw, TextRange row,
                                     const TextRange* variables, std::size_t count) {
  Candidate candidate;
  candidate.hash = hash;
  candidate.rows = 1;
  candidate.first_piece = static_cast<std::uint32_t>(pieces_.size());
  candidate.piece_count = static_cast<std::uint32_t>(count + 1);
  candidate.text = static_cast<std::uint32_t>(text_.size());
  for_each_piece(raw, row, variables, count, [&](std::string_view piece) {
    pieces_.push_back(static_cast<std::uint32_t>(piece.size()));
    text_.append(piece);
  });
  candidate.text_size = static_cast<std::uint32_t>(text_.size()) - candidate.text;
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
