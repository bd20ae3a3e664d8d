// FilterBuilder: collects the tokens and trigrams of a block while it is encoded and writes the two filters of
// filters.h. Reusable; memory: 32 KB of trigrams plus about 16 bytes per distinct token.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "logstore/query/trigrams.h"

namespace logboom::logstore::embedded {

// A set of 64-bit hashes; clearing costs what was added.
class HashSet {
 public:
  HashSet() : slots_(1024) {}
  void add(std::uint64_t hash) {
    if (hash == 0) hash = 1;
    std::size_t at = hash & (slots_.size() - 1);
    while (slots_[at] != 0) {
      if (slots_[at] == hash) return;
      at = (at + 1) & (slots_.size() - 1);
    }
    slots_[at] = hash;
    if (++size_ * 2 > slots_.size()) grow();
  }
  std::size_t size() const { return size_; }
  void clear();
  template <typename F>
  void for_each(F f) const {
    for (const std::uint64_t hash : slots_) {
      if (hash != 0) f(hash);
    }
  }

 private:
  void grow();
  std::vector<std::uint64_t> slots_;  // 0 is free
  std::size_t size_ = 0;
};

class FilterBuilder {
 public:
  FilterBuilder();
  // Text of templates and constants: found through the template dictionary.
  void add_static_tokens(std::string_view text) { add_tokens(text, static_tokens_); }
  // Values of variables and plain text, cut at token boundaries.
  void add_variable_tokens(std::string_view text) { add_tokens(text, variable_tokens_); }
  // All trigrams of the text, folded. Text cut inside a character beyond ASCII must be covered whole by another call.
  void add_trigrams(std::string_view text);

  std::string encode_tokens() const;
  std::string encode_trigrams() const;
  std::size_t tokens() const { return static_tokens_.size() + variable_tokens_.size(); }
  void clear();

 private:
  void add_tokens(std::string_view text, HashSet& set);
  std::string_view folded(std::string_view text);

  HashSet static_tokens_;
  HashSet variable_tokens_;
  std::vector<std::uint64_t> trigrams_;
  std::string fold_buffer_;
};

}  // namespace logboom::logstore::embedded
