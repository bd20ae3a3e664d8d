#include "source/file/match/record_filter.h"

#include <algorithm>

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/log.h"

namespace logboom::source {
namespace {

constexpr std::int64_t kPatternMemory = 1 << 20;

using Patterns = std::vector<std::unique_ptr<re2::RE2>>;

Result<Patterns> compile(const std::vector<std::string>& texts, std::string_view what) {
  if (texts.size() > RecordFilter::kMaxPatterns) {
    return Error(ErrorCode::kInvalidArgument, fmt::format("cannot use {} {} patterns: at most {} are allowed",
                                                          texts.size(), what, RecordFilter::kMaxPatterns));
  }
  RE2::Options options(RE2::Quiet);
  options.set_encoding(RE2::Options::EncodingLatin1);  // bytes; UTF-8 literals match as they are
  options.set_max_mem(kPatternMemory);
  options.set_never_capture(true);
  Patterns out;
  for (const std::string& text : texts) {
    auto pattern = std::make_unique<re2::RE2>(text, options);
    if (!pattern->ok()) {
      return Error(ErrorCode::kInvalidArgument,
                   fmt::format("cannot use the {} pattern \"{}\": {}", what, printable(text), pattern->error()));
    }
    out.push_back(std::move(pattern));
  }
  return out;
}

bool matches(const re2::RE2& pattern, std::string_view text) {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

}  // namespace

struct RecordFilter::Patterns {
  source::Patterns include;
  source::Patterns exclude;
};

RecordFilter::RecordFilter() : patterns_(std::make_unique<Patterns>()) {}
RecordFilter::~RecordFilter() = default;

Result<std::unique_ptr<RecordFilter>> RecordFilter::make(const std::vector<std::string>& include,
                                                         const std::vector<std::string>& exclude) {
  std::unique_ptr<RecordFilter> filter(new RecordFilter);
  LB_ASSIGN(filter->patterns_->include, compile(include, "include"));
  LB_ASSIGN(filter->patterns_->exclude, compile(exclude, "exclude"));
  filter->causes_.push_back("include");
  for (const std::string& text : exclude) filter->causes_.push_back("exclude:" + text);
  return filter;
}

int RecordFilter::reject(std::string_view text) const {
  const auto hit = [&](const auto& pattern) { return matches(*pattern, text); };
  const auto& include = patterns_->include;
  if (!include.empty() && std::none_of(include.begin(), include.end(), hit)) return 0;
  const auto& exclude = patterns_->exclude;
  const auto found = std::find_if(exclude.begin(), exclude.end(), hit);
  return found == exclude.end() ? -1 : 1 + static_cast<int>(found - exclude.begin());
}

bool RecordFilter::keeps_all() const {
  return patterns_->include.empty() && patterns_->exclude.empty();
}

}  // namespace logboom::source
