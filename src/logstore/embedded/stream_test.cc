// Streams: prefix marks that come out of order, and their rows.
#include "logstore/embedded/stream.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "io/memory_file_system.h"
#include "logstore/embedded/file_reader.h"
#include "logstore/embedded/store_file.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::uint64_t kMb = 1u << 20;

PrefixMark mark_at(std::uint64_t mb) {
  return {mb * kMb, Hash128{mb, ~mb}};
}

std::vector<PrefixMark> marks_between(std::uint64_t first, std::uint64_t last) {
  std::vector<PrefixMark> marks;
  for (std::uint64_t mb = first; mb < last; ++mb) marks.push_back(mark_at(mb));
  return marks;
}

TEST(StreamMarks, LateOnesStandInOrder) {
  Stream stream;
  stream.add_marks(marks_between(500, 900));
  stream.add_marks(marks_between(1, 480));  // a refill of the beginning
  for (std::uint64_t mb = 499; mb >= 480; --mb) stream.add_marks({mark_at(mb)});
  stream.add_marks(marks_between(1, 901));  // all but one are known
  EXPECT_EQ(stream.all_marks(), marks_between(1, 901));
  for (const auto& row : stream.mark_rows) {
    EXPECT_GE(row->size(), kMarksPerRow);
    EXPECT_LT(row->size(), 2 * kMarksPerRow);
  }
}

TEST(StreamMarks, OnlyChangedRowsAreWritten) {
  MemoryFileSystem fs;
  ASSERT_TRUE(fs.create_directories("/data").ok());
  sqlite::Vfs vfs(fs);
  FileHead head;
  head.version = kStoreVersion;
  head.seq = 1;
  const std::string path = "/data/logs-000001.db";
  Stream stream;
  stream.id = 1;
  stream.channel = "logs";
  stream.add_marks(marks_between(5000, 6000));
  auto file = StoreFile::create(vfs, path, head, [&](StoreFile& to) { return to.put_stream(nullptr, stream); });
  ASSERT_TRUE(file.ok());
  std::uint64_t written = 0;
  for (std::uint64_t mb = 1; mb < 300; ++mb) {
    const Stream before = stream;
    stream.add_marks({mark_at(mb)});
    auto transaction = (*file)->begin();
    ASSERT_TRUE(transaction.ok() && (*file)->put_stream(&before, stream).ok() && transaction->commit().ok());
    for (const auto& row : stream.mark_rows) {
      written += std::find(before.mark_rows.begin(), before.mark_rows.end(), row) == before.mark_rows.end();
    }
  }
  EXPECT_LT(written, 2 * 300u);
  const auto loaded = FileReader(vfs, path, 1).load();
  ASSERT_TRUE(loaded.ok());
  EXPECT_TRUE(loaded->damages.empty());
  ASSERT_EQ(loaded->streams.size(), 1u);
  EXPECT_EQ(loaded->streams[0].all_marks(), stream.all_marks());
}

}  // namespace
}  // namespace logboom::logstore::embedded
