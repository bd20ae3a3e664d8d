// The store against a small OpenSearch in memory whose answers the tests script.
#include "logstore/elastic/elastic_store.h"

#include <atomic>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "logstore/elastic/testing/fake_cluster.h"
#include "logstore/embedded/testing/store_fixture.h"
#include "logstore/query/query.h"

namespace logboom::logstore {
namespace {

using elastic::FakeCluster;
using embedded::testing::Acks;
using embedded::testing::text_batch;

constexpr SourceId kSource{0x1234, 0x5678};
constexpr TimeNs kDay = 86'400 * kNsPerSecond;

struct ElasticStoreTest : ::testing::Test {
  FakeCluster cluster;
  SystemClock clock;
  Registry registry;
  Acks acks;
  std::unique_ptr<LogStore> store = open();

  std::unique_ptr<LogStore> open(std::chrono::milliseconds drain = std::chrono::milliseconds(100),
                                 std::size_t most_answer = 64u << 20) {
    ElasticOptions options;
    options.client.max_body = most_answer;
    options.urls = {cluster.url()};
    options.patience = std::chrono::milliseconds(0);
    options.drain = drain;
    auto opened = open_elastic_store(options, clock, registry, {});
    EXPECT_TRUE(opened.ok()) << opened.error().message();
    return opened.ok() ? std::move(*opened) : nullptr;
  }
  void append(Batch batch, std::optional<Position> position = std::nullopt) {
    ASSERT_TRUE(
        store->writer()->append(std::make_shared<const Batch>(std::move(batch)), position, acks.take(), {}).ok());
  }
  static bool comes_true(const std::function<bool()>& condition) {
    for (int i = 0; i < 6000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return condition();
  }
  void put(Batch batch, std::optional<Position> position = std::nullopt) {
    const std::size_t before = acks.count();
    append(std::move(batch), position);
    ASSERT_TRUE(comes_true([&] { return acks.count() > before; }));
  }
  // As kill -9 leaves it: nothing more is written, nothing is acknowledged.
  void kill() {
    cluster.stop();
    store.reset();
    cluster.start();
    cluster.on_bulk({});
    cluster.on_item({});
    store = open();
  }
  std::multiset<std::string> messages() const {
    std::multiset<std::string> out;
    for (const auto& [id, source] : cluster.documents()) out.insert(source.at("message").get<std::string>());
    return out;
  }
  std::string exported() {
    std::string out;
    const auto omissions = store->ledger().export_bytes({kSource, std::nullopt, ""},
                                                        [&](std::string_view bytes) {
                                                          out += bytes;
                                                          return ok_status();
                                                        },
                                                        {});
    EXPECT_TRUE(omissions.ok() && omissions->empty());
    return out;
  }
  AuditReport audit() {
    auto report = store->ledger().audit({}, {});
    EXPECT_TRUE(report.ok()) << report.error().message();
    return report.ok() ? std::move(*report) : AuditReport();
  }
};

TEST_F(ElasticStoreTest, EachLineIsOneDocumentAndTheFileComesBack) {
  put(text_batch(kSource, 0, "one\n\ntwo\n\n"));
  put(text_batch(kSource, 10, "three\r\n\xff four\nno end"));
  EXPECT_EQ(messages(), (std::multiset<std::string>{"one", "two", "three\r", "\xEF\xBF\xBD four", "no end"}));
  EXPECT_EQ(acks.count(), 2u);
  EXPECT_EQ(acks.errors(), 0u);
  EXPECT_EQ(exported(), "one\n\ntwo\n\nthree\r\n\xff four\nno end");
  EXPECT_TRUE(audit().clean);
  EXPECT_EQ(cluster.indices(), std::vector<std::string>{"logboom-logs-2023.11.14"});
}

TEST_F(ElasticStoreTest, WhatTheTargetIsTooBusyForIsSentAgainAlone) {
  std::map<std::string, int> sent;
  cluster.on_item([&](const FakeCluster::Item& item) {
    const std::string message = item.source.at("message");
    return ++sent[message] < 3 && message == "two" ? 429 : 0;
  });
  put(text_batch(kSource, 0, "one\ntwo\nthree\n"));
  EXPECT_EQ(messages(), (std::multiset<std::string>{"one", "two", "three"}));
  EXPECT_EQ(sent["one"], 1);
  EXPECT_EQ(sent["two"], 3);
}

TEST_F(ElasticStoreTest, WholeRequestsAreRefusedAndTriedAgain) {
  cluster.on_bulk([](int before) { return before < 2 ? 429 : before < 3 ? 503 : before < 4 ? 401 : 0; });
  put(text_batch(kSource, 0, "one\ntwo\n"));
  EXPECT_EQ(messages().size(), 2u);
  EXPECT_TRUE(audit().clean);
}

TEST_F(ElasticStoreTest, ARecordTheTargetRefusesGoesToQuarantineAndTheOthersAreStored) {
  cluster.on_item([](const FakeCluster::Item& item) { return item.source.at("message") == "two" ? 400 : 0; });
  put(text_batch(kSource, 0, "one\n\ntwo\nthree\n"));
  EXPECT_EQ(messages(), (std::multiset<std::string>{"one", "three"}));
  const auto refused = store->ledger().quarantine(10);
  ASSERT_TRUE(refused.ok());
  ASSERT_EQ(refused->size(), 1u);
  EXPECT_EQ(refused->at(0).bytes, "\ntwo\n");
  EXPECT_EQ(refused->at(0).begin, 4u);
  EXPECT_TRUE(store->ledger().quarantine(0)->empty());
  const AuditReport report = audit();
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].kind, "quarantined");
  EXPECT_EQ(acks.covered().contiguous_end(0), 15u);
}

TEST_F(ElasticStoreTest, FieldsTheMappingRefusesAreLeftOutBeforeTheRecordIs) {
  cluster.on_item([](const FakeCluster::Item& item) { return item.source.contains("fields.a") ? 400 : 0; });
  Batch batch = text_batch(kSource, 0, "{\"a\": 1}\n");
  batch.format = batch.state.format = Format::kJson;
  put(std::move(batch));
  EXPECT_EQ(messages().size(), 1u);
  EXPECT_TRUE(audit().clean);
}

TEST_F(ElasticStoreTest, AnAnswerThatIsLostMakesNoSecondDocument) {
  cluster.on_bulk([](int before) { return before == 0 ? FakeCluster::kCut : 0; });
  cluster.on_ledger_bulk([](int before) { return before < 4 && before % 2 == 0 ? FakeCluster::kCut : 0; });
  put(text_batch(kSource, 0, "one\ntwo\n"));
  put(text_batch(kSource, 8, "three\n"));
  EXPECT_EQ(messages().size(), 3u);
  EXPECT_EQ(acks.errors(), 0u);
  EXPECT_TRUE(audit().clean);
  EXPECT_GE(cluster.bulks(), 3);
}

TEST_F(ElasticStoreTest, TheSameBytesAgainAreARepeatOtherBytesAConflict) {
  put(text_batch(kSource, 0, "one\ntwo\n"));
  const int before = cluster.bulks();
  put(text_batch(kSource, 0, "one\ntwo\n"));
  EXPECT_EQ(cluster.bulks(), before);
  EXPECT_TRUE(audit().clean);
  put(text_batch(kSource, 4, "TWO\nthree\n"));
  EXPECT_EQ(messages(), (std::multiset<std::string>{"one", "two", "three"}));
  const AuditReport report = audit();
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].kind, "conflict");
  EXPECT_TRUE(store->keeper().accept(report.findings[0].id, "me").ok());
  EXPECT_TRUE(audit().clean);
}

TEST_F(ElasticStoreTest, ADocumentWithItsIdAndOtherBytesStaysAndIsAConflict) {
  put(text_batch(kSource, 0, "one\n"));
  // The ledger forgets what the index has.
  cluster.edit_ledger([](nlohmann::json& source) {
    if (source.contains("ranges")) source["ranges"] = nlohmann::json::array();
  });
  store = open();
  put(text_batch(kSource, 0, "ONE\n"));
  EXPECT_EQ(messages(), (std::multiset<std::string>{"one"}));
  EXPECT_EQ(audit().findings.at(0).kind, "conflict");
}

TEST_F(ElasticStoreTest, AClaimLeftByACrashIsSentAgainIntoItsOwnIndex) {
  std::atomic<int> applied = 0;
  cluster.on_item([&](const FakeCluster::Item&) { return applied++ < 2 ? 0 : 503; });
  append(text_batch(kSource, 0, "one\ntwo\nthree\nfour\n"));
  ASSERT_TRUE(comes_true([&] { return applied >= 4; }));
  kill();
  EXPECT_EQ(messages().size(), 2u);
  Batch again = text_batch(kSource, 0, "one\ntwo\nthree\nfour\n");
  again.arrival += kDay;  // read anew the day after
  put(std::move(again));
  EXPECT_EQ(messages(), (std::multiset<std::string>{"one", "two", "three", "four"}));
  EXPECT_EQ(cluster.indices().size(), 1u);
  EXPECT_TRUE(audit().clean);
  EXPECT_EQ(exported(), "one\ntwo\nthree\nfour\n");
}

TEST_F(ElasticStoreTest, AClaimThatComesBackCutOtherwiseIsLookedAt) {
  std::atomic<int> applied = 0;
  cluster.on_item([&](const FakeCluster::Item&) { return applied++ < 1 ? 0 : 503; });
  append(text_batch(kSource, 0, "one\ntwo\nthree\n"));
  ASSERT_TRUE(comes_true([&] { return applied >= 3; }));
  kill();
  Batch first = text_batch(kSource, 0, "one\ntwo\n");
  first.arrival += kDay;
  put(std::move(first));
  put(text_batch(kSource, 8, "three\n"));
  EXPECT_EQ(messages(), (std::multiset<std::string>{"one", "two", "three"}));
  EXPECT_TRUE(audit().clean);
}

TEST_F(ElasticStoreTest, ACrashBetweenDocumentsAndTheirMarkRepeatsNothing) {
  // The claim is written, the documents are, the mark never.
  cluster.on_ledger_bulk([](int before) { return before == 0 ? 0 : 503; });
  append(text_batch(kSource, 0, "one\ntwo\n"));
  ASSERT_TRUE(comes_true([&] { return messages().size() == 2; }));
  cluster.stop();
  store.reset();
  cluster.start();
  cluster.on_ledger_bulk({});
  EXPECT_EQ(acks.covered().bytes(), 0u);
  store = open();
  put(text_batch(kSource, 0, "one\ntwo\n"));
  EXPECT_EQ(messages().size(), 2u);
  EXPECT_TRUE(audit().clean);
}

TEST_F(ElasticStoreTest, PositionsAreThereAfterARestart) {
  put(text_batch(kSource, 0, "one\n"), Position{"web", 3, 8});
  put(text_batch(kSource, 4, "two\n"), Position{"web", 3, 9, -1, {8, 0xfedcba9876543210}});
  EXPECT_TRUE(
      comes_true([&] { return !cluster.ledger("position").empty() && cluster.ledger("position")[0]["offset"] == 9; }));
  store.reset();
  store = open();
  const auto positions = store->writer()->positions().value();
  ASSERT_EQ(positions.size(), 1u);
  EXPECT_EQ(positions[0].offset, 9);
  EXPECT_EQ(positions[0].last.offset, 8);
  EXPECT_EQ(positions[0].last.hash, 0xfedcba9876543210);
  const auto known = store->writer()->known_sources(Expired::kHeld);
  ASSERT_TRUE(known.ok());
  EXPECT_EQ(known->at(0).coverage.contiguous_end(0), 8u);
}

TEST_F(ElasticStoreTest, WhatIsDurableElsewhereIsNotedBeforeItCloses) {
  for (std::int64_t next = 1; next <= 10; ++next) {
    store.reset();
    store = open(std::chrono::minutes(1));
    const Position position{"system", 0, next};
    store->writer()->expect(position);
    ASSERT_TRUE(store->writer()->settle({position}).ok());
    ASSERT_TRUE(store->keeper().close().ok());
    ASSERT_EQ(cluster.ledger("position").size(), 1u);
    EXPECT_EQ(cluster.ledger("position")[0]["offset"], next);
  }
}

// What a state says of a place in its source is never ahead of what is stored.
TEST_F(ElasticStoreTest, TheStateOfABatchCountsWhenTheBatchAndThoseBeforeItAreWhole) {
  const auto with_state = [](std::uint64_t begin, const std::string& text) {
    Batch batch = text_batch(kSource, begin, text);
    batch.state.path = "kafka://web/3";
    batch.state.position = batch.end;
    batch.state.guard = "next " + text;
    return batch;
  };
  put(with_state(0, "one\n"));
  cluster.on_item([](const FakeCluster::Item& item) { return item.source.at("message") == "two" ? 429 : 0; });
  append(with_state(4, "two\n"));
  append(with_state(8, "three\n"));
  ASSERT_TRUE(comes_true([&] { return messages().contains("three"); }));
  kill();
  auto known = store->writer()->known_sources(Expired::kHeld).value();
  ASSERT_EQ(known.size(), 1u);
  EXPECT_EQ(known[0].state.guard, "next one\n");
  EXPECT_EQ(known[0].state.position, 4u);
  put(with_state(4, "two\n"));
  put(with_state(8, "three\n"));
  known = store->writer()->known_sources(Expired::kHeld).value();
  EXPECT_EQ(known[0].state.guard, "next three\n");
  EXPECT_EQ(messages(), (std::multiset<std::string>{"one", "two", "three"}));
  EXPECT_TRUE(audit().clean);
}

TEST_F(ElasticStoreTest, ALedgerThatAnotherProgramWroteIsTakenAsItIs) {
  put(text_batch(kSource, 0, "one\n"));
  cluster.edit_ledger([](nlohmann::json& source) { source["writer"] = "another"; });
  put(text_batch(kSource, 4, "two\n"));
  put(text_batch(kSource, 8, "three\n"));
  EXPECT_EQ(messages().size(), 3u);
  EXPECT_TRUE(audit().clean);
}

TEST_F(ElasticStoreTest, RangesWithoutRecordsStandInTheLedger) {
  put(text_batch(kSource, 0, "\n\r\n"));
  Batch gap = text_batch(kSource, 3, "x");
  gap.records.clear();
  gap.bytes.clear();
  gap.end = 10;
  gap.disposition = Disposition::kGap;
  gap.cause = "vanished";
  put(std::move(gap));
  put(text_batch(kSource, 10, "three\n"));
  ASSERT_EQ(audit().findings.size(), 1u);
  EXPECT_EQ(audit().findings[0].kind, "gap");
  put(text_batch(kSource, 3, "late..\n"));
  EXPECT_TRUE(audit().clean) << "the bytes of a gap may come after all";
  EXPECT_EQ(exported(), "\n\r\nlate..\nthree\n");
}

TEST_F(ElasticStoreTest, ATargetThatIsAwayIsWaitedFor) {
  cluster.stop();
  append(text_batch(kSource, 0, "one\n"));
  EXPECT_TRUE(comes_true([&] { return !store->keeper().stats().problem.empty(); }));
  EXPECT_EQ(acks.count(), 0u);
  cluster.start();
  EXPECT_TRUE(comes_true([&] { return acks.count() == 1; }));
  EXPECT_EQ(messages().size(), 1u);
}

// What a follow holds at once is bounded in bytes, too: lines may be long.
TEST_F(ElasticStoreTest, AFollowHandsOutLongLinesAFewAtATime) {
  constexpr std::size_t kLines = 100;
  constexpr std::size_t kLength = 100'000;
  for (std::size_t i = 0; i < kLines; ++i)
    put(text_batch(kSource, i * kLength, std::string(kLength - 1, static_cast<char>('a' + i % 26)) + "\n"));
  const auto query = query::parse("").value().root;
  std::uint64_t commit = 0;
  std::size_t found = 0;
  while (found < kLines) {
    const auto rows = store->searcher().follow(query, commit, 5000, std::chrono::milliseconds(0), {});
    ASSERT_TRUE(rows.ok()) << rows.error().message();
    ASSERT_FALSE(rows->empty());
    EXPECT_LT(rows->size() * kLength, 3u << 20);
    for (const Row& row : *rows) EXPECT_EQ(row.offset, found++ * kLength);
  }
  EXPECT_EQ(found, kLines);
}

// As many documents as are asked for at first may be more than one answer may be; so may those behind many short ones.
TEST_F(ElasticStoreTest, LongLinesAreReadInSmallAnswers) {
  store.reset();
  store = open(std::chrono::milliseconds(100), 256u << 10);
  std::string text;
  for (int i = 0; i < 500; ++i) text += fmt::format("line {}\n", i);
  put(text_batch(kSource, 0, text));
  constexpr std::size_t kLong = 50'000;
  constexpr std::size_t kLines = 40;
  for (std::size_t i = 0; i < kLines; ++i)
    put(text_batch(kSource, text.size() + i * kLong, std::string(kLong - 1, 'x') + "\n"));
  EXPECT_EQ(exported().size(), text.size() + kLines * kLong);
  EXPECT_TRUE(audit().clean);
}

TEST_F(ElasticStoreTest, AStopEndsTheWaitForACluster) {
  cluster.stop();
  std::stop_source stop;
  ElasticOptions options;
  options.urls = {cluster.url()};
  options.patience = std::chrono::hours(1);
  std::jthread stopper([&] { stop.request_stop(); });
  const auto opened = open_elastic_store(options, clock, registry, stop.get_token());
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), ErrorCode::kCancelled);
}

TEST_F(ElasticStoreTest, AnotherServerIsAClearError) {
  cluster.set_version("6.8.1", "");
  const auto opened = open_elastic_store({.urls = {cluster.url()}}, clock, registry, {});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), ErrorCode::kUnsupported);
  EXPECT_NE(opened.error().message().find("Elasticsearch 6.8.1"), std::string::npos) << opened.error().message();
}

}  // namespace
}  // namespace logboom::logstore
