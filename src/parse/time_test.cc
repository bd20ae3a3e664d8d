#include "parse/time.h"

#include <random>

#include <gtest/gtest.h>

#include "base/log.h"
#include "parse/golden.h"

namespace logboom::parse {
namespace {

std::string shown(const std::optional<TimeNs>& time) {
  return time ? format_time_utc(*time) : "none";
}

TEST(Time, GoldenCases) {
  TimeContext context;
  bool whole = false;
  int cases = 0;
  for (const auto& line : testing::read_golden("time.txt")) {
    if (line.directive) {
      const std::string value = line.expected.substr(std::min(line.expected.size(), line.expected.find(' ') + 1));
      if (line.expected.starts_with("@arrival ")) {
        context.arrival = parse_time(value, TimeContext()).value();
      } else if (line.expected.starts_with("@zone ")) {
        context.zone_seconds = std::stoi(value);
      } else {
        whole = line.expected == "@whole";
      }
      continue;
    }
    ++cases;
    TimeHint hint;
    std::optional<TimeNs> time;
    if (whole) {
      time = parse_time(line.input, context);
    } else if (const auto found = find_time(line.input, context, hint)) {
      time = found->time;
      // The same line again, by the hint.
      const auto again = find_time(line.input, context, hint);
      EXPECT_TRUE(again && again->time == found->time && again->end == found->end) << "line " << line.number;
    }
    EXPECT_EQ(shown(time), line.expected) << "time.txt:" << line.number << ": " << printable(line.input);
  }
  EXPECT_GE(cases, 80);
}

TEST(Time, SaysWhereTheStampStands) {
  TimeHint hint;
  const auto found = find_time("[2026-11-20 14:31:58,204] x", TimeContext(), hint);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->begin, 1u);
  EXPECT_EQ(found->end, 24u);
  EXPECT_EQ(hint.position, 1u);
}

TEST(Time, TheHintFollowsABracketThatMoves) {
  TimeHint hint;
  for (const char* address : {"1.1.1.1", "10.20.30.40", "::1"}) {
    const std::string line = std::string(address) + " - - [20/Nov/2026:14:31:58 +0000] \"GET /\"";
    const auto found = find_time(line, TimeContext(), hint);
    ASSERT_TRUE(found) << line;
    EXPECT_EQ(format_time_utc(found->time), "2026-11-20T14:31:58Z");
  }
}

TEST(Time, AHintNeverHidesAnotherFormat) {
  TimeHint hint;
  TimeContext context;
  context.arrival = parse_time("2026-11-20T15:00:00Z", {}).value();
  for (const char* line : {"2026-11-20 14:31:58 a", "Nov 20 14:31:58 b", "1700000000 c", "2026-11-21 00:00:00 d",
                           "I1120 14:31:58.000001 e", "20-Nov-2026 14:31:58 f", "none", "2026-11-20 14:31:58 g"}) {
    TimeHint fresh;
    const auto with = find_time(line, context, hint);
    const auto without = find_time(line, context, fresh);
    ASSERT_EQ(with.has_value(), without.has_value()) << line;
    if (with) {
      EXPECT_EQ(with->time, without->time) << line;
    }
  }
}

TEST(Time, TheCachedDateChangesWithTheDay) {
  TimeHint hint;
  std::mt19937_64 random(5);
  for (int i = 0; i < 5000; ++i) {
    const TimeNs time = static_cast<TimeNs>(random() % (4'000'000'000ULL)) * kNsPerSecond;
    const std::string iso = format_time_utc(time);
    const auto found = find_time(iso + " x", TimeContext(), hint);
    ASSERT_TRUE(found) << iso;
    ASSERT_EQ(found->time, time) << iso;
  }
}

TEST(Time, FormatsWithTheDigitsNeeded) {
  EXPECT_EQ(format_time_utc(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_time_utc(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(format_time_utc(1'700'000'000'120'000'000), "2023-11-14T22:13:20.120Z");
  EXPECT_EQ(format_time_utc(1'700'000'000'120'400'000), "2023-11-14T22:13:20.120400Z");
  EXPECT_EQ(format_time_utc(INT64_MAX), "2262-04-11T23:47:16.854775807Z");
  EXPECT_EQ(format_time_utc(INT64_MIN), "1677-09-21T00:12:43.145224192Z");
}

TEST(Time, TakesAnyBytes) {
  std::mt19937_64 random(9);
  constexpr char kAlphabet[] = "0123456789::--//..  TZ+[]\"=NovFri,I\0\xff";
  const std::string alphabet(kAlphabet, sizeof kAlphabet - 1);
  TimeHint hint;
  for (int i = 0; i < 200'000; ++i) {
    // An own allocation of exact size: a sanitizer sees every byte read behind it.
    std::string line(random() % 40, ' ');
    for (char& c : line) c = alphabet[random() % alphabet.size()];
    const std::unique_ptr<char[]> exact(new char[line.size()]);
    std::copy(line.begin(), line.end(), exact.get());
    const auto found = find_time({exact.get(), line.size()}, TimeContext(), hint);
    if (found) {
      ASSERT_LE(found->end, line.size());
      ASSERT_LT(found->begin, found->end);
    }
    (void)parse_time({exact.get(), line.size()}, TimeContext());
  }
}

}  // namespace
}  // namespace logboom::parse
