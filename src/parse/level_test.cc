#include "parse/level.h"

#include <gtest/gtest.h>

#include "base/log.h"
#include "parse/golden.h"
#include "parse/time.h"

namespace logboom::parse {
namespace {

TEST(FindLevel, GoldenCases) {
  int cases = 0;
  for (const auto& line : testing::read_golden("level.txt")) {
    TimeHint hint;
    const auto time = find_time(line.input, TimeContext(), hint);
    const Level level = time ? find_level(line.input, time->begin, time->end) : find_level(line.input, 0, 0);
    const std::string shown = level == Level::kNone ? "-" : std::string(level_name(level));
    EXPECT_EQ(shown, line.expected) << "level.txt:" << line.number << ": " << printable(line.input);
    ++cases;
  }
  EXPECT_GE(cases, 50);
}

TEST(FindLevel, TakesAnEndBehindTheLine) {
  EXPECT_EQ(find_level("2 INFO", 8, 10), Level::kNone);
}

}  // namespace
}  // namespace logboom::parse
