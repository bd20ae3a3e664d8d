#include "parse/splitter.h"

#include <random>

#include <gtest/gtest.h>

#include "base/log.h"

namespace logboom::parse {
namespace {

std::unique_ptr<RecordSplitter> make(const SplitOptions& options) {
  auto made = RecordSplitter::make(options);
  EXPECT_TRUE(made.ok());
  return std::move(made).value();
}

SplitOptions options_of(MultilineMode mode, std::uint32_t max_record = 1u << 20) {
  SplitOptions options;
  options.multiline = mode;
  options.max_record = max_record;
  if (mode == MultilineMode::kStartPattern) options.start_pattern = "\\d|a";
  return options;
}

struct Split {
  std::vector<Record> records;
  SplitResult result;
  RecordSplitter::Carry carry;
};

Split split(const SplitOptions& options, std::string_view bytes, AtEnd at_end) {
  Split s;
  s.result = make(options)->split(bytes, at_end, s.carry, s.records);
  return s;
}

std::vector<std::string> texts(const SplitOptions& options, std::string_view bytes, AtEnd at_end = AtEnd::kFlush) {
  std::vector<std::string> found;
  for (const Record& r : split(options, bytes, at_end).records) found.emplace_back(bytes.substr(r.begin, r.length));
  return found;
}

using Texts = std::vector<std::string>;

// ---------------------------------------------------------------- lines

TEST(Splitter, EndsALineAtLfAndKeepsTheCr) {
  const Split s = split(options_of(MultilineMode::kNone), "one\r\ntwo\nthree", AtEnd::kHold);
  ASSERT_EQ(s.records.size(), 2u);
  EXPECT_EQ(s.records[0].length, 4u);
  EXPECT_TRUE(s.records[0].terminated());
  EXPECT_EQ(s.records[1].begin, 5u);
  EXPECT_EQ(s.result.consumed, 9u);
}

TEST(Splitter, HoldsAnUnfinishedLineUntilTheFlush) {
  const SplitOptions options = options_of(MultilineMode::kNone);
  EXPECT_EQ(split(options, "half", AtEnd::kHold).result.consumed, 0u);
  EXPECT_EQ(split(options, "half", AtEnd::kCloseGroup).result.consumed, 0u);
  const Split s = split(options, "half", AtEnd::kFlush);
  ASSERT_EQ(s.records.size(), 1u);
  EXPECT_EQ(s.records[0].flags, Record::kFragment);
  EXPECT_EQ(s.result.consumed, 4u);
  EXPECT_TRUE(s.carry.in_fragment);
}

TEST(Splitter, ContinuesAFlushedLineWhenMoreComes) {
  const auto splitter = make(options_of(MultilineMode::kAuto));
  RecordSplitter::Carry carry;
  std::vector<Record> records;
  splitter->split("ha", AtEnd::kFlush, carry, records);
  splitter->split("lf\nnext\n", AtEnd::kFlush, carry, records);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[1].flags, Record::kContinuation | Record::kTerminated);
  EXPECT_EQ(records[0].lines + records[1].lines, 1u);
  EXPECT_EQ(records[2].flags, Record::kTerminated);
}

TEST(Splitter, HidesBlankLines) {
  const Split s = split(options_of(MultilineMode::kNone), "\n\r\none\n\r\r\n\n two\n\n\n", AtEnd::kHold);
  ASSERT_EQ(s.records.size(), 2u);
  EXPECT_EQ(s.records[0].blank, 3u);
  EXPECT_EQ(s.records[1].blank, 4u);
  EXPECT_EQ(s.result.trailing_blank, 2u);
  EXPECT_EQ(s.result.consumed, 18u);
}

TEST(Splitter, ALineOfSpacesIsARecord) {
  EXPECT_EQ(texts(options_of(MultilineMode::kNone), "a\n  \nb\n"), (Texts{"a", "  ", "b"}));
}

TEST(Splitter, KeepsBlankLinesWhenAsked) {
  SplitOptions options = options_of(MultilineMode::kNone);
  options.keep_blank = true;
  EXPECT_EQ(texts(options, "a\n\n\r\nb\n"), (Texts{"a", "", "\r", "b"}));
  options.multiline = MultilineMode::kAuto;
  EXPECT_EQ(texts(options, "a\n\n\r\n b\n"), (Texts{"a", "", "\r", " b"}));
}

TEST(Splitter, CutsLinesAtTheLimitAndNotBelow) {
  const SplitOptions options = options_of(MultilineMode::kNone, 4);
  EXPECT_EQ(texts(options, "abc\nabcd\n"), (Texts{"abc", "abcd"}));
  const std::string_view bytes = "abcdefghi\nx\n";
  const Split s = split(options, bytes, AtEnd::kHold);
  ASSERT_EQ(s.records.size(), 4u);
  EXPECT_EQ(s.records[0].flags, Record::kFragment);
  EXPECT_EQ(s.records[1].flags, Record::kFragment | Record::kContinuation);
  EXPECT_EQ(s.records[2].flags, Record::kContinuation | Record::kTerminated);
  EXPECT_EQ(s.records[2].length, 1u);
  EXPECT_EQ(s.records[3].flags, Record::kTerminated);
}

TEST(Splitter, NeverHoldsMoreThanALimit) {
  const std::string endless(100'000, 'x');
  const Split s = split(options_of(MultilineMode::kAuto, 1000), endless, AtEnd::kHold);
  EXPECT_EQ(s.result.consumed, 99'000u);
  EXPECT_TRUE(s.carry.in_fragment);
}

TEST(Splitter, KeepsNulBytesAndInvalidUtf8) {
  const std::string bytes("a\0b\n\xff\xfe\n\xc0\x80\n", 10);
  EXPECT_EQ(texts(options_of(MultilineMode::kAuto), bytes), (Texts{std::string("a\0b", 3), "\xff\xfe", "\xc0\x80"}));
}

TEST(Splitter, LoneCrAndFormFeedEndNoLine) {
  EXPECT_EQ(texts(options_of(MultilineMode::kAuto), "a\rb\fc\xe2\x80\xa8z\n"), (Texts{"a\rb\fc\xe2\x80\xa8z"}));
}

TEST(Splitter, RefusesBadOptionsAndPatterns) {
  EXPECT_FALSE(RecordSplitter::make(options_of(MultilineMode::kNone, 0)).ok());
  SplitOptions options = options_of(MultilineMode::kStartPattern);
  options.start_pattern = "(";
  EXPECT_FALSE(RecordSplitter::make(options).ok());
  options.start_pattern = "((a{1000}){1000}){1000}";
  EXPECT_FALSE(RecordSplitter::make(options).ok());
}

// ---------------------------------------------------------------- groups

TEST(Splitter, JoinsIndentedLines) {
  EXPECT_EQ(texts(options_of(MultilineMode::kAuto), "a\n b\n\tc\nd\n"), (Texts{"a\n b\n\tc", "d"}));
}

TEST(Splitter, CountsThePhysicalLinesOfAGroup) {
  EXPECT_EQ(split(options_of(MultilineMode::kAuto), "a\n b\n\tc\n", AtEnd::kFlush).records.at(0).lines, 3u);
}

TEST(Splitter, HoldsAGroupUntilItsEndIsSeen) {
  const SplitOptions options = options_of(MultilineMode::kAuto);
  EXPECT_EQ(split(options, "x\na\n b\n", AtEnd::kHold).result.consumed, 2u);
  EXPECT_EQ(split(options, "x\na\n b\n", AtEnd::kCloseGroup).result.consumed, 7u);
  EXPECT_EQ(split(options, "x\na\n b\n2", AtEnd::kHold).result.consumed, 7u);
}

TEST(Splitter, ABlankLineEndsAnAutomaticGroup) {
  EXPECT_EQ(texts(options_of(MultilineMode::kAuto), "a\n\n b\n"), (Texts{"a", " b"}));
}

TEST(Splitter, JoinsAJavaTraceToItsLogLine) {
  const std::string trace =
      "2026-11-20 10:00:00 ERROR failed\njava.lang.IllegalStateException: no\n\tat a.b.C.d(C.java:5)\n"
      "Caused by: java.io.IOException: disk\n\tat x.Y.z(Y.java:1)\n\t... 12 more";
  const std::string next = "2026-11-20 10:00:01 INFO ok";
  EXPECT_EQ(texts(options_of(MultilineMode::kAuto), trace + "\n" + next + "\n"), (Texts{trace, next}));
}

TEST(Splitter, KeepsNamesOfExceptionsWithoutFramesApart) {
  const Texts lines{"1 failed", "java.lang.Error: a", "java.lang.Error: b", "Caused by: c", "... 3 more"};
  std::string bytes;
  for (const std::string& line : lines) bytes += line + "\n";
  EXPECT_EQ(texts(options_of(MultilineMode::kAuto), bytes), lines);
}

TEST(Splitter, KeepsTwoBareJavaTracesApart) {
  const std::string a = "java.lang.Error: a\n\tat x.Y.z(Y.java:1)";
  const std::string b = "java.lang.Error: b\n\tat x.Y.z(Y.java:1)";
  EXPECT_EQ(texts(options_of(MultilineMode::kAuto), a + "\n" + b + "\n"), (Texts{a, b}));
}

TEST(Splitter, JoinsAPythonTracebackWithItsLastLine) {
  const std::string trace = "Traceback (most recent call last):\n  File \"a.py\", line 1\n    f()\nValueError: bad";
  EXPECT_EQ(texts(options_of(MultilineMode::kAuto), trace + "\nINFO: next\n"), (Texts{trace, "INFO: next"}));
  const std::string cut = "Traceback (most recent call last):\n  File \"a.py\", line 1";
  EXPECT_EQ(texts(options_of(MultilineMode::kAuto), cut + "\nERROR: x\n"), (Texts{cut, "ERROR: x"}));
}

TEST(Splitter, JoinsAGoPanicAcrossItsBlankLine) {
  const std::string trace =
      "panic: boom\n\ngoroutine 1 [running]:\nmain.(*T).run(0xc000, {0x1, 0x2})\n\t/a/b.go:7 +0x1d\n"
      "created by main.main\n\t/a/b.go:3 +0x20\nexit status 2";
  EXPECT_EQ(texts(options_of(MultilineMode::kAuto), trace + "\n\nplain (line)\n"), (Texts{trace, "plain (line)"}));
}

TEST(Splitter, AGroupEndsAtItsLimits) {
  SplitOptions options = options_of(MultilineMode::kAuto, 6);
  EXPECT_EQ(texts(options, "a\n b\n c\n"), (Texts{"a\n b", " c"}));
  options = options_of(MultilineMode::kAuto);
  options.max_group_lines = 2;
  EXPECT_EQ(texts(options, "a\n b\n c\n d\n e\n"), (Texts{"a\n b", " c\n d", " e"}));
}

TEST(Splitter, AStartPatternDecidesAlone) {
  SplitOptions options = options_of(MultilineMode::kStartPattern);
  options.start_pattern = "\\[\\d+\\]";
  EXPECT_EQ(texts(options, "[1] a\nb\n c\n\nd\n\n[2] e\nx [3]\n"), (Texts{"[1] a\nb\n c\n\nd", "[2] e\nx [3]"}));
}

TEST(Splitter, APatternThatAlwaysOrNeverMatchesStaysBounded) {
  SplitOptions options = options_of(MultilineMode::kStartPattern, 100);
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += "line\n";
  options.start_pattern = "nothing";
  for (const Record& r : split(options, bytes, AtEnd::kHold).records) EXPECT_LE(r.length, 100u);
  EXPECT_GE(split(options, bytes, AtEnd::kHold).result.consumed, 4900u);
  options.start_pattern = "";
  EXPECT_EQ(split(options, bytes, AtEnd::kFlush).records.size(), 1000u);
}

// ---------------------------------------------------------------- properties

std::string random_bytes(std::mt19937_64& random, std::size_t size) {
  static const std::vector<std::string> kPieces = {"\n",
                                                   "\n",
                                                   "\n\n",
                                                   "\r\n",
                                                   "\r",
                                                   " ",
                                                   "\t",
                                                   "a",
                                                   "1",
                                                   "xyz",
                                                   "\n\tat b",
                                                   "\njava.lang.Error: x",
                                                   "\nCaused by: y",
                                                   "\nTraceback (most recent call last):\n  f",
                                                   "\nValueError: z",
                                                   "\npanic: p",
                                                   "\ngoroutine 1 [",
                                                   "\nmain.f()",
                                                   "\n... 3 more",
                                                   "\nSystem.Exception",
                                                   std::string(1, '\0'),
                                                   "\xff",
                                                   "\n                 at q",
                                                   "longer text here"};
  std::string bytes;
  while (bytes.size() < size) bytes += kPieces[random() % kPieces.size()];
  bytes.resize(size);
  return bytes;
}

struct Whole {
  std::vector<Record> records;
  std::uint64_t blank = 0;
};

// Feeds the bytes as a reader does: what was not consumed comes again with more behind it.
Whole feed(const RecordSplitter& splitter, std::string_view bytes, std::mt19937_64& random, std::size_t chunk,
           std::size_t held_limit) {
  Whole whole;
  RecordSplitter::Carry carry;
  std::size_t begin = 0;
  std::size_t end = 0;
  for (bool last = false; !last;) {
    end = std::min(bytes.size(), end + 1 + random() % chunk);
    last = end == bytes.size();
    std::vector<Record> records;
    const auto result =
        splitter.split(bytes.substr(begin, end - begin), last ? AtEnd::kFlush : AtEnd::kHold, carry, records);
    std::size_t at = 0;
    for (Record r : records) {
      EXPECT_EQ(r.begin - r.blank, at);
      const std::string_view hidden = bytes.substr(begin + at, r.blank);
      EXPECT_EQ(hidden.find_first_not_of("\r\n"), std::string_view::npos);
      at = r.end();
      whole.blank += r.blank;
      r.begin += static_cast<std::uint32_t>(begin);
      r.blank = 0;
      whole.records.push_back(r);
    }
    EXPECT_EQ(at + result.trailing_blank, result.consumed);
    whole.blank += result.trailing_blank;
    begin += result.consumed;
    EXPECT_LE(end - begin, held_limit);
  }
  EXPECT_EQ(begin, bytes.size());
  return whole;
}

std::string describe(const std::vector<Record>& records, std::string_view bytes) {
  std::string text;
  for (const Record& r : records) {
    const std::string_view part = bytes.substr(r.begin, r.length);
    text += fmt::format("{}+{} flags {} lines {}: {}\n", r.begin, r.length, r.flags, r.lines, printable(part));
  }
  return text;
}

bool same(const Record& a, const Record& b) {
  return a.begin == b.begin && a.length == b.length && a.flags == b.flags && a.lines == b.lines;
}

TEST(Splitter, GivesTheSameRecordsForEveryChunkingAndCoversEveryByte) {
  std::mt19937_64 random(42);
  for (int round = 0; round < 6000; ++round) {
    const auto mode = static_cast<MultilineMode>(random() % 3);
    SplitOptions options = options_of(mode, static_cast<std::uint32_t>(random() % 4 == 0 ? 1 + random() % 40 : 4000));
    options.keep_blank = random() % 4 == 0;
    options.max_group_lines = static_cast<std::uint32_t>(random() % 2 == 0 ? 1000 : 1 + random() % 5);
    const auto splitter = make(options);
    const std::string bytes = random_bytes(random, 1 + random() % 600);
    const std::size_t limit = std::size_t{options.max_record} + 32;
    const Whole one = feed(*splitter, bytes, random, 1'000'000, limit);
    const Whole cut = feed(*splitter, bytes, random, 1 + random() % 64, limit + 64);
    ASSERT_TRUE(std::equal(one.records.begin(), one.records.end(), cut.records.begin(), cut.records.end(), same))
        << "round " << round << " mode " << static_cast<int>(mode) << " max " << options.max_record << "\n"
        << describe(one.records, bytes) << "---\n"
        << describe(cut.records, bytes);
    ASSERT_EQ(one.blank, cut.blank);
    if (HasFailure()) FAIL() << "round " << round;
  }
}

TEST(Splitter, SaysWhetherAHeldLineShowsNoSignOfGoingOn) {
  const auto lone = [](std::string_view bytes, MultilineMode mode = MultilineMode::kAuto) {
    return split(options_of(mode), bytes, AtEnd::kHold).result.lone_line_held;
  };
  EXPECT_TRUE(lone("one\n"));
  EXPECT_TRUE(lone("one\nexpected state\n"));
  EXPECT_FALSE(lone("one\n\tat a.b\n")) << "its group is open";
  EXPECT_FALSE(lone("Traceback (most recent call last):\n"));
  EXPECT_FALSE(lone("java.lang.IllegalStateException: text\n"));
  EXPECT_FALSE(lone("panic: text\n"));
  EXPECT_FALSE(lone("one\n hal")) << "a line is half there";
  EXPECT_FALSE(lone("1 one\n", MultilineMode::kStartPattern));
  EXPECT_FALSE(lone("one\n", MultilineMode::kNone)) << "nothing is held";
}

TEST(Splitter, CountsLinesAsGrepDoesWithoutMultiline) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 300; ++round) {
    const std::string bytes = random_bytes(random, 1 + random() % 5000);
    std::size_t expected = 0;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t lf = std::min(bytes.find('\n', at), bytes.size());
      if (bytes.substr(at, lf - at).find_first_not_of('\r') != std::string::npos) ++expected;
      at = lf + 1;
    }
    ASSERT_EQ(texts(options_of(MultilineMode::kNone), bytes).size(), expected);
  }
}

}  // namespace
}  // namespace logboom::parse
