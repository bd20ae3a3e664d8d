#include "parse/utf16.h"

#include <random>

#include <gtest/gtest.h>

#include "parse/annotate.h"
#include "parse/fields.h"
#include "parse/splitter.h"

namespace logboom::parse {
namespace {

// ASCII and whole units (given as U+XXXX below 0x10000) in either byte order.
std::string utf16(const std::u16string& text, Format format) {
  std::string bytes;
  for (const char16_t unit : text) {
    const char high = static_cast<char>(unit >> 8);
    const char low = static_cast<char>(unit & 0xff);
    bytes += format == Format::kUtf16Be ? high : low;
    bytes += format == Format::kUtf16Be ? low : high;
  }
  return bytes;
}

Batch batch_of(const std::string& bytes, Format format, std::size_t chunk, std::uint32_t max_record = 1u << 20) {
  Batch batch;
  batch.format = format;
  batch.bytes = bytes;
  batch.end = bytes.size();
  batch.arrival = 1'795'000'000 * kNsPerSecond;
  SplitOptions options;
  options.max_record = max_record;
  const auto splitter = RecordSplitter::make(options);
  RecordSplitter::Carry carry;
  carry.format = format;
  std::size_t end = 0;
  for (bool last = false; !last;) {
    end = std::min(bytes.size(), end + chunk);
    last = end == bytes.size();
    const std::size_t begin = carry.offset;
    std::vector<Record> records;
    const auto result = splitter.value()->split(std::string_view(bytes).substr(begin, end - begin),
                                                last ? AtEnd::kFlush : AtEnd::kHold, carry, records);
    for (Record r : records) {
      r.begin += static_cast<std::uint32_t>(begin);
      batch.records.push_back(r);
    }
    carry.offset += result.consumed;
  }
  EXPECT_EQ(carry.offset, bytes.size());
  return batch;
}

class Utf16 : public ::testing::TestWithParam<Format> {};
INSTANTIATE_TEST_SUITE_P(BothOrders, Utf16, ::testing::Values(Format::kUtf16Le, Format::kUtf16Be));

// Bad input 8. U+0A41 and U+410A hold a byte that is an LF and no newline.
TEST_P(Utf16, SplitsAtItsNewlinesWhateverTheChunks) {
  const std::string bytes =
      utf16(u"\ufeff2026-11-20 14:31:58 WARN \u00e9\r\n\u0a41\u410a \u0a0a\n\U0001f600 last", GetParam());
  EXPECT_EQ(detect_format(bytes), GetParam());
  for (std::size_t chunk = 1; chunk <= bytes.size(); ++chunk) {
    Batch batch = batch_of(bytes, GetParam(), chunk);
    ASSERT_EQ(batch.records.size(), 3u) << chunk;
    AnnotateCarry carry;
    annotate(batch, 0, carry);
    std::vector<std::string> texts;
    for (const Record& r : batch.records) texts.push_back(decode_utf16(batch.text(r), GetParam(), batch.offset(r)));
    EXPECT_EQ(texts[0], "2026-11-20 14:31:58 WARN \xc3\xa9");
    EXPECT_EQ(texts[1], "\xe0\xa9\x81\xe4\x84\x8a \xe0\xa8\x8a");
    EXPECT_EQ(texts[2], "\xf0\x9f\x98\x80 last");
    EXPECT_EQ(format_time_utc(batch.records[0].time), "2026-11-20T14:31:58Z");
    EXPECT_EQ(batch.records[0].level, Level::kWarn);
    ASSERT_EQ(batch.records[0].flags, Record::kTerminated);
  }
}

TEST_P(Utf16, RandomBytesAreCoveredTheSameForEveryChunking) {
  std::mt19937_64 random(8);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 200, '\0');
    for (char& c : bytes) c = std::string_view("\0\n\r a", 5)[random() % 5];
    const std::uint32_t max_record = static_cast<std::uint32_t>(round % 2 == 0 ? 1000 : 2 + 2 * (random() % 8));
    const Batch one = batch_of(bytes, GetParam(), bytes.size() + 1, max_record);
    const Batch cut = batch_of(bytes, GetParam(), 1 + random() % 20, max_record);
    ASSERT_EQ(one.records.size(), cut.records.size()) << round;
    for (std::size_t i = 0; i < one.records.size(); ++i) {
      ASSERT_EQ(one.records[i].begin, cut.records[i].begin);
      ASSERT_EQ(one.records[i].end(), cut.records[i].end());
      ASSERT_EQ(one.records[i].flags, cut.records[i].flags);
    }
  }
}

TEST(Utf16, ReplacesBrokenPairs) {
  EXPECT_EQ(decode_utf16(utf16(std::u16string{0xd800, u'x', 0xdc00}, Format::kUtf16Le), Format::kUtf16Le, 0),
            "\xef\xbf\xbdx\xef\xbf\xbd");
  EXPECT_EQ(decode_utf16("x", Format::kUtf16Le, 0), "");
  EXPECT_EQ(decode_utf16("", Format::kUtf16Le, 1), "");
}

TEST(Utf16, TheMarkOfUtf32IsNone) {
  EXPECT_EQ(detect_format(std::string_view("\xff\xfe\0\0", 4)), Format::kText);
}

}  // namespace
}  // namespace logboom::parse
