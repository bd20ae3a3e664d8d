#include "metricstore/embedded/chunk.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "metricstore/embedded/chunk_rows.h"
#include "metricstore/embedded/recent_row.h"
#include "metricstore/embedded/row_seal.h"

namespace logboom::metricstore::embedded {
namespace {

constexpr ChunkKey kKey{Tier::kRaw, 472'222, 7};

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  std::int64_t integer() {
    const auto bits = static_cast<std::int64_t>(engine_());
    return bits >> below(64);
  }
  double number() {
    switch (below(6)) {
      case 0:
        return static_cast<double>(integer());
      case 1:
        return static_cast<double>(static_cast<std::int64_t>(below(200'000)) - 100'000) / 100;
      case 2:
        return std::numeric_limits<double>::denorm_min() * static_cast<double>(below(9));
      case 3:
        return -0.0;
      case 4:
        return std::ldexp(1.0, static_cast<int>(below(2000)) - 1000);
      default:
        return static_cast<double>(engine_()) / 1e17;
    }
  }
  FieldValue value(FieldKind kind) {
    if (kind == FieldKind::kDouble) return number();
    if (kind == FieldKind::kInteger) return integer();
    if (kind == FieldKind::kBoolean) return below(2) == 0;
    return std::string(below(20), static_cast<char>('a' + below(3)));
  }

 private:
  std::mt19937_64 engine_;
};

// Bits, as -0 is not 0.
bool same(const FieldValue& a, const FieldValue& b) {
  const auto* x = std::get_if<double>(&a);
  const auto* y = std::get_if<double>(&b);
  if (x != nullptr && y != nullptr) return std::bit_cast<std::uint64_t>(*x) == std::bit_cast<std::uint64_t>(*y);
  return a == b;
}

void expect_same(const Chunk& a, const Chunk& b) {
  ASSERT_EQ(a.times, b.times);
  ASSERT_EQ(a.columns.size(), b.columns.size());
  for (std::size_t i = 0; i < a.columns.size(); ++i) {
    const Column& x = a.columns[i].column;
    const Column& y = b.columns[i].column;
    ASSERT_EQ(a.columns[i].key, b.columns[i].key);
    ASSERT_EQ(x.kind, y.kind);
    ASSERT_EQ(x.present, y.present);
    ASSERT_EQ(x.size(), y.size());
    for (std::size_t k = 0; k < x.size(); ++k) ASSERT_TRUE(same(x.at(k), y.at(k))) << k;
  }
}

TEST(ChunkCodec, WhateverIsStoredComesBackToTheBit) {
  ChunkCodec codec;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    RowCollector rows;
    const std::size_t count = random.below(200);
    const TimeNs unit = std::vector<TimeNs>{1, 1000, kNsPerMs, kNsPerSecond}[random.below(4)];
    std::vector<FieldKind> kinds;
    for (std::size_t i = 0; i < random.below(6); ++i) kinds.push_back(static_cast<FieldKind>(random.below(4)));
    for (std::size_t i = 0; i < count; ++i) {
      FieldValues values;
      for (std::size_t k = 0; k < kinds.size(); ++k) {
        if (random.below(10) > 0) values.emplace_back(k + 1, random.value(kinds[k]));
      }
      rows.add(kHourNs * kKey.slot + static_cast<TimeNs>(random.below(1000)) * unit, values);
    }
    const Chunk chunk = rows.finish();
    const auto row = codec.encode(kKey, chunk);
    ASSERT_TRUE(row.ok());
    const auto back = codec.decode(kKey, *row);
    ASSERT_TRUE(back.ok()) << back.error().message();
    expect_same(chunk, *back);
    const std::vector<FieldId> only{2};
    const auto part = codec.decode(kKey, *row, &only);
    ASSERT_TRUE(part.ok());
    for (const ChunkColumn& column : part->columns) EXPECT_EQ(column.key.field, 2u);
    EXPECT_EQ(part->find({2, Part::kValue}) == nullptr, chunk.find({2, Part::kValue}) == nullptr);
  }
}

TEST(ChunkCodec, ExtremeIntegersComeBack) {
  constexpr std::int64_t kMin = INT64_MIN, kMax = INT64_MAX;
  for (const std::vector<std::int64_t>& values :
       {std::vector<std::int64_t>{}, {kMin}, {kMax, kMin, kMax}, {0, kMin, -1, kMax, 1}, {5, 5, 5}}) {
    std::string bytes;
    encode_integers(values, bytes);
    ByteReader in(bytes);
    std::vector<std::int64_t> back;
    decode_integers(in, values.size(), back);
    EXPECT_TRUE(in.ok());
    EXPECT_EQ(back, values);
    EXPECT_EQ(in.left(), 0u);
  }
}

TEST(ChunkCodec, RegularSamplesTakeLittle) {
  Random random(1);
  RowCollector rows;
  std::int64_t counter = 1'000'000'000;
  for (int i = 0; i < 360; ++i) {
    counter += static_cast<std::int64_t>(random.below(100'000));
    rows.add(kHourNs * kKey.slot + i * 10 * kNsPerSecond, {{1, static_cast<double>(2000 + random.below(1000)) / 100},
                                                           {2, counter},
                                                           {3, std::int64_t{16}},
                                                           {4, std::string("up")}});
  }
  ChunkCodec codec;
  const auto row = codec.encode(kKey, rows.finish());
  ASSERT_TRUE(row.ok());
  EXPECT_LT(row->size(), 360u * 9 / 2);  // a noisy percentage of 10 bits, a counter of 17, a constant, a string
}

TEST(ChunkCodec, ADamagedOrForeignRowIsRefused) {
  RowCollector rows;
  for (int i = 0; i < 50; ++i) rows.add(kHourNs + i, {{1, i * 0.5}, {2, std::string("x")}});
  const Chunk chunk = rows.finish();
  ChunkCodec codec;
  const std::string row = *codec.encode(kKey, chunk);
  EXPECT_EQ(codec.decode({Tier::kMinute, kKey.slot, kKey.series}, row).error().code(), ErrorCode::kCorrupt);
  for (std::size_t i = 0; i < row.size(); ++i) {
    std::string damaged = row;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    EXPECT_FALSE(codec.decode(kKey, damaged).ok()) << i;
  }
  for (std::size_t size = 0; size < row.size(); ++size)
    EXPECT_FALSE(codec.decode(kKey, std::string_view(row).substr(0, size)).ok());
}

TEST(ChunkCodec, KeysOfRowsAreOrderedByTierSlotAndSeries) {
  for (const ChunkKey& key : {ChunkKey{}, kKey, ChunkKey{Tier::kHour, kMaxSlot, UINT32_MAX}})
    EXPECT_EQ(key_of_row(row_id(key)), key);
  EXPECT_LT(row_id({Tier::kRaw, kMaxSlot, UINT32_MAX}), row_id({Tier::kMinute, 0, 0}));
  EXPECT_LT(row_id({Tier::kRaw, 4, UINT32_MAX}), row_id({Tier::kRaw, 5, 0}));
}

TEST(RowCollector, OfTwoValuesOfOneTimeTheLaterStays) {
  RowCollector rows;
  rows.add(20, {{1, 2.0}});
  rows.add(10, {{1, 1.0}, {2, 7.0}});
  rows.add(20, {{2, 8.0}});
  rows.add(10, {{1, 3.0}});
  const Chunk chunk = rows.finish();
  EXPECT_EQ(chunk.times, (std::vector<TimeNs>{10, 20}));
  EXPECT_EQ(chunk.find({1, Part::kValue})->doubles, (std::vector<double>{3, 2}));
  EXPECT_EQ(chunk.find({2, Part::kValue})->doubles, (std::vector<double>{7, 8}));
}

// Against the plain definition, sample by sample.
TEST(RollUp, IsWhatTheSamplesSay) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    RowCollector rows;
    std::map<TimeNs, std::vector<double>> expected;
    for (int i = 0; i < 100; ++i) {
      if (random.below(4) == 0) {
        rows.add(i * 7 * kNsPerSecond, {{2, 1.0}});
        continue;
      }
      const double value = static_cast<double>(random.below(1000)) / 8;
      rows.add(i * 7 * kNsPerSecond, {{1, value}});
      expected[floor_to(i * 7 * kNsPerSecond, kMinuteNs)].push_back(value);
    }
    const auto rolled = read_aggregates(roll_up(rows.finish(), kMinuteNs), Tier::kMinute, 1);
    ASSERT_EQ(rolled.size(), expected.size());
    auto at = rolled.begin();
    for (const auto& [time, values] : expected) {
      double sum = 0;
      for (const double value : values) sum += value;
      EXPECT_EQ(at->time, time);
      EXPECT_EQ(at->min, *std::min_element(values.begin(), values.end()));
      EXPECT_EQ(at->max, *std::max_element(values.begin(), values.end()));
      EXPECT_EQ(at->sum, sum);
      EXPECT_EQ(at->last, values.back());
      EXPECT_EQ(at->count, static_cast<double>(values.size()));
      ++at;
    }
  }
}

TEST(RollUp, SumsOfDecimalsAreExact) {
  RowCollector rows;
  for (int i = 0; i < 10; ++i) rows.add(i * kNsPerSecond, {{1, 0.1}});
  EXPECT_EQ(read_aggregates(roll_up(rows.finish(), kMinuteNs), Tier::kMinute, 1).at(0).sum, 1.0);
}

TEST(RecentRow, SamplesComeBackInAsManyRowsAsTheyNeed) {
  Random random(3);
  std::vector<KnownSample> samples;
  for (int i = 0; i < 3000; ++i) {
    KnownSample sample{static_cast<SeriesId>(random.below(1000)), static_cast<TimeNs>(random.below(1ull << 62)), {}};
    for (FieldId field = 1; field < 6; ++field)
      sample.values.emplace_back(field, random.value(static_cast<FieldKind>(random.below(4))));
    sample.values.emplace_back(9, std::string(300, 'x'));
    samples.push_back(std::move(sample));
  }
  std::vector<KnownSample> back;
  std::size_t rows = 0;
  for (std::size_t begin = 0; begin < samples.size(); ++rows) {
    const auto part = decode_recent(encode_recent(samples, begin));
    ASSERT_TRUE(part.ok()) << part.error().message();
    back.insert(back.end(), part->begin(), part->end());
  }
  EXPECT_GT(rows, 1u);
  ASSERT_EQ(back.size(), samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    EXPECT_EQ(back[i].series, samples[i].series);
    EXPECT_EQ(back[i].time, samples[i].time);
    ASSERT_EQ(back[i].values.size(), samples[i].values.size());
    for (std::size_t k = 0; k < samples[i].values.size(); ++k)
      EXPECT_TRUE(same(back[i].values[k].second, samples[i].values[k].second));
  }
}

TEST(DirectoryRows, ComeBack) {
  const Host host{3, "web-01", ""};
  EXPECT_EQ(decode_host(3, encode_host(host))->name, "web-01");
  EXPECT_FALSE(decode_host(4, encode_host(host)).ok());
  EXPECT_EQ(decode_field(5, encode_field({5, "cpu", "user", FieldKind::kInteger}))->kind, FieldKind::kInteger);
  const Series series{
      9, 3, "disk", {{"device", "/dev/vda1"}, {"fstype", "ext4"}}, 5, 6, {{5, true}, {7, std::string("x")}}};
  const auto back = decode_series(9, encode_series(series));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->tags, series.tags);
  EXPECT_EQ(back->newest, series.newest);
  EXPECT_EQ(back->last, 6);
}

}  // namespace
}  // namespace logboom::metricstore::embedded
