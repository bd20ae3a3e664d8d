// Finding: what was found out about one thing the program depends on (a server, a topic, an index), for a person: a
// line of `doctor`, a line in the log of a program that starts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace logboom {

enum class Verdict : std::uint8_t {
  kGood,
  kWarn,  // it works, but a person should know
  kBad,   // it does not work
};

struct Finding {
  Verdict verdict = Verdict::kGood;
  std::string what;    // "etcd 10.0.0.1:2379", "topic web_log"
  std::string text;    // one line; printable
  std::string remedy;  // what to do about it; empty when good
};
using Findings = std::vector<Finding>;

// What `theirs`, exact to `precision`, says of this host's clock, which read `asked` before the question and `answered`
// behind the answer: "its clock is 75 s ahead of this host's"; empty: no more than two seconds between them.
std::string clock_difference(TimeNs theirs, TimeNs precision, TimeNs asked, TimeNs answered);

// What to do about such a difference.
inline constexpr const char* kClockRemedy = "let both follow NTP (chrony): times of arrival and retention go by them";

}  // namespace logboom
