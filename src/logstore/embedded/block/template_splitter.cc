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
  candidates_.clear(), pieces_.clear(), text_.clear(), words_.clear();
  first_variable_.resize(rows.size());
  candidate_of_.resize(rows.size());
  table_.assign(1024, 0);
  std::size_t used = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (variables_.size() < used + VariableScanner::kMaxVariables)
      variables_.resize(2 * used + VariableScanner::kMaxVariables);
    first_variable_[i] = static_cast<std::uint32_t>(used);
    Row row{rows[i], variables_.data() + used, 0, 0};
    row.count = scanner_.scan(row.range.begin, row.range.end, variables_.data() + used);
    used += row.count;
    take_words(raw, row);
    candidate_of_[i] = find_or_add(raw, row);
  }
  keep_best();
}

// Writes the static text as words: of each piece its length and its bytes, padded with zeros. Equal words, equal text.
void TemplateSplitter::take_words(std::string_view raw, Row& row) {
  const std::size_t most = (row.range.end - row.range.begin) / 8 + 2 * (row.count + 1);
  if (row_words_.size() < most) row_words_.resize(most);
  std::uint64_t* out = row_words_.data();
  const char* at = raw.data() + row.range.begin;
  for (std::size_t i = 0; i <= row.count; ++i) {
    const char* end = raw.data() + (i < row.count ? row.variables[i].begin : row.range.end);
    auto left = static_cast<std::size_t>(end - at);
    *out++ = left;
    for (; left >= 8; left -= 8, at += 8) *out++ = load64(at);
    *out = left == 0 ? 0 : load64(at) << (64 - 8 * left);
    out += left == 0 ? 0 : 1;
    if (i < row.count) at = raw.data() + row.variables[i].end;
  }
  row.words = static_cast<std::size_t>(out - row_words_.data());
}

std::uint32_t TemplateSplitter::find_or_add(std::string_view raw, const Row& row) {
  const std::uint64_t hash = hash_words(row_words_.data(), row.words);
  std::size_t at = hash & (table_.size() - 1);
  for (; table_[at] != 0; at = (at + 1) & (table_.size() - 1)) {
    Candidate& candidate = candidates_[table_[at] - 1];
    if (candidate.hash == hash && candidate.word_count == row.words &&
        std::memcmp(words_.data() + candidate.first_word, row_words_.data(), row.words * 8) == 0) {
      ++candidate.rows;
      return table_[at] - 1;
    }
  }
  if (candidates_.size() == kMaxCandidates) return kNone;
  add_candidate(hash, raw, row);
  table_[at] = static_cast<std::uint32_t>(candidates_.size());
  if (candidates_.size() * 2 > table_.size()) grow_table();
  return static_cast<std::uint32_t>(candidates_.size() - 1);
}

void TemplateSplitter::add_candidate(std::uint64_t hash, std::string_view raw, const Row& row) {
  Candidate candidate;
  candidate.hash = hash;
  candidate.rows = 1;
  candidate.first_word = static_cast<std::uint32_t>(words_.size());
  candidate.word_count = static_cast<std::uint32_t>(row.words);
  words_.insert(words_.end(), row_words_.begin(), row_words_.begin() + static_cast<std::ptrdiff_t>(row.words));
  candidate.first_piece = static_cast<std::uint32_t>(pieces_.size());
  candidate.piece_count = static_cast<std::uint32_t>(row.count + 1);
  candidate.text = static_cast<std::uint32_t>(text_.size());
  for_each_piece(raw, row.range, row.variables, row.count, [&](std::string_view piece) {
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
