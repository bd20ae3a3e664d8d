#include "base/log.h"

#include <gtest/gtest.h>

namespace logboom {
namespace {

TEST(Printable, KeepsTextOfAnyScript) {
  EXPECT_EQ(printable("订单 a\"b ü"), "订单 a\"b ü");
}

TEST(Printable, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("a\nb\t\x1b[31m\x7f"), "a\\nb\\t\\x1b[31m\\x7f");
  EXPECT_EQ(printable("\u202e\u2066\ufeff"), "\\u202e\\u2066\\ufeff");
  EXPECT_EQ(printable("\xc2\x9b"), "\\u009b");
}

TEST(Printable, EscapesInvalidUtf8) {
  EXPECT_EQ(printable("\xff\xc0\xaf\xed\xa0\x80"), "\\xff\\xc0\\xaf\\xed\\xa0\\x80");
  EXPECT_EQ(printable("\xe4\xbd"), "\\xe4\\xbd");
}

}  // namespace
}  // namespace logboom
