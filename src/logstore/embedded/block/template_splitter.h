// TemplateSplitter: gives every row of a block its template and its variables. Templates that differ in a few words are
// merged, those words become variables (TemplateMerger); templates with too few rows are dissolved: their rows become
// plain text (template 0). Reusable. Memory: 8 bytes per variable, and the static text of the templates.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "logstore/embedded/block/template_merger.h"
#include "logstore/embedded/block/variable_scanner.h"

namespace logboom::logstore::embedded {

class TemplateSplitter {
 public:
  // A template with fewer rows costs more than it gives.
  static constexpr std::uint32_t kLeastRows = 4;
  static constexpr std::size_t kMaxTemplates = 1024;
  // Beyond so many candidates new ones are not looked at.
  static constexpr std::size_t kMaxCandidates = 16384;

  // `raw` has 64 readable bytes behind its end; `rows` are the texts. Templates of rows of different kinds (by their
  // first rows) are not merged.
  void split(std::string_view raw, const std::vector<TextRange>& rows, const std::vector<std::uint8_t>& kinds);

  struct Found {
    std::vector<std::uint32_t> rows;    // ascending
    std::vector<std::uint32_t> pieces;  // lengths of the static pieces
    std::string_view text;              // the static pieces, one after the other
  };
  // Templates kept; the template of row ids is one more, 0 is plain text.
  const std::vector<Found>& templates() const { return found_; }
  const std::vector<std::uint32_t>& plain_rows() const { return plain_; }
  const std::vector<std::uint16_t>& ids() const { return ids_; }
  // The variables of a row with a template; `scratch` has room for kMaxVariables and may hold them.
  const TextRange* variables(std::uint32_t row, TextRange* scratch) const {
    const TextRange* found = variables_.data() + first_variable_[row];
    const Candidate& candidate = candidates_[candidate_of_[row]];
    return candidate.plan == kNone ? found : with_words(row, candidate, found, scratch);
  }
  // What variables() reads first, to be brought near.
  const void* near(std::uint32_t row) const { return variables_.data() + first_variable_[row]; }
  const VariableScanner& scanner() const { return scanner_; }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Candidate {
    std::uint64_t hash = 0;
    std::uint32_t rows = 0;
    std::uint32_t first_word = 0;  // of its static text in words_
    std::uint32_t word_count = 0;
    std::uint32_t first_piece = 0;  // in pieces_
    std::uint32_t piece_count = 0;
    std::uint32_t text = 0;  // in text_
    std::uint32_t text_size = 0;
    std::uint32_t plan = kNone;  // in plans_, of a merged template
    std::uint32_t plan_size = 0;
    std::uint32_t joined = kNone;  // merged template
    std::uint8_t kind = 0;
  };
  // Where a column of a merged template finds its values: a variable of the row, or a word of its static text.
  struct Place {
    bool word = false;
    std::uint32_t at = 0;      // number of the variable; of the piece
    std::uint32_t offset = 0;  // in the piece
    std::uint32_t length = 0;
  };
  // A template to be kept or dissolved.
  struct Choice {
    std::uint32_t rows = 0;
    std::uint32_t candidate = 0;  // the first
    bool merged = false;
  };
  // A row being looked up.
  struct Row {
    TextRange range;
    const TextRange* variables = nullptr;
    std::size_t count = 0;
    std::size_t text_size = 0;  // of its static text in row_text_
    std::uint8_t kind = 0;
  };

  void take_static(std::string_view raw, Row& row);
  std::uint32_t find_or_add(const Row& row);
  void add_candidate(std::uint64_t hash, const Row& row);
  void grow_table();
  void merge();
  void plan_candidate(std::uint32_t candidate, const TemplateMerger::Merged& merged);
  const TextRange* with_words(std::uint32_t row, const Candidate& candidate, const TextRange* found,
                              TextRange* out) const;
  void describe(const Choice& choice, Found& found);
  void keep_best();

  VariableScanner scanner_;
  std::vector<TextRange> variables_;  // longer than what is used
  std::vector<char> row_text_;        // static text of the row being looked up
  std::vector<std::uint32_t> row_pieces_;
  const TextRange* rows_ = nullptr;  // of split()
  std::vector<std::uint32_t> first_variable_;
  std::vector<std::uint32_t> candidate_of_;
  std::vector<Candidate> candidates_;
  std::vector<std::uint32_t> pieces_;
  std::string text_;
  std::vector<std::uint32_t> table_;  // candidate plus one; 0 is free
  TemplateMerger merger_;
  std::vector<TemplateMerger::Item> items_;
  std::vector<Place> plans_;
  std::vector<Choice> choices_;
  std::string merged_text_;  // static text of merged templates
  std::vector<Found> found_;
  std::vector<std::uint32_t> plain_;
  std::vector<std::uint16_t> ids_;
};

}  // namespace logboom::logstore::embedded
