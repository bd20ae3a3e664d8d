#include "metricstore/embedded/column.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <unordered_map>

#include "base/check.h"

namespace logboom::metricstore::embedded {
namespace {

// How integers became small; on disk in the low half of a byte, the number of planes in the high one.
enum Transform : std::uint8_t { kFromLeast, kDelta, kDeltaOfDelta, kXor, kTransforms };

using Words = std::vector<std::uint64_t>;

std::uint64_t bits_of(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

std::int64_t value_of(std::uint64_t bits) {
  return static_cast<std::int64_t>(bits);
}

std::uint64_t unfolded(std::uint64_t value) {
  return (value >> 1) ^ (~(value & 1) + 1);
}

// All of it in wrapping arithmetic, so that any 64 bits come back.
void transform(Words& words, Transform kind, std::uint64_t base) {
  std::uint64_t previous = base, step = 0;
  for (std::uint64_t& word : words) {
    const std::uint64_t value = word;
    switch (kind) {
      case kFromLeast:
        word = value - base;
        break;
      case kDelta:
        word = folded(value_of(value - previous));
        break;
      case kDeltaOfDelta:
        word = folded(value_of(value - previous - step));
        step = value - previous;
        break;
      default:
        word = value ^ previous;
    }
    previous = value;
  }
}

void restore(Words& words, Transform kind, std::uint64_t base) {
  std::uint64_t previous = base, step = 0;
  for (std::uint64_t& word : words) {
    switch (kind) {
      case kFromLeast:
        word += base;
        break;
      case kDelta:
        word = previous + unfolded(word);
        break;
      case kDeltaOfDelta:
        step += unfolded(word);
        word = previous + step;
        break;
      default:
        word ^= previous;
    }
    previous = word;
  }
}

// About what zstd makes of it: the bits of each word.
std::uint64_t cost_of(const Words& words) {
  std::uint64_t bits = 0;
  for (const std::uint64_t word : words) bits += static_cast<std::uint64_t>(std::bit_width(word));
  return bits;
}

void put_words(const Words& words, Transform kind, std::uint64_t base, std::string& out) {
  std::uint64_t all = 0;
  for (const std::uint64_t word : words) all |= word;
  const int planes = (static_cast<int>(std::bit_width(all)) + 7) / 8;
  ByteWriter writer(out);
  writer.u8(static_cast<std::uint8_t>(kind | planes << 4));
  writer.signed_varint(value_of(base));
  for (int plane = planes - 1; plane >= 0; --plane) {
    for (const std::uint64_t word : words) out.push_back(static_cast<char>(word >> (8 * plane)));
  }
}

bool get_words(ByteReader& in, std::size_t count, Words& words) {
  const std::uint8_t head = in.u8("transform");
  const auto kind = static_cast<Transform>(head & 15);
  const unsigned planes = head >> 4;
  const std::uint64_t base = bits_of(in.signed_varint("base"));
  if (kind >= kTransforms || planes > 8 || count * planes > in.left()) in.fail("planes");
  if (!in.ok()) return false;
  words.assign(count, 0);
  for (unsigned plane = 0; plane < planes; ++plane) {
    for (std::uint64_t& word : words) word = word << 8 | in.u8("plane");
  }
  restore(words, kind, base);
  return in.ok();
}

// ---- doubles

constexpr std::array<double, 7> kPowers = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
constexpr double kExact = 9007199254740992.0;  // 2^53

// The value times 10^decimals if that is a whole number from which the value comes back to the bit.
bool scaled(double value, std::size_t decimals, std::int64_t& out) {
  const double product = std::nearbyint(value * kPowers[decimals]);
  if (!(std::fabs(product) < kExact)) return false;
  out = static_cast<std::int64_t>(product);
  return std::bit_cast<std::uint64_t>(static_cast<double>(out) / kPowers[decimals]) ==
         std::bit_cast<std::uint64_t>(value);
}

void encode_doubles(const std::vector<double>& values, std::string& out) {
  std::vector<std::int64_t> integers;
  const std::uint8_t decimals = scale_doubles(values, integers);
  out.push_back(static_cast<char>(decimals));
  if (decimals != kNotDecimal) return encode_integers(integers, out);
  Words words(values.size());
  std::transform(values.begin(), values.end(), words.begin(), [](double v) { return std::bit_cast<std::uint64_t>(v); });
  transform(words, kXor, 0);
  put_words(words, kXor, 0, out);
}

void decode_doubles(ByteReader& in, std::size_t count, std::vector<double>& out) {
  const std::uint8_t decimals = in.u8("decimals");
  if (decimals > kNotDecimal) return in.fail("decimals");
  Words words;
  if (!get_words(in, count, words)) return;
  out.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = decimals == kNotDecimal ? std::bit_cast<double>(words[i])
                                     : from_scaled(static_cast<double>(value_of(words[i])), decimals);
  }
}

// ---- strings

void encode_texts(const std::vector<std::string>& values, std::string& out) {
  std::unordered_map<std::string_view, std::int64_t> numbers;
  std::vector<std::string_view> different;
  std::vector<std::int64_t> indices;
  for (const std::string& value : values) {
    const auto [it, added] = numbers.try_emplace(value, static_cast<std::int64_t>(different.size()));
    if (added) different.push_back(value);
    indices.push_back(it->second);
  }
  ByteWriter writer(out);
  writer.varint(different.size());
  for (const std::string_view text : different) writer.string(text);
  encode_integers(indices, out);
}

void decode_texts(ByteReader& in, std::size_t count, std::vector<std::string>& out) {
  std::vector<std::string_view> different(in.count("texts", 1));
  for (std::string_view& text : different) text = in.view("text");
  std::vector<std::int64_t> indices;
  decode_integers(in, count, indices);
  if (!in.ok()) return;
  // A string may stand many times: no more than such a chunk can honestly hold.
  constexpr std::size_t kMostBytes = 64 << 20;
  std::size_t bytes = 0;
  for (const std::int64_t index : indices) {
    if (bits_of(index) >= different.size()) return in.fail("text number");
    bytes += different[static_cast<std::size_t>(index)].size();
    if (bytes > kMostBytes) return in.fail("texts");
    out.emplace_back(different[static_cast<std::size_t>(index)]);
  }
}

// ---- presence

void encode_presence(const Column& column, std::size_t rows, std::string& out) {
  const bool all = column.size() == rows;
  out.push_back(all ? 0 : 1);
  if (all) return;
  LB_CHECK(column.present.size() == rows);
  for (std::size_t row = 0; row < rows; row += 8) {
    unsigned bits = 0;
    for (std::size_t i = row; i < std::min(rows, row + 8); ++i) bits |= unsigned{column.present[i]} << (i - row);
    out.push_back(static_cast<char>(bits));
  }
}

std::size_t decode_presence(ByteReader& in, std::size_t rows, std::vector<std::uint8_t>& present) {
  const std::uint8_t partly = in.u8("presence");
  if (partly == 0) return rows;
  if (partly != 1 || in.left() < (rows + 7) / 8) return in.fail("presence"), 0;
  present.resize(rows);
  std::size_t count = 0;
  std::uint8_t bits = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    if (row % 8 == 0) bits = in.u8("presence");
    present[row] = bits >> (row % 8) & 1;
    count += present[row];
  }
  if (count == rows) present.clear();
  return count;
}

}  // namespace

double from_scaled(double scaled, std::uint8_t decimals) {
  return scaled / kPowers[decimals];
}

std::uint8_t scale_doubles(const std::vector<double>& values, std::vector<std::int64_t>& out) {
  std::size_t decimals = 0;
  std::int64_t ignored = 0;
  for (const double value : values) {
    while (decimals < kPowers.size() && !scaled(value, decimals, ignored)) ++decimals;
    if (decimals == kPowers.size()) return kNotDecimal;
  }
  out.resize(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!scaled(values[i], decimals, out[i])) return kNotDecimal;
  }
  return static_cast<std::uint8_t>(decimals);
}

std::string_view kind_name(FieldKind kind) {
  constexpr std::string_view kNames[] = {"double", "integer", "boolean", "string"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::size_t Column::size() const {
  if (kind == FieldKind::kDouble) return doubles.size();
  return kind == FieldKind::kText ? texts.size() : integers.size();
}

void Column::push(const FieldValue& value) {
  LB_CHECK(kind_of(value) == kind);
  if (const auto* d = std::get_if<double>(&value)) doubles.push_back(*d);
  if (const auto* i = std::get_if<std::int64_t>(&value)) integers.push_back(*i);
  if (const auto* b = std::get_if<bool>(&value)) integers.push_back(*b ? 1 : 0);
  if (const auto* s = std::get_if<std::string>(&value)) texts.push_back(*s);
}

FieldValue Column::at(std::size_t index) const {
  switch (kind) {
    case FieldKind::kDouble:
      return doubles[index];
    case FieldKind::kInteger:
      return integers[index];
    case FieldKind::kBoolean:
      return integers[index] != 0;
    case FieldKind::kText:
      break;
  }
  return texts[index];
}

void encode_integers(const std::vector<std::int64_t>& values, std::string& out) {
  Words best;
  Transform chosen = kFromLeast;
  std::uint64_t base = 0, least_cost = UINT64_MAX;
  const std::int64_t least = values.empty() ? 0 : *std::min_element(values.begin(), values.end());
  const std::int64_t first = values.empty() ? 0 : values.front();
  for (const Transform kind : {kFromLeast, kDelta, kDeltaOfDelta}) {
    Words words(values.size());
    std::transform(values.begin(), values.end(), words.begin(), bits_of);
    const std::uint64_t from = bits_of(kind == kFromLeast ? least : first);
    transform(words, kind, from);
    const std::uint64_t cost = cost_of(words);
    if (cost >= least_cost) continue;
    best = std::move(words);
    chosen = kind;
    base = from;
    least_cost = cost;
  }
  put_words(best, chosen, base, out);
}

void decode_integers(ByteReader& in, std::size_t count, std::vector<std::int64_t>& out) {
  Words words;
  if (!get_words(in, count, words)) return;
  out.resize(count);
  std::transform(words.begin(), words.end(), out.begin(), value_of);
}

void encode_column(const Column& column, std::size_t rows, std::string& out) {
  out.push_back(static_cast<char>(column.kind));
  encode_presence(column, rows, out);
  switch (column.kind) {
    case FieldKind::kDouble:
      return encode_doubles(column.doubles, out);
    case FieldKind::kText:
      return encode_texts(column.texts, out);
    default:
      return encode_integers(column.integers, out);
  }
}

Column decode_column(ByteReader& in, std::size_t rows) {
  Column column;
  const std::uint8_t kind = in.u8("kind");
  if (kind >= kFieldKinds) in.fail("kind");
  column.kind = static_cast<FieldKind>(kind);
  const std::size_t count = decode_presence(in, rows, column.present);
  if (!in.ok()) return column;
  if (column.kind == FieldKind::kDouble) {
    decode_doubles(in, count, column.doubles);
  } else if (column.kind == FieldKind::kText) {
    decode_texts(in, count, column.texts);
  } else {
    decode_integers(in, count, column.integers);
  }
  return column;
}

}  // namespace logboom::metricstore::embedded
