#include "logstore/embedded/block/template_merger.h"

#include <algorithm>
#include <bit>

#include "logstore/embedded/block/byte_classes.h"
#include "logstore/embedded/block/text_hash.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::size_t kMostWords = 32;    // of an item
constexpr std::size_t kSample = 64;       // items by which a group is judged
constexpr std::uint64_t kLeastRows = 16;  // of a group; fewer are not worth a look
constexpr std::uint64_t kManyRows = 256;  // templates with so many on average stay apart
constexpr std::uint64_t kWorthRows = 4;   // on average, or merging has not helped

// A cut must leave at most so much of the templates.
bool pays(std::size_t templates, std::size_t left) {
  return left * 4 <= templates * 3;
}

// What a word adds to the sum of its item.
std::uint64_t place_hash(const TemplateMerger::Word& word, std::uint32_t at) {
  return mix_hash(word.hash, at + 1);
}

}  // namespace

const std::vector<TemplateMerger::Merged>& TemplateMerger::merge(std::string_view text,
                                                                 const std::vector<Item>& items) {
  text_ = text, items_ = items.data();
  merged_.clear(), words_.clear(), groups_.clear();
  first_word_.assign(items.size(), 0);
  next_.assign(items.size(), kNone);
  table_.assign(std::bit_ceil(items.size() * 2 + 2), 0);
  mark_words();
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    first_word_[i] = static_cast<std::uint32_t>(words_.size());
    if (items[i].piece_count > kMostColumns) continue;
    const std::uint64_t key = take_words(items[i]);
    const std::size_t words = words_.size() - first_word_[i];
    if (words == 0 || words > kMostWords) continue;
    put_into_group(i, key, static_cast<std::uint32_t>(words));
  }
  for (const Group& group : groups_) {
    if (group.items < 2 || group.rows < kLeastRows) continue;
    choose_cuts(group);
    if (!cut_.empty() && cut_.size() + items[group.first].piece_count <= kMostColumns) form(group);
  }
  return merged_;
}

void TemplateMerger::mark_words() {
  constexpr std::size_t kBatch = 64;
  const std::size_t words = (text_.size() + 63) / 64;
  delimiters_.resize(words);
  ByteClasses classes[kBatch];
  for (std::size_t at = 0; at < words; at += kBatch) {
    const std::size_t n = std::min(kBatch, words - at);
    classify_bytes(text_.data() + at * 64, n, classes);
    for (std::size_t i = 0; i < n; ++i) delimiters_[at + i] = classes[i].delimiter;
  }
}

// Lists the words of an item; the hash of everything else about it.
std::uint64_t TemplateMerger::take_words(const Item& item) {
  const auto next = [this](std::uint32_t at, std::uint32_t end, bool delimiter) {
    while (at < end) {
      const std::uint64_t bits = delimiter ? delimiters_[at / 64] : ~delimiters_[at / 64];
      const std::uint64_t left = bits >> (at % 64);
      if (left != 0) return std::min(end, at + static_cast<std::uint32_t>(std::countr_zero(left)));
      at = (at / 64 + 1) * 64;
    }
    return end;
  };
  std::uint64_t key = mix_hash(item.kind, item.piece_count);
  std::uint32_t begin = item.text;
  for (std::uint32_t piece = 0; piece < item.piece_count; ++piece) {
    const std::uint32_t end = begin + item.pieces[piece];
    std::uint32_t at = begin;
    while (at < end) {
      const std::uint32_t word = next(at, end, false);
      key = text_hash(text_.substr(at, word - at), key);
      if (word == end) break;
      at = next(word, end, true);
      words_.push_back({piece, word - begin, at - word, text_hash(text_.substr(word, at - word))});
      key = mix_hash(key, 1);
    }
    key = mix_hash(key, 2);
    begin = end;
  }
  return key;
}

void TemplateMerger::put_into_group(std::uint32_t item, std::uint64_t key, std::uint32_t words) {
  std::size_t at = key & (table_.size() - 1);
  while (table_[at] != 0 && groups_[table_[at] - 1].key != key) at = (at + 1) & (table_.size() - 1);
  if (table_[at] == 0) {
    groups_.push_back({key, kNone, 0, words, 0});
    table_[at] = static_cast<std::uint32_t>(groups_.size());
  }
  Group& group = groups_[table_[at] - 1];
  if (group.words != words) return;  // two keys that happen to be the same
  next_[item] = group.first;
  group.first = item;
  ++group.items;
  group.rows += items_[item].rows;
}

// How many templates of the sample would be left if this word were a variable too.
std::size_t TemplateMerger::distinct_without(std::uint32_t word) {
  scratch_.clear();
  for (std::size_t i = 0; i < sample_.size(); ++i)
    scratch_.push_back(sums_[i] - place_hash(words_[first_word_[sample_[i]] + word], word));
  std::sort(scratch_.begin(), scratch_.end());
  return static_cast<std::size_t>(std::unique(scratch_.begin(), scratch_.end()) - scratch_.begin());
}

// Cuts one word after the other, always the one that brings most templates together, while that pays.
void TemplateMerger::choose_cuts(const Group& group) {
  cut_.clear(), sample_.clear(), sums_.clear();
  const std::uint32_t step = std::max<std::uint32_t>(1, group.items / kSample);
  std::uint32_t number = 0;
  for (std::uint32_t item = group.first; item != kNone && sample_.size() < kSample; item = next_[item]) {
    if (number++ % step != 0) continue;
    std::uint64_t sum = 0;
    for (std::uint32_t w = 0; w < group.words; ++w) sum += place_hash(words_[first_word_[item] + w], w);
    sample_.push_back(item);
    sums_.push_back(sum);
  }
  double left = group.items;  // templates of the whole group, as the sample tells
  std::size_t templates = sample_.size();
  while (templates > 1 && static_cast<double>(group.rows) < left * kManyRows) {
    std::size_t best = templates;
    std::uint32_t word = 0;
    for (std::uint32_t w = 0; w < group.words; ++w) {
      if (std::find(cut_.begin(), cut_.end(), w) != cut_.end()) continue;
      const std::size_t distinct = distinct_without(w);
      if (distinct < best) best = distinct, word = w;
    }
    if (!pays(templates, best)) break;
    for (std::size_t i = 0; i < sample_.size(); ++i)
      sums_[i] -= place_hash(words_[first_word_[sample_[i]] + word], word);
    cut_.push_back(word);
    left *= static_cast<double>(best) / static_cast<double>(templates);
    templates = best;
  }
  std::sort(cut_.begin(), cut_.end());
}

// Whether two items of a group are the same but for the cut words.
bool TemplateMerger::same_but_cut(std::uint32_t a, std::uint32_t b, std::uint32_t words) const {
  const Word* in_a = this->words(a);
  const Word* in_b = this->words(b);
  std::uint32_t at_a = items_[a].text;
  std::uint32_t at_b = items_[b].text;
  const auto same = [&](std::uint32_t size_a, std::uint32_t size_b) {
    const bool equal = size_a == size_b && text_.substr(at_a, size_a) == text_.substr(at_b, size_b);
    at_a += size_a, at_b += size_b;
    return equal;
  };
  std::uint32_t w = 0;
  std::size_t cut = 0;
  for (std::uint32_t piece = 0; piece < items_[a].piece_count; ++piece) {
    const std::uint32_t begin_a = at_a;
    const std::uint32_t begin_b = at_b;
    for (; w < words && in_a[w].piece == piece; ++w) {
      if (in_b[w].piece != piece) return false;
      if (!same(begin_a + in_a[w].offset - at_a, begin_b + in_b[w].offset - at_b)) return false;
      if (cut < cut_.size() && cut_[cut] == w) {
        ++cut;
        at_a += in_a[w].length, at_b += in_b[w].length;
      } else if (!same(in_a[w].length, in_b[w].length)) {
        return false;
      }
    }
    if (!same(begin_a + items_[a].pieces[piece] - at_a, begin_b + items_[b].pieces[piece] - at_b)) return false;
  }
  return true;
}

// Brings together what is the same but for the cut words.
void TemplateMerger::form(const Group& group) {
  const std::size_t before = merged_.size();
  table_.assign(std::bit_ceil(group.items * 2 + 2), 0);
  keys_.clear();
  for (std::uint32_t item = group.first; item != kNone; item = next_[item]) {
    std::uint64_t key = 0;
    std::size_t cut = 0;
    for (std::uint32_t w = 0; w < group.words; ++w) {
      if (cut < cut_.size() && cut_[cut] == w)
        ++cut;
      else
        key += place_hash(words_[first_word_[item] + w], w);
    }
    std::size_t at = (key ^ key >> 32) & (table_.size() - 1);
    while (table_[at] != 0 && keys_[table_[at] - 1] != key) at = (at + 1) & (table_.size() - 1);
    if (table_[at] == 0) {
      keys_.push_back(key);
      merged_.push_back({{}, cut_});
      table_[at] = static_cast<std::uint32_t>(keys_.size());
    }
    std::vector<std::uint32_t>& together = merged_[before + table_[at] - 1].items;
    if (together.empty() || same_but_cut(item, together.front(), group.words)) together.push_back(item);
  }
  if (keys_.size() * kWorthRows > group.rows) {
    merged_.resize(before);
    return;
  }
  const auto first = merged_.begin() + static_cast<std::ptrdiff_t>(before);
  for (auto merged = first; merged != merged_.end(); ++merged) std::reverse(merged->items.begin(), merged->items.end());
  merged_.erase(std::remove_if(first, merged_.end(), [](const Merged& merged) { return merged.items.size() < 2; }),
                merged_.end());
}

}  // namespace logboom::logstore::embedded
