#include <atomic>
#include <optional>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "logstore/embedded/search/searcher.h"
#include "logstore/embedded/search/testing/corpus.h"

namespace logboom::logstore::embedded {
namespace {

TEST(EmbeddedSearcher, ADamagedBlockHidesOnlyItself) {
  Corpus corpus(21);
  corpus.fill(40);
  ASSERT_GT(corpus.view().blocks(), 2u);
  corpus.view().damage_block(1);
  SystemClock clock;
  const auto searcher = make_searcher(corpus.view(), clock, {2, 64u << 20});
  SearchRequest request;
  request.limit = UINT64_MAX;
  Collected visitor;
  const auto result = searcher->search(request, visitor, {});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->stats.damaged_blocks, 1u);
  EXPECT_FALSE(result->stats.exact);
  EXPECT_LT(visitor.rows.size(), corpus.rows().size());
  EXPECT_GT(visitor.rows.size(), 0u);
}

TEST(EmbeddedSearcher, AnAbsentWordOpensNoBlock) {
  Corpus corpus(3);
  corpus.fill(40);
  corpus.view().convert(1000);
  SystemClock clock;
  const auto searcher = make_searcher(corpus.view(), clock, {2, 64u << 20});
  for (const char* text : {"qqqzzzqqq", "\"no such phrase zzyzx\"", "*zzyzx*", "/zzyzx[0-9]+/", "zzyzx OR qqqzzzqqq",
                           "timeout zzyzx", "zzyzx status:500"}) {
    const std::size_t before = corpus.view().opened();
    SearchRequest request;
    request.query = query::parse(text)->root;
    Collected visitor;
    const auto result = searcher->search(request, visitor, {});
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->stats.records, 0u);
    EXPECT_LE(corpus.view().opened() - before, 2u) << text;
  }
}

TEST(EmbeddedSearcher, AStoppedSearchIsPartial) {
  Corpus corpus(4);
  corpus.fill(60);
  SystemClock clock;
  const auto searcher = make_searcher(corpus.view(), clock, {1, 64u << 20});
  std::stop_source stop;
  stop.request_stop();
  SearchRequest request;
  Collected visitor;
  const auto result = searcher->search(request, visitor, stop.get_token());
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->stats.partial);
  EXPECT_FALSE(result->stats.exact);
}

TEST(EmbeddedSearcher, AVisitorThatHasEnoughEndsTheSearch) {
  struct Once final : SearchVisitor {
    int calls = 0;
    bool on_rows(std::vector<Row>) override { return ++calls > 1; }
  };
  Corpus corpus(4);
  corpus.fill(60);
  SystemClock clock;
  const auto searcher = make_searcher(corpus.view(), clock, {1, 64u << 20});
  SearchRequest request;
  request.limit = UINT64_MAX;
  Once visitor;
  const auto result = searcher->search(request, visitor, {});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(visitor.calls, 1);
  EXPECT_TRUE(result->stats.partial);
}

// Q4: the search that finds no memory fails; the next one is answered.
TEST(EmbeddedSearcher, Q4MemoryThatIsUsedUpFailsTheSearchAlone) {
  Corpus corpus(5);
  corpus.fill(40);
  corpus.view().convert(20);
  SystemClock clock;
  const auto searcher = make_searcher(corpus.view(), clock, {3, 64u << 20});
  SearchRequest request;
  request.limit = UINT64_MAX;
  const auto search = [&](SearchVisitor& visitor) { return searcher->search(request, visitor, {}); };
  Collected visitor;
  corpus.view().use_up_memory(true);
  const auto failed = search(visitor);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code(), ErrorCode::kUnavailable);
  corpus.view().use_up_memory(false);
  struct Greedy final : SearchVisitor {
    bool on_rows(std::vector<Row>) override { throw std::bad_alloc(); }
  } greedy;
  EXPECT_FALSE(search(greedy).ok());
  Collected whole;
  ASSERT_TRUE(search(whole).ok());
  EXPECT_EQ(whole.rows.size(), corpus.rows().size());
}

TEST(EmbeddedSearcher, NamesTheFieldsOfMatchingRecords) {
  Corpus corpus(8);
  corpus.fill(40);
  SystemClock clock;
  const auto searcher = make_searcher(corpus.view(), clock, {1, 64u << 20});
  SearchRequest request;
  const auto names = searcher->fields(request, {});
  ASSERT_TRUE(names.ok());
  std::set<std::string> got;
  for (const FieldInfo& info : *names) got.insert(info.name);
  std::set<std::string> expected;
  parse::FieldParser parser;
  for (const Row& row : corpus.rows()) {
    for (const auto& [name, value] : row.fields) expected.insert(name);
    for (const parse::Field& field : parser.fields(row.format, row.text)) expected.insert(field.name);
  }
  // Of a sample: what every source has, and nothing that is not there.
  for (const char* name : {"service", "status", "user", "msg"}) EXPECT_TRUE(got.contains(name)) << name;
  for (const std::string& name : got) EXPECT_TRUE(expected.contains(name)) << name;
}

// More rows than may wait: the lanes park until the slow visitor has taken some.
TEST(EmbeddedSearcher, ManyBigRowsComeInOrderWithinBoundedMemory) {
  MemoryView view;
  std::uint64_t offset = 0;
  for (int i = 0; i < 60; ++i) {
    Batch batch;
    batch.source = {1, 1};
    batch.channel = "a";
    batch.begin = offset;
    for (int k = 0; k < 10; ++k) {
      Record record;
      record.begin = static_cast<std::uint32_t>(batch.bytes.size());
      record.length = 100'000;
      record.time = kStart + (i % 7) * 10 * kNsPerSecond + k;  // seven groups of chunks that overlap
      batch.bytes += std::string(100'000, static_cast<char>('a' + i % 26)) + "\n";
      batch.records.push_back(record);
    }
    batch.end = offset += batch.bytes.size();
    std::vector<Batch> one;
    one.push_back(std::move(batch));
    view.commit(std::move(one));
  }
  struct Ordered final : SearchVisitor {
    std::size_t count = 0;
    bool in_order = true;
    std::optional<RowKey> last;
    bool on_rows(std::vector<Row> rows) override {
      for (const Row& row : rows) {
        in_order = in_order && (!last || key_of(row) < *last);
        last = key_of(row);
      }
      count += rows.size();
      return true;
    }
  };
  SystemClock clock;
  const auto searcher = make_searcher(view, clock, {3, 8u << 20});
  SearchRequest request;
  request.limit = UINT64_MAX;
  Ordered visitor;
  ASSERT_TRUE(searcher->search(request, visitor, {}).ok());
  EXPECT_EQ(visitor.count, 600u);
  EXPECT_TRUE(visitor.in_order);
}

TEST(EmbeddedSearcher, SearchesAtTheSameTimeShareOnePool) {
  Corpus corpus(12);
  corpus.fill(50);
  SystemClock clock;
  const auto searcher = make_searcher(corpus.view(), clock, {2, 1});  // room for one chunk at a time
  SearchRequest request;
  request.query = query::parse("timeout")->root;
  request.limit = UINT64_MAX;
  const std::size_t expected = corpus.matching(request).size();
  std::vector<std::jthread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Collected visitor;
      const auto result = searcher->search(request, visitor, {});
      if (result.ok() && visitor.rows.size() == expected) ++good;
    });
  }
  threads.clear();
  EXPECT_EQ(good, 4);
}

}  // namespace
}  // namespace logboom::logstore::embedded
