// TemplateMerger: finds templates that differ in a few words only, such as a user's name or a method, and says which
// words become variables, so that a block has few templates with many rows instead of many with few. Words are whole
// runs between delimiters. Reusable. Memory: about 40 bytes per word of the templates.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace logboom::logstore::embedded {

class TemplateMerger {
 public:
  // A template: its static pieces, one behind the other, stand in the text given to merge().
  struct Item {
    std::uint32_t text = 0;  // offset and size there
    std::uint32_t text_size = 0;
    const std::uint32_t* pieces = nullptr;  // their lengths
    std::uint32_t piece_count = 0;
    std::uint32_t rows = 0;
    std::uint8_t kind = 0;  // templates of different kinds are not merged
  };
  // Bytes [offset, offset + length) of the piece.
  struct Word {
    std::uint32_t piece = 0;
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
    std::uint64_t hash = 0;
  };
  // Items that become one template: they differ in `cut` words only.
  struct Merged {
    std::vector<std::uint32_t> items;  // at least two, ascending
    std::vector<std::uint32_t> cut;    // numbers of the words, ascending; the same for every item
  };

  static constexpr std::size_t kMostColumns = 48;  // of a merged template

  // `text` has 64 readable bytes behind its end.
  const std::vector<Merged>& merge(std::string_view text, const std::vector<Item>& items);
  // The words of an item, in order; valid until the next merge().
  const Word* words(std::uint32_t item) const { return words_.data() + first_word_[item]; }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Group {
    std::uint64_t key = 0;
    std::uint32_t first = kNone;  // item; the others follow by next_
    std::uint32_t items = 0;
    std::uint32_t words = 0;  // of each item
    std::uint64_t rows = 0;
  };

  void mark_words();
  std::uint64_t take_words(const Item& item);
  void put_into_group(std::uint32_t item, std::uint64_t key, std::uint32_t words);
  void choose_cuts(const Group& group);
  std::size_t distinct_without(std::uint32_t word);
  bool same_but_cut(std::uint32_t a, std::uint32_t b, std::uint32_t words) const;
  void form(const Group& group);

  std::string_view text_;  // of this merge()
  const Item* items_ = nullptr;
  std::vector<std::uint64_t> delimiters_;  // of the text
  std::vector<Word> words_;
  std::vector<std::uint32_t> first_word_;
  std::vector<Group> groups_;
  std::vector<std::uint32_t> next_;
  std::vector<std::uint32_t> table_;  // group plus one by its key, later key of keys_ plus one; 0 is free
  // Of the group being looked at.
  std::vector<std::uint32_t> sample_;
  std::vector<std::uint64_t> sums_;  // of the words that are not cut, of each item of the sample
  std::vector<std::uint64_t> scratch_;
  std::vector<std::uint32_t> cut_;
  std::vector<std::uint64_t> keys_;
  std::vector<Merged> merged_;
};

}  // namespace logboom::logstore::embedded
