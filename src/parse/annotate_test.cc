#include "parse/annotate.h"

#include <gtest/gtest.h>

#include "parse/fields.h"
#include "parse/splitter.h"

namespace logboom::parse {
namespace {

constexpr TimeNs kArrival = 1'795'000'000 * kNsPerSecond;

Batch annotated(std::string bytes, Format format, AnnotateCarry& carry) {
  Batch batch;
  batch.bytes = std::move(bytes);
  batch.end = batch.bytes.size();
  batch.format = format;
  batch.arrival = kArrival;
  RecordSplitter::Carry split_carry;
  const auto splitter = RecordSplitter::make({});
  splitter.value()->split(batch.bytes, AtEnd::kFlush, split_carry, batch.records);
  annotate(batch, 0, carry);
  return batch;
}

Record one(std::string line, Format format) {
  AnnotateCarry carry;
  return annotated(std::move(line), format, carry).records.at(0);
}

std::string seen(std::string line) {
  const Record r = one(std::move(line), Format::kJson);
  const std::string time = r.time_origin == TimeOrigin::kParsed ? format_time_utc(r.time) : "none";
  return time + " " + std::string(level_name(r.level));
}

TEST(Annotate, GivesTextItsTimeAndLevel) {
  const Record r = one("2026-11-20 14:31:58 WARN x\n", Format::kText);
  EXPECT_EQ(format_time_utc(r.time), "2026-11-20T14:31:58Z");
  EXPECT_EQ(r.time_origin, TimeOrigin::kParsed);
  EXPECT_EQ(r.level, Level::kWarn);
}

TEST(Annotate, TakesThePredecessorsTimeAcrossBatchesElseTheArrival) {
  AnnotateCarry carry;
  const Batch none = annotated("a\nb\n", Format::kText, carry);
  EXPECT_EQ(none.records[1].time, kArrival);
  EXPECT_EQ(none.records[1].time_origin, TimeOrigin::kArrival);
  annotated("2026-11-20 14:31:58 a\n", Format::kText, carry);
  const Batch later = annotated("b\n", Format::kText, carry);
  EXPECT_EQ(format_time_utc(later.records[0].time), "2026-11-20T14:31:58Z");
  EXPECT_EQ(later.records[0].time_origin, TimeOrigin::kPredecessor);
}

TEST(Annotate, MarksRecordsWithNulBytes) {
  AnnotateCarry carry;
  const Batch batch = annotated(std::string("a\0b\nc\n", 6), Format::kText, carry);
  EXPECT_EQ(batch.records[0].flags, Record::kTerminated | Record::kBinary);
  EXPECT_EQ(batch.records[1].flags, Record::kTerminated);
}

TEST(Annotate, AByteOrderMarkHidesNeitherTimeNorJson) {
  EXPECT_EQ(seen("\xef\xbb\xbf{\"ts\":1700000000,\"level\":\"warn\"}"), "2023-11-14T22:13:20Z warn");
  EXPECT_EQ(one("\xef\xbb\xbf"
                "2026-11-20 14:31:58 x",
                Format::kText)
                .time_origin,
            TimeOrigin::kParsed);
}

TEST(Annotate, TheRestOfALongLineKeepsTheTimeOfItsBeginning) {
  Batch batch;
  batch.bytes = "2026-11-20 14:31:58 x2020-01-01 00:00:00 ERROR\n";
  batch.end = batch.bytes.size();
  SplitOptions options;
  options.max_record = 21;
  RecordSplitter::Carry split_carry;
  RecordSplitter::make(options).value()->split(batch.bytes, AtEnd::kFlush, split_carry, batch.records);
  AnnotateCarry carry;
  annotate(batch, 0, carry);
  ASSERT_EQ(batch.records.size(), 3u);
  EXPECT_EQ(format_time_utc(batch.records[1].time), "2026-11-20T14:31:58Z");
  EXPECT_EQ(batch.records[1].time_origin, TimeOrigin::kPredecessor);
}

TEST(Annotate, FindsTimeAndLevelOfJson) {
  EXPECT_EQ(seen(R"({"@timestamp":"2026-11-20T14:31:58.204Z","level":"info","msg":"x"})"),
            "2026-11-20T14:31:58.204Z info");
  EXPECT_EQ(seen(R"({ "level" : "WARNING" , "time" : "2026-11-20 14:31:58" })"), "2026-11-20T14:31:58Z warn");
  EXPECT_EQ(seen(R"({"level":30,"time":1700000000123,"pid":1,"msg":"pino"})"), "2023-11-14T22:13:20.123Z info");
  EXPECT_EQ(seen(R"({"level":"error","ts":1700000000.5,"msg":"zap"})"), "2023-11-14T22:13:20.500Z error");
  EXPECT_EQ(seen(R"({"level":3,"timestamp":1700000000,"short_message":"gelf"})"), "2023-11-14T22:13:20Z error");
  EXPECT_EQ(seen(R"({"date":"2026-11-20T14:31:58Z","severity":"NOTICE"})"), "2026-11-20T14:31:58Z info");
  EXPECT_EQ(seen(R"({"t":"2026-11-20T14:31:58Z","lvl":"dbug","loglevel":"debug"})"), "2026-11-20T14:31:58Z debug");
  EXPECT_EQ(seen(R"({"log.level":"fatal","ts":"1700000000"})"), "2023-11-14T22:13:20Z fatal");
  EXPECT_EQ(seen(R"({"log":{"logger":"x","level":"warn"},"ts":1700000000})"), "2023-11-14T22:13:20Z warn");
}

TEST(Annotate, LooksOnlyAtTopLevelMembersOfJson) {
  EXPECT_EQ(seen(R"({"msg":"{\"level\":\"error\",\"ts\":1700000000}","level":"info"})"), "none info");
  EXPECT_EQ(seen(R"({"a":{"level":"error","ts":1700000000},"level":"info"})"), "none info");
  EXPECT_EQ(seen(R"({"a":[{"level":"error"},"]}",[["\\"]]],"level":"info","ts":1700000000})"),
            "2023-11-14T22:13:20Z info");
  EXPECT_EQ(seen(R"({"msg":"\\","level":"info"})"), "none info");
  EXPECT_EQ(seen(R"({"msg":"\\\",\"level\":\"error","level":"info"})"), "none info");
  EXPECT_EQ(seen(R"({"l\u0065vel":"warn","d\u0061te":"2026\/11\/20 14:31:58"})"), "2026-11-20T14:31:58Z warn");
  EXPECT_EQ(seen(R"({"time":12.5,"ts":"soon","@timestamp":"2026-11-20T14:31:58Z"})"), "2026-11-20T14:31:58Z ");
  EXPECT_EQ(seen("{}"), "none ");
}

TEST(Annotate, TreatsBrokenJsonAsText) {
  EXPECT_EQ(seen("2026-11-20 14:31:58 ERROR no json"), "2026-11-20T14:31:58Z error");
  EXPECT_EQ(seen(R"({"msg":"cut at 2026-11-20 14:31:58 ERROR)"), "2026-11-20T14:31:58Z error");
  EXPECT_EQ(seen(R"({"a" 1})"), "none ");
  EXPECT_EQ(seen("{\"a\":" + std::string(100'000, '[') + "}"), "none ");
  for (const char* line :
       {"{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":\"", "{\"a\":\"\\", "{\"a\":1", "{\"a\":1,", "{,"}) {
    EXPECT_EQ(seen(line), "none ") << line;
  }
}

// What a record is depends on its own bytes alone: not on its neighbours, not on where a batch begins.
TEST(Annotate, EachRecordIsJsonOrTextByItself) {
  const std::vector<std::string> lines = {"plain words ERROR", R"({"level":"warn","a":1})", R"({"level":"warn","a":1,)",
                                          "{curly} FATAL",     R"({"level":"info","a":2})", ""};
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  AnnotateCarry carry;
  const Batch together = annotated(all, Format::kText, carry);
  EXPECT_EQ(together.format, Format::kJson);
  FieldParser parser;
  std::size_t at = 0;
  for (const std::string& line : lines) {
    if (line.empty()) continue;
    AnnotateCarry fresh;
    const Batch alone = annotated(line + "\n", Format::kText, fresh);
    ASSERT_LT(at, together.records.size());
    EXPECT_EQ(alone.records[0].level, together.records[at].level) << line;
    const auto apart = parser.fields(alone.format, line);
    const auto beside = parser.fields(together.format, line);
    ASSERT_EQ(apart.size(), beside.size()) << line;
    EXPECT_EQ(apart.size(), line.ends_with('}') ? 2u : 0u) << line;
    ++at;
  }
  AnnotateCarry plain;
  plain.plain = true;
  EXPECT_EQ(annotated(all, Format::kText, plain).format, Format::kText) << "the rule says text";
  AnnotateCarry none;
  EXPECT_EQ(annotated("no\nobjects\n", Format::kText, none).format, Format::kText);
}

}  // namespace
}  // namespace logboom::parse
