#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "logstore/embedded/block/block_builder.h"
#include "logstore/embedded/block/block_reader.h"
#include "logstore/embedded/block/testing/block_batches.h"
#include "logstore/embedded/block/testing/noise.h"
#include "logstore/query/folding.h"
#include "logstore/query/tokens.h"
#include "logstore/query/trigrams.h"

namespace logboom::logstore::embedded {
namespace {

using testing::batch_of;
using testing::Noise;

bool word_at(std::string_view text, std::size_t begin, std::size_t end) {
  return (begin == 0 || !query::is_word_byte(text[begin - 1]) || !query::is_word_byte(text[begin])) &&
         (end == text.size() || !query::is_word_byte(text[end]) || !query::is_word_byte(text[end - 1]));
}

bool holds(std::string_view text, const std::string& folded, bool words) {
  const std::string haystack = query::fold(text);
  for (std::size_t at = haystack.find(folded); at != std::string::npos; at = haystack.find(folded, at + 1)) {
    if (!words || word_at(haystack, at, at + folded.size())) return true;
  }
  return false;
}

Leaf leaf_of(const std::string& literal, bool words) {
  const std::string folded = query::fold(literal);
  Leaf leaf;
  leaf.literal = folded;
  leaf.local = is_local_text(folded);
  leaf.monotone = true;
  if (words) query::for_each_token(folded, [&](std::string_view t) { leaf.tokens.push_back(query::token_hash(t)); });
  leaf.matches = [folded, words](std::string_view text) { return holds(text, folded, words); };
  return leaf;
}

// A block, its filters and what it was made of.
struct Stored {
  explicit Stored(const std::string& bytes) : batch(batch_of(bytes)) {
    BlockBuilder builder;
    EXPECT_TRUE(builder.add(batch, 1, 1).ok());
    block = std::move(*builder.finish());
  }

  // What find() and count() must give.
  RowSet expected(const std::function<bool(std::string_view)>& matches) const {
    RowSet rows(static_cast<std::uint32_t>(batch.records.size()));
    for (std::uint32_t row = 0; row < rows.size(); ++row) {
      if (matches(batch.text(batch.records[row]))) rows.add(row);
    }
    return rows;
  }

  Batch batch;
  EncodedBlock block;
};

void expect_leaf(const Stored& stored, const Leaf& leaf, const std::string& what) {
  const RowSet expected = stored.expected(leaf.matches);
  const auto filter = TokenFilter::open(stored.block.token_filter);
  ASSERT_TRUE(filter.ok());
  MemorySections sections(stored.block.sections);
  for (const TokenFilter* given : {static_cast<const TokenFilter*>(nullptr), &*filter}) {
    auto reader = BlockReader::open(stored.block.header, sections);
    const auto found = reader->find(leaf, given);
    ASSERT_TRUE(found.ok()) << found.error().message();
    ASSERT_TRUE(*found == expected) << what << " found " << found->count() << " of " << expected.count();
    auto fresh = BlockReader::open(stored.block.header, sections);
    const auto counts = fresh->count(leaf, given, BlockReader::CountLevels::kYes);
    const auto counted = fresh->counts(expected);
    ASSERT_TRUE(counts.ok() && counted.ok());
    ASSERT_EQ(counts->records, expected.count()) << what;
    ASSERT_EQ(counts->levels, counted->levels) << what;
    ASSERT_EQ(counts->lines, counted->lines) << what;
  }
  if (expected.empty()) return;
  for (const std::uint64_t token : leaf.tokens) ASSERT_TRUE(filter->may_contain(token)) << what;
  const auto trigrams = TrigramSet::open(stored.block.trigrams);
  ASSERT_TRUE(trigrams.ok());
  query::for_each_trigram(leaf.literal, [&](std::uint32_t hash) { ASSERT_TRUE(trigrams->contains(hash)) << what; });
}

// A stretch of some line of the text, without LF.
std::string stretch_of(Noise& noise, const std::string& text, std::uint32_t longest) {
  const std::uint32_t at = noise.below(static_cast<std::uint32_t>(text.size()));
  std::string out = text.substr(at, 1 + noise.below(longest));
  out.resize(std::min(out.size(), out.find('\n')));
  return out;
}

std::string mutated(Noise& noise, std::string text) {
  if (!text.empty() && noise.below(3) == 0)
    text[noise.below(static_cast<std::uint32_t>(text.size()))] = "aK0.:\" "[noise.below(7)];
  if (noise.below(4) == 0)
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

TEST(BlockFind, FindsStretchesOfItsTextExactly) {
  for (std::uint32_t seed = 0; seed < 16; ++seed) {
    Noise noise(seed);
    std::string text = noise.text(50 + seed * 60);
    for (std::uint32_t i = 0; i < seed % 3 * 5; ++i)
      text[noise.below(static_cast<std::uint32_t>(text.size()))] = static_cast<char>(noise.below(256));
    const Stored stored(text);
    for (int i = 0; i < 40; ++i) {
      const std::string literal = mutated(noise, stretch_of(noise, text, 1 + noise.below(30)));
      if (query::fold(literal).empty()) continue;
      const bool words = noise.below(2) == 0 && query::is_ascii(literal);
      expect_leaf(stored, leaf_of(literal, words), "seed " + std::to_string(seed) + " literal " + literal);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(BlockFind, EveryTokenAndTrigramOfEveryRowPassesTheFilters) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    Noise noise(seed + 100);
    const Stored stored(seed % 4 == 3 ? noise.bytes(5000, seed % 8 == 3) : noise.text(400));
    const auto filter = TokenFilter::open(stored.block.token_filter);
    const auto trigrams = TrigramSet::open(stored.block.trigrams);
    ASSERT_TRUE(filter.ok() && trigrams.ok());
    for (const Record& record : stored.batch.records) {
      const std::string folded = query::fold(stored.batch.text(record));
      query::for_each_token(folded, [&](std::string_view token) {
        ASSERT_TRUE(filter->may_contain(query::token_hash(token))) << seed << " " << token;
      });
      for (std::size_t i = 0; i + 3 <= folded.size(); ++i) {
        const std::string part = folded.substr(i, 3);
        query::for_each_trigram(part, [&](std::uint32_t hash) {
          ASSERT_TRUE(trigrams->contains(hash)) << seed << " '" << part << "' of " << folded;
        });
      }
    }
  }
}

TEST(BlockFind, FiltersRefuseMostOfWhatIsNotThere) {
  const Stored stored(Noise(9).text(3000));
  const auto filter = TokenFilter::open(stored.block.token_filter);
  int wrong = 0;
  for (int i = 0; i < 10000; ++i) wrong += filter->may_contain(query::token_hash("absent" + std::to_string(i))) ? 1 : 0;
  EXPECT_LT(wrong, 100);
}

TEST(BlockFind, VerifiesConditionsThatArePlacedInTheWholeText) {
  const Stored stored(Noise(4).text(900));
  Leaf leaf;  // like the regex ^\d.*z$: nothing is known of it
  leaf.matches = [](std::string_view text) { return !text.empty() && text[0] >= '0' && text[0] <= '9'; };
  expect_leaf(stored, leaf, "begins with a digit");
  leaf.matches = [](std::string_view text) {
    return text.starts_with("2026") && text.find("00ms") != std::string_view::npos;
  };
  leaf.literal = "00ms";
  expect_leaf(stored, leaf, "anchored with a literal");
}

TEST(BlockFind, CountsByTimeAndLevel) {
  const Stored stored(Noise(5).text(2000));
  MemorySections sections(stored.block.sections);
  auto reader = BlockReader::open(stored.block.header, sections);
  const TimeNs step = 60 * kNsPerSecond;
  std::map<std::pair<TimeNs, Level>, std::uint64_t> expected;
  const TimeNs from = stored.block.meta.min_time + 30 * kNsPerSecond;
  const TimeNs to = stored.block.meta.max_time - 30 * kNsPerSecond;
  std::uint32_t in_range = 0;
  for (const Record& record : stored.batch.records) {
    if (record.time < from || record.time >= to) continue;
    ++in_range;
    ++expected[{record.time / step * step, record.level}];
  }
  const auto rows = reader->rows_in_time(from, to);
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->count(), in_range);
  std::map<std::pair<TimeNs, Level>, std::uint64_t> found;
  ASSERT_TRUE(
      reader->histogram(*rows, step,
                        [&](TimeNs start, Level level, std::uint64_t n) {
                          found[{start, level}] += n;
                        })
          .ok());
  EXPECT_EQ(found, expected);
  const auto errors = reader->rows_of_level(Level::kError);
  ASSERT_TRUE(errors.ok());
  EXPECT_EQ(errors->count(), stored.block.meta.level_counts[static_cast<std::size_t>(Level::kError)]);
  EXPECT_GT(errors->count(), 0u);
}

TEST(RowSet, ComputesWithSets) {
  RowSet all(130, true);
  RowSet some(130);
  some.add_range(3, 100);
  some.add(129);
  EXPECT_TRUE(all.full());
  EXPECT_EQ(some.count(), 98u);
  RowSet rest = some;
  rest.invert();
  EXPECT_EQ(rest.count(), 32u);
  rest |= some;
  EXPECT_EQ(rest, all);
  rest -= some;
  rest &= some;
  EXPECT_TRUE(rest.empty());
  EXPECT_EQ(some.next(100), 129u);
  EXPECT_EQ(some.next(130), 130u);
}

}  // namespace
}  // namespace logboom::logstore::embedded
