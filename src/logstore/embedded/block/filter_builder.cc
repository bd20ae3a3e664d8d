#include "logstore/embedded/block/filter_builder.h"

#include <algorithm>
#include <array>
#include <bit>

#include "logstore/embedded/block/bytes.h"
#include "logstore/embedded/block/filter_format.h"
#include "logstore/query/folding.h"
#include "logstore/query/tokens.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::size_t kSmallSet = 1u << 16;  // larger tables are given back when a block is done

void append_bloom(const HashSet& tokens, std::string& out) {
  if (tokens.size() == 0) return;
  const std::size_t blocks = bloom_blocks(tokens.size());
  const std::size_t before = out.size();
  out.resize(before + blocks * kBloomBlock);
  char* bytes = out.data() + before;
  tokens.for_each([&](std::uint64_t hash) {
    char* block = bytes + bloom_block(hash, blocks) * kBloomBlock;
    for (unsigned lane = 0; lane < 8; ++lane) {
      const std::uint32_t bit = bloom_bit(hash, lane);
      block[lane * 4 + bit / 8] = static_cast<char>(block[lane * 4 + bit / 8] | 1 << (bit % 8));
    }
  });
}

}  // namespace

void HashSet::clear() {
  if (slots_.size() > kSmallSet) {
    slots_ = std::vector<std::uint64_t>(kSmallSet);
  } else {
    std::fill(slots_.begin(), slots_.end(), 0);
  }
  size_ = 0;
}

void HashSet::grow() {
  std::vector<std::uint64_t> old = std::move(slots_);
  slots_.assign(old.size() * 4, 0);
  for (const std::uint64_t hash : old) {
    if (hash == 0) continue;
    std::size_t at = hash & (slots_.size() - 1);
    while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = hash;
  }
}

FilterBuilder::FilterBuilder() : trigrams_(query::kTrigramCount / 64) {}

std::string_view FilterBuilder::folded(std::string_view text) {
  query::fold(text, fold_buffer_);
  return fold_buffer_;
}

void FilterBuilder::add_tokens(std::string_view text, HashSet& set) {
  char buffer[64];
  if (text.size() <= sizeof buffer && query::is_ascii(text)) {
    query::fold_ascii(text, buffer);
    text = {buffer, text.size()};
  } else {
    text = folded(text);
  }
  query::for_each_token(text, [&](std::string_view token) { set.add(query::token_hash(token)); });
}

void FilterBuilder::add_trigrams(std::string_view text) {
  if (!query::is_ascii(text)) {
    query::for_each_trigram(folded(text),
                            [&](std::uint32_t hash) { trigrams_[hash >> 6] |= std::uint64_t{1} << (hash & 63); });
    return;
  }
  constexpr std::array<std::uint8_t, 128> kFold = [] {
    std::array<std::uint8_t, 128> fold{};
    for (std::size_t c = 0; c < 128; ++c) fold[c] = static_cast<std::uint8_t>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return fold;
  }();
  std::uint32_t packed = 0;
  unsigned have = 0;
  for (const char c : text) {
    if (c == '\n') {
      have = 0;
      continue;
    }
    packed = packed >> 8 | static_cast<std::uint32_t>(kFold[static_cast<unsigned char>(c)]) << 16;
    if (++have < 3) continue;
    const std::uint32_t hash = query::trigram_hash(packed);
    trigrams_[hash >> 6] |= std::uint64_t{1} << (hash & 63);
  }
}

std::string FilterBuilder::encode_tokens() const {
  std::string out;
  ByteWriter writer(out);
  writer.u32(kTokenFilterMagic);
  writer.u32(
      static_cast<std::uint32_t>(static_tokens_.size() == 0 ? 0 : bloom_blocks(static_tokens_.size()) * kBloomBlock));
  append_bloom(static_tokens_, out);
  append_bloom(variable_tokens_, out);
  return out;
}

std::string FilterBuilder::encode_trigrams() const {
  constexpr std::size_t kWords = kTrigramContainerBits / 64;
  std::string out;
  std::string body;
  ByteWriter writer(out);
  writer.u32(kTrigramMagic);
  for (std::size_t c = 0; c < kTrigramContainers; ++c) {
    const std::uint64_t* words = trigrams_.data() + c * kWords;
    std::size_t count = 0;
    for (std::size_t w = 0; w < kWords; ++w) count += static_cast<std::size_t>(std::popcount(words[w]));
    writer.u16(static_cast<std::uint16_t>(count));
    ByteWriter bits(body);
    if (count > kTrigramMaxList) {
      for (std::size_t w = 0; w < kWords; ++w) bits.u64(words[w]);
      continue;
    }
    for (std::size_t w = 0; w < kWords; ++w) {
      for (std::uint64_t word = words[w]; word != 0; word &= word - 1)
        bits.u16(static_cast<std::uint16_t>(w * 64 + static_cast<unsigned>(std::countr_zero(word))));
    }
  }
  return out + body;
}

void FilterBuilder::clear() {
  static_tokens_.clear();
  variable_tokens_.clear();
  std::fill(trigrams_.begin(), trigrams_.end(), 0);
}

}  // namespace logboom::logstore::embedded
