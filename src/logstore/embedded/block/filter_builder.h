// FilterBuilder: collects the tokens and trigrams of a block while it is encoded and writes the two filters of
// filters.h. Reusable; memory: 100 KB plus 8 bytes per token that is not a repeat of a recent one.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "logstore/query/tokens.h"
#include "logstore/query/trigrams.h"

namespace logboom::logstore::embedded {

// Token hashes with most repeats left out, and an estimate of how many are distinct, which gives the filter its size.
class TokenSet {
 public:
  TokenSet() : seen_(kSeenBits / 64) {}
  void add(std::uint64_t hash) {
    std::uint64_t& recent = recent_[hash % kRecent];
    if (recent == hash) return;
    recent = hash;
    seen_[hash / 64 % (kSeenBits / 64)] |= std::uint64_t{1} << (hash % 64);
    hashes_.push_back(hash);
  }
  bool empty() const { return hashes_.empty(); }
  const std::vector<std::uint64_t>& hashes() const { return hashes_; }
  // By linear counting: right within a few percent up to half a million.
  std::size_t distinct() const;
  void clear();

 private:
  static constexpr std::size_t kRecent = 2048;
  static constexpr std::size_t kSeenBits = 1u << 17;
  std::array<std::uint64_t, kRecent> recent_{};
  std::vector<std::uint64_t> seen_;
  std::vector<std::uint64_t> hashes_;
};

// One place of a text of which only the kind of its byte is known.
struct PatternByte {
  enum Kind : std::uint8_t { kLiteral, kDigit, kHexDigit };
  Kind kind = kLiteral;
  char literal = 0;
};

class FilterBuilder {
 public:
  FilterBuilder();
  // Text of templates and constants: found through the template dictionary.
  void add_static_tokens(std::string_view text) { add_tokens(text, static_tokens_); }
  // Values of variables and plain text, cut at token boundaries.
  void add_variable_tokens(std::string_view text) { add_tokens(text, variable_tokens_); }
  // A token that is folded already.
  void add_folded_variable_token(std::string_view token) { variable_tokens_.add(query::token_hash(token)); }

  // All trigrams of the text, folded. Text cut inside a character beyond ASCII must be covered whole by another call.
  void add_trigrams(std::string_view text);
  // The tokens of the variable at p and the trigrams of it with `left` and `right` bytes beside it. 16 bytes behind all
  // of that are readable.
  void add_variable(const char* p, std::size_t size, std::size_t left, std::size_t right);
  // The two trigrams that begin at p and p + 1, of four readable ASCII bytes.
  void add_two_trigrams(const char* p);
  // The trigrams of all texts that the pattern stands for.
  void add_pattern_trigrams(const std::vector<PatternByte>& pattern);

  std::string encode_tokens() const;
  std::string encode_trigrams() const;
  void clear();

 private:
  void add_tokens(std::string_view text, TokenSet& set);
  void add_trigram(std::uint32_t packed) {
    const std::uint32_t hash = query::trigram_hash(packed);
    trigrams_[hash >> 6] |= std::uint64_t{1} << (hash & 63);
  }
  void add_ascii_trigrams(const char* folded, std::size_t size);
  void add_pattern_window(const PatternByte* window);

  TokenSet static_tokens_;
  TokenSet variable_tokens_;
  std::vector<std::uint64_t> trigrams_;
  bool all_digits_done_ = false;
  bool all_hex_done_ = false;
  std::string fold_buffer_;
};

}  // namespace logboom::logstore::embedded
