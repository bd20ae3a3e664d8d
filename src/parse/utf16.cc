#include "parse/utf16.h"

#include "parse/utf8.h"

namespace logboom::parse {
namespace {

constexpr std::uint32_t kReplacement = 0xfffd;

// The units of a text, whole ones only.
class Units {
 public:
  Units(std::string_view text, bool big) : text_(text), big_(big) {}
  bool any() const { return at_ + 2 <= text_.size(); }
  std::uint32_t peek() const {
    const auto a = static_cast<unsigned char>(text_[at_]);
    const auto b = static_cast<unsigned char>(text_[at_ + 1]);
    return static_cast<std::uint32_t>(big_ ? a << 8 | b : b << 8 | a);
  }
  std::uint32_t next() {
    const std::uint32_t unit = peek();
    at_ += 2;
    return unit;
  }
  bool at_start() const { return at_ == 0; }

 private:
  std::string_view text_;
  bool big_;
  std::size_t at_ = 0;
};

bool is_high(std::uint32_t unit) {
  return unit >= 0xd800 && unit < 0xdc00;
}
bool is_low(std::uint32_t unit) {
  return unit >= 0xdc00 && unit < 0xe000;
}

}  // namespace

std::string decode_utf16(std::string_view text, Format format, std::uint64_t offset, std::size_t limit) {
  if (offset % 2 == 1 && !text.empty()) text.remove_prefix(1);
  Units units(text, format == Format::kUtf16Be);
  std::string out;
  while (units.any() && out.size() < limit) {
    const bool first = units.at_start();
    const std::uint32_t unit = units.next();
    if (first && unit == 0xfeff) continue;
    if (is_high(unit) && units.any() && is_low(units.peek())) {
      append_utf8(out, 0x10000 + ((unit - 0xd800) << 10) + (units.next() - 0xdc00));
    } else {
      append_utf8(out, is_high(unit) || is_low(unit) ? kReplacement : unit);
    }
  }
  if (!units.any() && !out.empty() && out.back() == '\r') out.pop_back();
  return out;
}

}  // namespace logboom::parse
