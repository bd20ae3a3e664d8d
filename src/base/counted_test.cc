#include "base/counted.h"

#include <gtest/gtest.h>

namespace logboom {
namespace {

TEST(Counted, OneIsNotMany) {
  EXPECT_EQ(counted(0, "file"), "0 files");
  EXPECT_EQ(counted(1, "file"), "1 file");
  EXPECT_EQ(counted(18446744073709551615u, "row"), "18446744073709551615 rows");
}

}  // namespace
}  // namespace logboom
