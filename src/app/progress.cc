#include "app/progress.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "base/byte_size.h"

namespace logboom::app {
namespace {

std::string bar(double share) {
  constexpr int kWidth = 24;
  const int full = std::clamp(static_cast<int>(share * kWidth), 0, kWidth);
  std::string out = "[";
  for (int i = 0; i < kWidth; ++i) out += i < full ? "=" : i == full ? ">" : " ";
  return out + "]";
}

std::string seconds_text(double seconds) {
  const auto s = static_cast<long>(seconds);
  return s >= 3600 ? fmt::format("{}h{:02}m", s / 3600, s / 60 % 60)
         : s >= 60 ? fmt::format("{}m{:02}s", s / 60, s % 60)
                   : fmt::format("{}s", s);
}

}  // namespace

Progress::Progress(bool shown, std::string what)
    : shown_(shown), what_(std::move(what)), began_(std::chrono::steady_clock::now()) {}

Progress::~Progress() {
  finish();
}

void Progress::update(std::uint64_t done, std::uint64_t total, std::string_view more) {
  const auto now = std::chrono::steady_clock::now();
  if (!shown_ || now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  const double elapsed = std::max(0.001, std::chrono::duration<double>(now - began_).count());
  const double rate = static_cast<double>(done) / elapsed;
  std::string line = fmt::format("{} {}", what_, ByteSize(done).to_string());
  if (total > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    line += fmt::format(" of {} {} {:.0f}%", ByteSize(total).to_string(), bar(share), share * 100);
    if (rate > 0 && done < total)
      line += fmt::format(", {} left", seconds_text(static_cast<double>(total - done) / rate));
  }
  line += fmt::format(", {}/s", ByteSize(static_cast<std::uint64_t>(rate)).to_string());
  if (!more.empty()) line += fmt::format(", {}", more);
  std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
  std::fflush(stderr);
  dirty_ = true;
}

void Progress::finish() {
  if (dirty_) std::fputs("\r\x1b[K", stderr);
  dirty_ = false;
}

}  // namespace logboom::app
