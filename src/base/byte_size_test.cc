#include "base/byte_size.h"

#include <gtest/gtest.h>

namespace logboom {
namespace {

TEST(ByteSize, ParsesUnitsOfBothKinds) {
  EXPECT_EQ(ByteSize::parse("64MB")->bytes(), 64'000'000u);
  EXPECT_EQ(ByteSize::parse("64MiB")->bytes(), 64u << 20);
  EXPECT_EQ(ByteSize::parse("1.5 GB")->bytes(), 1'500'000'000u);
  EXPECT_EQ(ByteSize::parse("4k")->bytes(), 4096u);
  EXPECT_EQ(ByteSize::parse("0")->bytes(), 0u);
}

TEST(ByteSize, RefusesWhatIsNoSize) {
  for (const char* text : {"", "MB", "-1", "1 MBs", "1e400", "nan", "inf", "99999999999TB", "1 2"}) {
    EXPECT_FALSE(ByteSize::parse(text).ok()) << text;
  }
}

TEST(ByteSize, PrintsThreeDigits) {
  EXPECT_EQ(ByteSize(999).to_string(), "999 B");
  EXPECT_EQ(ByteSize(1234).to_string(), "1.23 kB");
  EXPECT_EQ(ByteSize(999'999'999).to_string(), "1.00 GB");
}

}  // namespace
}  // namespace logboom
