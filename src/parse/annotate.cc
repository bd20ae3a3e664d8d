#include "parse/annotate.h"

#include <array>

#include "parse/fields.h"
#include "parse/json_head.h"
#include "parse/level.h"
#include "parse/utf16.h"

namespace logboom::parse {
namespace {

constexpr std::size_t kDecoded = 512;  // of UTF-16: time and level look no further

// First bytes behind which there may be an object or a byte order mark: of most records it is none of them.
constexpr auto kBeginsOddly = [] {
  std::array<bool, 256> odd{};
  for (const char c : {' ', '\t', '\r', '\n', '{', '\xef'}) odd[static_cast<unsigned char>(c)] = true;
  return odd;
}();

class Annotation {
 public:
  Annotation(Batch& batch, std::int32_t zone_seconds, AnnotateCarry& carry) : batch_(batch), carry_(carry) {
    context_.arrival = batch.arrival;
    context_.zone_seconds = zone_seconds;
  }

  void run() {
    const bool looks = !carry_.plain && !is_utf16(batch_.format);
    for (Record& record : batch_.records) {
      std::string_view text = batch_.text(record);
      bool object = false;
      if (!text.empty() && kBeginsOddly[static_cast<unsigned char>(text.front())]) {
        object = looks && may_be_object(text);
        if (object) batch_.format = Format::kJson;
        if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
      }
      if ((record.flags & Record::kContinuation) != 0) {
        set_time(record, false, 0);
      } else {
        one(record, text, object);
      }
    }
  }

 private:
  void one(Record& record, std::string_view text, bool object) {
    if (object) {
      JsonHead head;
      if (scan_json_head(text, context_, carry_.hint, head)) {
        record.level = head.level;
        return set_time(record, head.has_time, head.time);
      }
    }
    std::string decoded;
    if (is_utf16(batch_.format)) [[unlikely]] {
      decoded = decode_utf16(text, batch_.format, batch_.offset(record), kDecoded);
      text = decoded;
    }
    const auto found = find_time(text, context_, carry_.hint);
    record.level = found ? find_level(text, found->begin, found->end) : find_level(text, 0, 0);
    set_time(record, found.has_value(), found ? found->time : 0);
  }

  void set_time(Record& record, bool parsed, TimeNs time) {
    if (parsed) {
      record.time = carry_.previous = time;
      record.time_origin = TimeOrigin::kParsed;
    } else if (carry_.previous != 0) {
      record.time = carry_.previous;
      record.time_origin = TimeOrigin::kPredecessor;
    } else {
      record.time = batch_.arrival;
      record.time_origin = TimeOrigin::kArrival;
    }
  }

  Batch& batch_;
  AnnotateCarry& carry_;
  TimeContext context_;
};

}  // namespace

void annotate(Batch& batch, std::int32_t zone_seconds, AnnotateCarry& carry) {
  Annotation(batch, zone_seconds, carry).run();
}

}  // namespace logboom::parse
