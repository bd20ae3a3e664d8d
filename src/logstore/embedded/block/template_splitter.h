// TemplateSplitter: gives every row of a block its template and its variables. Templates with too few rows are
// dissolved: their rows become plain text (template 0). Reusable. Memory: 8 bytes per variable, and the static text of
// the templates.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "logstore/embedded/block/variable_scanner.h"

namespace logboom::logstore::embedded {

class TemplateSplitter {
 public:
  // A template with fewer rows costs more than it gives.
  static constexpr std::uint32_t kLeastRows = 4;
  static constexpr std::size_t kMaxTemplates = 1024;
  // Beyond so many candidates new ones are not looked at.
  static constexpr std::size_t kMaxCandidates = 16384;

  // `raw` has 64 readable bytes behind its end; `rows` are the texts.
  void split(std::string_view raw, const std::vector<TextRange>& rows);

  struct Found {
    std::vector<std::uint32_t> rows;    // ascending
    std::vector<std::uint32_t> pieces;  // lengths of the static pieces
    std::string_view text;              // the static pieces, one after the other
  };
  // Templates kept; the template of row ids is one more, 0 is plain text.
  const std::vector<Found>& templates() const { return found_; }
  const std::vector<std::uint32_t>& plain_rows() const { return plain_; }
  const std::vector<std::uint16_t>& ids() const { return ids_; }
  // The variables of a row with a template.
  const TextRange* variables(std::uint32_t row) const { return variables_.data() + first_variable_[row]; }
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
  };
  // A row being looked up.
  struct Row {
    TextRange range;
    const TextRange* variables = nullptr;
    std::size_t count = 0;
    std::size_t text_size = 0;  // of its static text in row_text_
  };

  void take_static(std::string_view raw, Row& row);
  std::uint32_t find_or_add(const Row& row);
  void add_candidate(std::uint64_t hash, const Row& row);
  void grow_table();
  void keep_best();

  VariableScanner scanner_;
  std::vector<TextRange> variables_;  // longer than what is used
  std::vector<char> row_text_;        // static text of the row being looked up
  std::vector<std::uint32_t> row_pieces_;
  std::vector<std::uint32_t> first_variable_;
  std::vector<std::uint32_t> candidate_of_;
  std::vector<Candidate> candidates_;
  std::vector<std::uint32_t> pieces_;
  std::string text_;
  std::vector<std::uint32_t> table_;  // candidate plus one; 0 is free
  std::vector<Found> found_;
  std::vector<std::uint32_t> plain_;
  std::vector<std::uint16_t> ids_;
};

}  // namespace logboom::logstore::embedded
