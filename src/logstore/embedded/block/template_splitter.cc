#include "logstore/embedded/block/template_splitter.h"

#include <algorithm>
#include <cstring>

#include "logstore/embedded/block/text_hash.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::size_t kOverrun = 32;  // copies of pieces write over their end

}  // namespace

void TemplateSplitter::split(std::string_view raw, const std::vector<TextRange>& rows,
                             const std::vector<std::uint8_t>& kinds) {
  scanner_.prepare(raw);
  rows_ = rows.data();
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
    Row row{rows[i], variables_.data() + used, 0, 0, kinds[i]};
    row.count = scanner_.take(row.range.begin, row.range.end, variables_.data() + used);
    used += row.count;
    take_static(raw, row);
    candidate_of_[i] = find_or_add(row);
  }
  merge();
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
  candidate.kind = row.kind;
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

void TemplateSplitter::merge() {
  items_.clear(), plans_.clear(), choices_.clear();
  for (const Candidate& candidate : candidates_)
    items_.push_back({candidate.text, candidate.text_size, pieces_.data() + candidate.first_piece,
                      candidate.piece_count, candidate.rows, candidate.kind});
  text_.append(64, '\0');
  const std::vector<TemplateMerger::Merged>& merged =
      merger_.merge(std::string_view(text_).substr(0, text_.size() - 64), items_);
  for (const TemplateMerger::Merged& together : merged) {
    std::uint32_t rows = 0;
    for (const std::uint32_t candidate : together.items) {
      candidates_[candidate].joined = static_cast<std::uint32_t>(choices_.size());
      plan_candidate(candidate, together);
      rows += candidates_[candidate].rows;
    }
    choices_.push_back({rows, together.items.front(), true});
  }
  for (std::uint32_t c = 0; c < candidates_.size(); ++c) {
    if (candidates_[c].joined != kNone) continue;
    candidates_[c].joined = static_cast<std::uint32_t>(choices_.size());
    choices_.push_back({candidates_[c].rows, c, false});
  }
}

// The columns of a candidate whose cut words have become variables.
void TemplateSplitter::plan_candidate(std::uint32_t candidate, const TemplateMerger::Merged& merged) {
  Candidate& of = candidates_[candidate];
  const TemplateMerger::Word* words = merger_.words(candidate);
  of.plan = static_cast<std::uint32_t>(plans_.size());
  std::size_t cut = 0;
  for (std::uint32_t piece = 0; piece < of.piece_count; ++piece) {
    for (; cut < merged.cut.size() && words[merged.cut[cut]].piece == piece; ++cut) {
      const TemplateMerger::Word& word = words[merged.cut[cut]];
      plans_.push_back({true, piece, word.offset, word.length});
    }
    if (piece + 1 < of.piece_count) plans_.push_back({false, piece, 0, 0});
  }
  of.plan_size = static_cast<std::uint32_t>(plans_.size()) - of.plan;
}

const TextRange* TemplateSplitter::with_words(std::uint32_t row, const Candidate& candidate, const TextRange* found,
                                              TextRange* out) const {
  for (std::uint32_t i = 0; i < candidate.plan_size; ++i) {
    const Place& place = plans_[candidate.plan + i];
    if (place.word) {
      const std::uint32_t piece = place.at == 0 ? rows_[row].begin : found[place.at - 1].end;
      out[i] = {piece + place.offset, piece + place.offset + place.length};
    } else {
      out[i] = found[place.at];
    }
  }
  return out;
}

// The static text of a template and its pieces.
void TemplateSplitter::describe(const Choice& choice, Found& found) {
  const Candidate& candidate = candidates_[choice.candidate];
  const std::uint32_t* pieces = pieces_.data() + candidate.first_piece;
  found.rows.clear();
  found.rows.reserve(choice.rows);
  if (!choice.merged) {
    found.pieces.assign(pieces, pieces + candidate.piece_count);
    found.text = std::string_view(text_).substr(candidate.text, candidate.text_size);
    return;
  }
  const std::size_t before = merged_text_.size();
  std::uint32_t piece_begin = candidate.text;
  std::uint32_t at = candidate.text;
  found.pieces.clear();
  const auto cut = [&](std::uint32_t end) {
    merged_text_.append(text_, at, end - at);
    found.pieces.push_back(end - at);
  };
  for (std::uint32_t i = 0; i < candidate.plan_size; ++i) {
    const Place& place = plans_[candidate.plan + i];
    if (place.word) {
      cut(piece_begin + place.offset);
      at = piece_begin + place.offset + place.length;
    } else {
      piece_begin += pieces[place.at];
      cut(piece_begin);
      at = piece_begin;
    }
  }
  cut(candidate.text + candidate.text_size);
  found.text = std::string_view(merged_text_).substr(before);
}

void TemplateSplitter::keep_best() {
  std::vector<std::uint32_t> kept;
  for (std::uint32_t c = 0; c < choices_.size(); ++c) {
    if (choices_[c].rows >= kLeastRows) kept.push_back(c);
  }
  if (kept.size() > kMaxTemplates) {
    std::nth_element(kept.begin(), kept.begin() + kMaxTemplates, kept.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return choices_[a].rows > choices_[b].rows; });
    kept.resize(kMaxTemplates);
    std::sort(kept.begin(), kept.end());
  }
  std::vector<std::uint16_t> id_of(choices_.size(), 0);
  found_.resize(kept.size());
  merged_text_.clear();
  merged_text_.reserve(text_.size());  // so that its views stay
  for (std::size_t k = 0; k < kept.size(); ++k) {
    id_of[kept[k]] = static_cast<std::uint16_t>(k + 1);
    describe(choices_[kept[k]], found_[k]);
  }
  plain_.clear();
  ids_.resize(candidate_of_.size());
  for (std::uint32_t row = 0; row < candidate_of_.size(); ++row) {
    ids_[row] = candidate_of_[row] == kNone ? 0 : id_of[candidates_[candidate_of_[row]].joined];
    (ids_[row] == 0 ? plain_ : found_[ids_[row] - 1].rows).push_back(row);
  }
}

}  // namespace logboom::logstore::embedded
