#include "record/batch.h"

#include <gtest/gtest.h>

namespace logboom {
namespace {

TEST(Level, NamesReadBack) {
  for (int i = 1; i < kLevels; ++i) {
    const Level level = static_cast<Level>(i);
    EXPECT_EQ(level_from_name(level_name(level)), level) << level_name(level);
  }
  EXPECT_EQ(level_name(Level::kNone), "");
}

TEST(Level, TakesAliasesInAnyCase) {
  EXPECT_EQ(level_from_name("WARNING"), Level::kWarn);
  EXPECT_EQ(level_from_name("Err"), Level::kError);
  EXPECT_EQ(level_from_name("critical"), Level::kFatal);
  EXPECT_EQ(level_from_name("EMERGENCY"), Level::kFatal);
  EXPECT_EQ(level_from_name("Informational"), Level::kInfo);
  EXPECT_EQ(level_from_name("notice"), Level::kInfo);
  EXPECT_EQ(level_from_name("SEVERE"), Level::kError);
}

TEST(Level, RefusesOtherWords) {
  for (const char* word : {"", "i", "in", "infos", "error_", "warnings", "ERR0R", "informationally", "\x01nfo"}) {
    EXPECT_EQ(level_from_name(word), std::nullopt) << word;
  }
}

TEST(Batch, CountsTheMemoryOfItsBuffers) {
  Batch batch;
  const std::uint64_t empty = batch.memory();
  batch.bytes.assign(100'000, 'x');
  batch.records.resize(1000);
  EXPECT_GE(batch.memory() + 64, empty + 100'000 + 1000 * sizeof(Record));
}

TEST(Batch, RecordsAreViewsWithOffsets) {
  Batch batch;
  batch.begin = 500;
  batch.bytes = "\none\ntwo";
  Record r;
  r.begin = 1;
  r.length = 3;
  r.blank = 1;
  EXPECT_EQ(batch.text(r), "one");
  EXPECT_EQ(batch.offset(r), 501u);
  EXPECT_EQ(r.end(), 5u);
}

TEST(Disposition, HasANameForEach) {
  EXPECT_EQ(disposition_name(Disposition::kStored), "stored");
  EXPECT_EQ(disposition_name(Disposition::kGap), "gap");
}

}  // namespace
}  // namespace logboom
