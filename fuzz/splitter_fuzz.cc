// Any bytes, any options, any chunking: the records and blank bytes cover what is consumed, and the chunking changes
// nothing.
#include <cstdlib>
#include <string_view>

#include "base/check.h"
#include "parse/annotate.h"
#include "parse/splitter.h"

namespace {

using namespace logboom;
using namespace logboom::parse;

struct Input {
  SplitOptions options;
  Format format = Format::kText;
  std::size_t chunk = 1;
  std::string_view bytes;
};

Input input_of(std::string_view data) {
  Input input;
  const auto knob = [&](std::size_t i) { return static_cast<unsigned char>(data[i]); };
  input.options.multiline = static_cast<MultilineMode>(knob(0) % 3);
  input.options.start_pattern = "[0-9a]";
  input.options.keep_blank = (knob(0) & 4) != 0;
  input.options.max_record = (knob(0) & 8) != 0 ? 1u + knob(1) % 64 : 1u << 20;
  input.options.max_group_lines = (knob(0) & 16) != 0 ? 1u + knob(1) % 5 : 1000;
  if ((knob(0) & 0xe0) == 0x20) input.format = Format::kUtf16Le;
  if ((knob(0) & 0xe0) == 0x40) input.format = Format::kUtf16Be;
  if (is_utf16(input.format)) input.options.max_record += input.options.max_record % 2;
  input.chunk = 1u + knob(2) % 48;
  input.bytes = data.substr(3);
  return input;
}

std::vector<Record> split_all(const RecordSplitter& splitter, Format format, std::string_view bytes,
                              std::size_t chunk) {
  std::vector<Record> all;
  RecordSplitter::Carry carry;
  carry.format = format;
  std::size_t begin = 0;
  std::size_t end = 0;
  for (bool last = false; !last;) {
    end = std::min(bytes.size(), end + chunk);
    last = end == bytes.size();
    carry.offset = begin;
    std::vector<Record> records;
    const SplitResult result =
        splitter.split(bytes.substr(begin, end - begin), last ? AtEnd::kFlush : AtEnd::kHold, carry, records);
    std::size_t at = 0;
    for (Record r : records) {
      LB_CHECK(r.begin == at + r.blank);
      at = r.end();
      r.begin += static_cast<std::uint32_t>(begin);
      all.push_back(r);
    }
    LB_CHECK(at + result.trailing_blank == result.consumed);
    begin += result.consumed;
  }
  LB_CHECK(begin == bytes.size());
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const Input input = input_of({reinterpret_cast<const char*>(data), size});
  const auto splitter = RecordSplitter::make(input.options);
  LB_CHECK(splitter.ok());
  const auto whole = split_all(**splitter, input.format, input.bytes, input.bytes.size() + 1);
  const auto cut = split_all(**splitter, input.format, input.bytes, input.chunk);
  LB_CHECK(whole.size() == cut.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    LB_CHECK(whole[i].begin == cut[i].begin && whole[i].length == cut[i].length);
    LB_CHECK(whole[i].flags == cut[i].flags && whole[i].lines == cut[i].lines);
  }
  Batch batch;
  batch.bytes = input.bytes;
  batch.end = batch.bytes.size();
  batch.format = is_utf16(input.format) ? input.format : input.chunk % 2 == 0 ? Format::kJson : Format::kText;
  batch.records = whole;
  AnnotateCarry carry;
  annotate(batch, 3600, carry);
  return 0;
}
