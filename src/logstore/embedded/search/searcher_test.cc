#include "logstore/embedded/search/searcher.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "logstore/embedded/search/rows.h"
#include "logstore/embedded/search/tally.h"
#include "logstore/embedded/search/testing/memory_view.h"

namespace logboom::logstore::embedded {
namespace {

constexpr TimeNs kStart = 1'700'000'000 * kNsPerSecond;

struct Collected final : SearchVisitor {
  std::vector<Row> rows;
  bool on_rows(std::vector<Row> more) override {
    std::move(more.begin(), more.end(), std::back_inserter(rows));
    return true;
  }
};

// All rows that were ever committed, looked at one by one.
class Corpus {
 public:
  explicit Corpus(std::uint32_t seed) : random_(seed) {}

  // Writes batches of several sources, as tails and blocks, with late and wild times.
  void fill(std::size_t commits) {
    for (std::size_t i = 0; i < commits; ++i) {
      std::vector<Batch> batches;
      const std::size_t n = 1 + random_() % 3;
      std::set<std::size_t> used;
      for (std::size_t k = 0; k < n; ++k) {
        const std::size_t source = random_() % 4;
        if (!used.insert(source).second) continue;
        batches.push_back(batch_of(source));
        if (source == 0 && random_() % 2 == 0) batches.push_back(on_other_channel(batches.back()));
      }
      const bool block = random_() % 3 == 0;
      const std::uint64_t next = view_.snapshot()->commit + 1;
      for (const Batch& batch : batches) note(batch, next);
      if (block) {
        view_.commit_block(std::move(batches));
      } else {
        view_.commit(std::move(batches));
      }
      if (random_() % 5 == 0) view_.convert(random_() % 8);
    }
  }

  MemoryView& view() { return view_; }
  const std::vector<Row>& rows() const { return rows_; }
  std::mt19937& random() { return random_; }

  std::vector<Row> matching(const SearchRequest& request) {
    const auto matcher = query::Matcher::compile(request.query);
    EXPECT_TRUE(matcher.ok());
    query::Matcher::Scratch scratch;
    std::vector<Row> out;
    for (const Row& row : rows_) {
      if (row.time >= request.from && row.time < request.to && matcher->matches(view_of_row(row), scratch))
        out.push_back(row);
    }
    std::sort(out.begin(), out.end(), [&](const Row& a, const Row& b) {
      if (key_of(a) == key_of(b)) return a.channel < b.channel;
      return request.newest_first ? key_of(b) < key_of(a) : key_of(a) < key_of(b);
    });
    return out;
  }

 private:
  query::RecordView view_of_row(const Row& row) const {
    query::RecordView view;
    view.text = row.text;
    view.host = row.host;
    view.path = row.path;
    view.channel = row.channel;
    view.rule = row.channel == "a" ? "rule-a" : "rule-b";
    view.source = row.source;
    view.level = row.level;
    view.format = row.format;
    view.constants = &row.fields;
    return view;
  }

  std::string word() {
    static const std::vector<std::string> kWords = {"timeout",  "Timeout", "connection", "refused", "error", "user=42",
                                                    "10.0.0.1", "GET",     "/api/v1",    "错误",    "été",   "ms",
                                                    "conn",     "disk",    "sda1",       "x",       "=",     "[warn]"};
    return random_() % 4 == 0 ? std::to_string(random_() % 500) : kWords[random_() % kWords.size()];
  }

  std::string text_of(bool json) {
    if (json) {
      return "{\"status\":" + std::to_string(200 + random_() % 5 * 100) + ",\"user\":\"" + word() + "\",\"msg\":\"" +
             word() + " " + word() + "\"}";
    }
    std::string text;
    const std::size_t words = random_() % 8;
    for (std::size_t i = 0; i < words; ++i) text += (i == 0 ? "" : " ") + word();
    if (random_() % 10 == 0) text += "\n  at " + word();
    if (random_() % 30 == 0) text += "\r";
    return text;
  }

  Batch batch_of(std::size_t source) {
    Batch batch;
    batch.source = {source + 1, 77};
    batch.epoch = 0;
    batch.channel = source % 2 == 0 ? "a" : "b";
    batch.rule = source % 2 == 0 ? "rule-a" : "rule-b";
    batch.format = source == 3 ? Format::kJson : Format::kText;
    batch.state.host = source < 2 ? "web-1" : "db-1";
    batch.state.path = "/var/log/app-" + std::to_string(source) + ".log";
    if (source == 1) batch.fields = {{"service", "shop"}};
    batch.begin = offsets_[source];
    const std::size_t records = random_() % 40;
    for (std::size_t i = 0; i < records; ++i) {
      const std::string text = text_of(batch.format == Format::kJson);
      Record record;
      record.begin = static_cast<std::uint32_t>(batch.bytes.size());
      record.length = static_cast<std::uint32_t>(text.size());
      record.lines = 1 + static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n'));
      record.level = static_cast<Level>(random_() % kLevels);
      record.time = clock_ += static_cast<TimeNs>(random_() % 3) * kNsPerSecond;
      if (random_() % 20 == 0) record.time -= static_cast<TimeNs>(random_() % 100) * kNsPerSecond;
      if (random_() % 200 == 0) record.time += 1'000'000 * kNsPerSecond;
      record.time_origin = TimeOrigin::kParsed;
      batch.bytes += text + "\n";
      batch.records.push_back(record);
    }
    offsets_[source] += batch.bytes.size();
    batch.end = offsets_[source];
    batch.state.position = batch.end;
    return batch;
  }

  // The same bytes of the same file, collected by a second rule.
  static Batch on_other_channel(const Batch& batch) {
    Batch other;
    other.source = batch.source, other.epoch = batch.epoch, other.begin = batch.begin, other.end = batch.end;
    other.bytes = batch.bytes, other.records = batch.records, other.state = batch.state, other.format = batch.format;
    other.channel = "c";
    other.rule = "rule-b";
    return other;
  }

  void note(const Batch& batch, std::uint64_t commit) {
    for (const Record& record : batch.records) rows_.push_back(row_of(batch, record, nullptr, commit));
  }

  std::mt19937 random_;
  MemoryView view_;
  TimeNs clock_ = kStart;
  std::array<std::uint64_t, 4> offsets_{};
  std::vector<Row> rows_;
};

bool same(const Row& a, const Row& b) {
  return key_of(a) == key_of(b) && a.text == b.text && a.level == b.level && a.host == b.host && a.path == b.path &&
         a.channel == b.channel && a.commit == b.commit && a.lines == b.lines && a.flags == b.flags &&
         a.format == b.format && a.fields == b.fields && a.time_origin == b.time_origin;
}

// Rows of equal keys come in any order.
void expect_rows(std::vector<Row> got, const std::vector<Row>& expected, const std::string& what) {
  for (std::size_t i = 1; i < got.size(); ++i) {
    if (key_of(got[i]) == key_of(got[i - 1]) && got[i].commit == got[i - 1].commit &&
        got[i].channel < got[i - 1].channel)
      std::swap(got[i], got[i - 1]);
  }
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_TRUE(same(got[i], expected[i]))
        << what << " row " << i << ": " << got[i].text << " at " << got[i].time << " commit " << got[i].commit << " / "
        << expected[i].text << " at " << expected[i].time << " commit " << expected[i].commit;
  }
}

const std::vector<std::string> kQueries = {"",
                                           "timeout",
                                           "absentword",
                                           "connection refused",
                                           "timeout OR refused",
                                           "-timeout",
                                           "conn*",
                                           "*fuse*",
                                           "*ime*ut",
                                           "\"connection refused\"",
                                           "=Timeout",
                                           "/time(out|x)/",
                                           "/[0-9]{3}/",
                                           "/^GET/",
                                           "错误",
                                           "ÉTÉ",
                                           "user=42",
                                           "10.0.0.1",
                                           "host:web-1",
                                           "host:web-1 timeout",
                                           "-host:web-1",
                                           "host:nowhere",
                                           "level:error",
                                           "level:>=warn timeout",
                                           "topic:a",
                                           "rule:rule-b",
                                           "file:app-2.log",
                                           "source:*4d",
                                           "service:shop",
                                           "service:shop OR status:500",
                                           "status:500",
                                           "status:>=400",
                                           "status:>=400 error",
                                           "user:timeout",
                                           "user:*",
                                           "NOT status:200",
                                           "-(timeout OR error)",
                                           "x OR (disk -sda1)",
                                           "at",
                                           "\"[warn]\"",
                                           "host:web-1 OR level:fatal",
                                           "/^ +at/",
                                           "msg:~\"disk\"",
                                           "123",
                                           "*"};

SearchRequest request_for(Corpus& corpus, const std::string& text) {
  SearchRequest request;
  const auto parsed = query::parse(text);
  EXPECT_TRUE(parsed.ok() && parsed->note.empty()) << text;
  request.query = parsed->root;
  auto& random = corpus.random();
  if (random() % 3 == 0) request.from = kStart + static_cast<TimeNs>(random() % 400) * kNsPerSecond;
  if (random() % 3 == 0) request.to = kStart + static_cast<TimeNs>(random() % 2000) * kNsPerSecond;
  request.newest_first = random() % 3 != 0;
  request.limit = random() % 4 == 0 ? UINT64_MAX : random() % 4 == 0 ? 0 : 1 + random() % 50;
  request.count_all = random() % 2 == 0;
  if (random() % 2 == 0) request.histogram_step = static_cast<TimeNs>(1 + random() % 100) * kNsPerSecond;
  if (random() % 3 == 0) request.values_of = {"host", "level", "status", "user", "service", "rule"};
  return request;
}

void check_histogram(const SearchRequest& request, const std::vector<Row>& expected, const SearchResult& result) {
  std::map<TimeNs, std::array<std::uint64_t, kLevels>> buckets;
  for (const Row& row : expected) {
    ++buckets[bucket_of(row.time, request.histogram_step)][static_cast<std::size_t>(row.level)];
  }
  ASSERT_EQ(result.histogram.size(), buckets.size());
  std::size_t i = 0;
  for (const auto& [start, counts] : buckets) {
    EXPECT_EQ(result.histogram[i].start, start);
    EXPECT_EQ(result.histogram[i].counts, counts);
    ++i;
  }
}

void check_values(const std::vector<Row>& expected, const SearchResult& result) {
  std::map<std::string, std::uint64_t> hosts;
  std::map<std::string, std::uint64_t> levels;
  for (const Row& row : expected) {
    ++hosts[row.host];
    if (row.level != Level::kNone) ++levels[std::string(level_name(row.level))];
  }
  const auto as_map = [](const FieldValues& values) {
    std::map<std::string, std::uint64_t> out;
    for (const ValueCount& v : values.values) out[v.value] = v.count;
    return out;
  };
  EXPECT_EQ(as_map(result.values[0]), hosts);
  EXPECT_EQ(as_map(result.values[1]), levels);
}

TEST(EmbeddedSearcher, AnswersAsLookingAtEveryRowDoes) {
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    Corpus corpus(seed);
    corpus.fill(60);
    SystemClock clock;
    const auto searcher = make_searcher(corpus.view(), clock, {2, 64u << 20});
    for (const std::string& text : kQueries) {
      const SearchRequest request = request_for(corpus, text);
      Collected visitor;
      const auto result = searcher->search(request, visitor, {});
      ASSERT_TRUE(result.ok()) << text << ": " << result.error().message();
      std::vector<Row> expected = corpus.matching(request);
      const std::string what = "seed " + std::to_string(seed) + " query " + text;
      if (request.count_all || request.limit == 0) {
        EXPECT_TRUE(result->stats.exact) << what;
        EXPECT_EQ(result->stats.records, expected.size()) << what;
        std::uint64_t lines = 0;
        for (const Row& row : expected) lines += row.lines;
        EXPECT_EQ(result->stats.lines, lines) << what;
      }
      if (request.histogram_step > 0) check_histogram(request, expected, *result);
      if (!request.values_of.empty()) check_values(expected, *result);
      if (expected.size() > request.limit && request.limit > 0) {
        const RowKey last = key_of(expected[request.limit - 1]);
        std::erase_if(expected,
                      [&](const Row& row) { return request.newest_first ? key_of(row) < last : last < key_of(row); });
      }
      if (request.limit == 0) expected.clear();
      expect_rows(visitor.rows, expected, what);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(EmbeddedSearcher, PagesMeetWithoutLossOrRepeat) {
  Corpus corpus(17);
  corpus.fill(50);
  SystemClock clock;
  const auto searcher = make_searcher(corpus.view(), clock, {2, 64u << 20});
  for (const bool newest_first : {true, false}) {
    SearchRequest request;
    request.query = query::parse("timeout OR error")->root;
    request.newest_first = newest_first;
    const std::vector<Row> expected = corpus.matching(request);
    std::vector<Row> got;
    request.limit = 7;
    while (true) {
      Collected page;
      ASSERT_TRUE(searcher->search(request, page, {}).ok());
      if (page.rows.empty()) break;
      std::move(page.rows.begin(), page.rows.end(), std::back_inserter(got));
      request.after = key_of(got.back());
    }
    expect_rows(got, expected, newest_first ? "newest first" : "oldest first");
  }
}

TEST(EmbeddedSearcher, FollowSkipsAndRepeatsNothingWhileTailsBecomeBlocks) {
  Corpus corpus(5);
  SystemClock clock;
  const auto searcher = make_searcher(corpus.view(), clock, {1, 64u << 20});
  std::uint64_t commit = 0;
  std::vector<Row> got;
  const query::Node query = query::parse("timeout OR refused")->root;
  for (int round = 0; round < 40; ++round) {
    corpus.fill(1 + corpus.random()() % 3);
    if (corpus.random()() % 3 == 0) corpus.view().convert(corpus.random()() % 6);
    for (int call = 0; call < 2; ++call) {
      auto rows = searcher->follow(query, commit, 1 + corpus.random()() % 20, std::chrono::milliseconds(0), {});
      ASSERT_TRUE(rows.ok());
      std::move(rows->begin(), rows->end(), std::back_inserter(got));
    }
  }
  while (commit < searcher->last_commit()) {
    auto rows = searcher->follow(query, commit, 10, std::chrono::milliseconds(0), {});
    ASSERT_TRUE(rows.ok());
    std::move(rows->begin(), rows->end(), std::back_inserter(got));
  }
  SearchRequest request;
  request.query = query;
  std::vector<Row> expected = corpus.matching(request);
  std::sort(expected.begin(), expected.end(), [](const Row& a, const Row& b) {
    return std::tie(a.commit, a.source, a.offset, a.channel) < std::tie(b.commit, b.source, b.offset, b.channel);
  });
  expect_rows(got, expected, "follow");
}

TEST(EmbeddedSearcher, ContextIsInFileOrder) {
  Corpus corpus(9);
  corpus.fill(60);
  SystemClock clock;
  const auto searcher = make_searcher(corpus.view(), clock, {1, 64u << 20});
  for (std::uint64_t source = 1; source <= 4; ++source) {
    std::vector<Row> of_file;
    for (const Row& row : corpus.rows()) {
      if (row.source.high == source && row.channel != "c") of_file.push_back(row);
    }
    for (std::size_t at = 0; at < of_file.size(); at += 7) {
      ContextRequest request;
      request.source = {source, 77};
      request.channel = source % 2 == 1 ? "a" : "b";
      request.offset = of_file[at].offset + at % 2;
      request.before = static_cast<std::uint32_t>(at % 30);
      request.after = static_cast<std::uint32_t>(at % 45);
      const auto rows = searcher->context(request, {});
      ASSERT_TRUE(rows.ok());
      // An empty record begins where the next one may not: offset + 1 of an empty line is the next line's offset.
      std::size_t here = at;
      while (here + 1 < of_file.size() && of_file[here + 1].offset <= request.offset) ++here;
      const std::size_t from = here - std::min<std::size_t>(here, request.before);
      const std::size_t to = std::min(of_file.size(), here + 1 + request.after);
      expect_rows(
          *rows,
          {of_file.begin() + static_cast<std::ptrdiff_t>(from), of_file.begin() + static_cast<std::ptrdiff_t>(to)},
          "context " + std::to_string(source) + "/" + std::to_string(at));
      if (HasFatalFailure()) return;
    }
  }
  ContextRequest unknown;
  unknown.source = {99, 99};
  EXPECT_EQ(searcher->context(unknown, {}).error().code(), ErrorCode::kNotFound);
}

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
  EXPECT_EQ(got, (std::set<std::string>{"service", "status", "user", "msg"}));
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
