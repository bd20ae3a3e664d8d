#include "logstore/embedded/block/variable_scanner.h"

#include <string>

#include <gtest/gtest.h>

#include "logstore/embedded/block/testing/noise.h"

namespace logboom::logstore::embedded {
namespace {

using testing::Noise;
using Variables = std::vector<std::string>;

Variables scanned(const std::string& text) {
  const std::string padded = text + std::string(64, '\0');
  VariableScanner scanner;
  scanner.prepare(std::string_view(padded).substr(0, text.size()));
  TextRange ranges[VariableScanner::kMaxVariables];
  const std::size_t count = scanner.take(0, static_cast<std::uint32_t>(text.size()), ranges);
  Variables out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(text.substr(ranges[i].begin, ranges[i].end - ranges[i].begin));
  return out;
}

// The same, byte by byte.
class Naive {
 public:
  explicit Naive(const std::string& text) : text_(text) {}

  Variables variables() const {
    Variables out;
    for (long at = 0; at < size();) {
      if (!in_run(at)) {
        ++at;
        continue;
      }
      long end = at;
      while (end < size() && in_run(end)) ++end;
      if (varies(at, end))
        out.push_back(text_.substr(static_cast<std::size_t>(at), static_cast<std::size_t>(end - at)));
      at = end;
    }
    return out;
  }

 private:
  long size() const { return static_cast<long>(text_.size()); }
  char byte(long at) const { return at < 0 || at >= size() ? '\0' : text_[static_cast<std::size_t>(at)]; }
  bool digit(long at) const { return byte(at) >= '0' && byte(at) <= '9'; }
  bool joins(long at) const {
    if (!digit(at - 1) || !digit(at + 1)) return false;
    return byte(at) == ':' || (byte(at) == ',' && digit(at - 2) && byte(at - 3) == ':');
  }
  bool in_run(long at) const { return !is_delimiter(byte(at)) || joins(at); }
  bool value_sign(long at) const {
    if (byte(at) == '=') return true;
    const long colon = byte(at) == ' ' ? at - 1 : at;
    return byte(colon) == ':' && byte(colon - 1) == '"';
  }
  bool varies(long begin, long end) const {
    for (long at = begin; at < end; ++at) {
      if (digit(at) || byte(at) == '/' || byte(at) == '@' || byte(at) == '%') return true;
    }
    return value_sign(begin - 1) || (byte(begin - 1) == '"' && value_sign(begin - 2) && byte(end) == '"');
  }

  const std::string& text_;
};

TEST(VariableScanner, FindsWhatVaries) {
  EXPECT_EQ(scanned("2026-11-20 14:31:58,204 order 17 a,1,2"),
            (Variables{"2026-11-20", "14:31:58,204", "17", "1", "2"}));
  EXPECT_EQ(scanned("user=ann \"name\": \"bob\" \"text\":\"two words\" x@y"), (Variables{"ann", "bob", "x@y"}));
  EXPECT_EQ(scanned(std::string(100, 'x') + "1"), (Variables{std::string(100, 'x') + "1"}));
  EXPECT_EQ(scanned("1" + std::string(300, 'x')), (Variables{"1" + std::string(300, 'x')}));
  EXPECT_EQ(scanned(std::string(64, 'x') + " 1"), (Variables{"1"}));
}

TEST(VariableScanner, AgreesWithTheRulesByteByByte) {
  Noise noise(11);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    const bool long_runs = round % 3 == 0;
    for (std::uint32_t i = 1 + noise.below(200); i > 0; --i)
      text += long_runs && noise.below(12) != 0 ? "xyz_"[noise.below(4)] : "ab01:,=\" /\xC3\n-"[noise.below(13)];
    const Variables expected = Naive(text).variables();
    if (expected.size() >= VariableScanner::kMaxVariables - 1) continue;
    ASSERT_EQ(scanned(text), expected) << text;
  }
}

}  // namespace
}  // namespace logboom::logstore::embedded
