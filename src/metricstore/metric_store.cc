#include "metricstore/metric_store.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "http/json.h"

namespace logboom::metricstore {
namespace {

Error refused(std::string_view why) {
  return Error(ErrorCode::kInvalidArgument, std::string(why));
}

}  // namespace

Status check_query(const MetricQuery& query) {
  if (query.measurement.empty()) return refused("name a measurement: cpu, memory, ...");
  if (query.from >= query.to) return refused("\"from\" must be earlier than \"to\"");
  if (query.step < std::chrono::nanoseconds(0)) return refused("\"step\" is negative");
  if (query.step.count() == 0) {
    if (query.across != Across::kNone) return refused("series are taken together per step: give \"step\" as well");
    if (query.pick != Pick::kLast && query.pick != Pick::kRate)
      return refused(fmt::format("\"{}\" is of a step: give \"step\", or ask for last or rate", pick_name(query.pick)));
    return ok_status();
  }
  if (query.step < std::chrono::seconds(1)) return refused("\"step\" is at least 1s, or 0 for the samples themselves");
  return ok_status();
}

std::string_view pick_name(Pick pick) {
  constexpr std::string_view kNames[] = {"mean", "min", "max", "sum", "last", "count", "rate", "increase"};
  return kNames[static_cast<std::size_t>(pick)];
}

std::string_view across_name(Across across) {
  constexpr std::string_view kNames[] = {"none", "mean", "min", "max", "sum"};
  return kNames[static_cast<std::size_t>(across)];
}

// The usual walk: on a mismatch go back to the latest star and let it take one byte more.
bool matches_pattern(std::string_view pattern, std::string_view value) {
  std::size_t p = 0, v = 0, star = std::string_view::npos, from = 0;
  while (v < value.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = v;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == value[v])) {
      ++p, ++v;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      v = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string_view name_problem(std::string_view name) {
  if (name.empty()) return "is empty";
  if (name.size() > kMaxNameBytes) return "is too long";
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(name.begin(), name.end(), control)) return "holds a control character";
  if (!http::is_utf8(name)) return "is not UTF-8";
  return {};
}

std::string sample_problem(const Sample& sample) {
  const auto name_of = [](std::string_view what, std::string_view problem) {
    return problem.empty() ? std::string() : fmt::format("its {} {}", what, problem);
  };
  if (std::string why = name_of("measurement", name_problem(sample.measurement)); !why.empty()) return why;
  if (sample.tags.size() > kMaxTags) return fmt::format("it has more than {} tags", kMaxTags);
  if (sample.fields.size() > kMaxFields) return fmt::format("it has more than {} fields", kMaxFields);
  const SampleTag* before = nullptr;
  for (const SampleTag& tag : sample.tags) {
    if (std::string why = name_of("tag's name", name_problem(tag.name)); !why.empty()) return why;
    if (std::string why = name_of("tag " + tag.name, name_problem(tag.value)); !why.empty()) return why;
    if (tag.name == "host") return "\"host\" is among its tags";
    if (before != nullptr && tag.name <= before->name) return "its tags are not sorted, or one stands twice";
    before = &tag;
  }
  return {};
}

std::string value_problem(const FieldValue& value) {
  if (const auto* number = std::get_if<double>(&value); number != nullptr && !std::isfinite(*number))
    return "is not a finite number";
  if (const auto* text = std::get_if<std::string>(&value); text != nullptr && text->size() > kMaxTextBytes)
    return fmt::format("is longer than {} bytes", kMaxTextBytes);
  return {};
}

}  // namespace logboom::metricstore
