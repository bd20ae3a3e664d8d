// Hostile compressed files: no crash, bounded output and memory, and the same content however the bytes arrive.
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "io/compression.h"

namespace {

using logboom::Decompressor;

constexpr std::size_t kMostOutput = 1 << 20;

struct Outcome {
  std::string content;
  Decompressor::State state = Decompressor::State::kInside;
};

Outcome run(logboom::CompressionKind kind, std::string_view bytes, std::size_t in_piece, std::size_t out_piece) {
  logboom::DecompressionLimits limits;
  limits.output_bytes = kMostOutput;
  limits.memory_bytes = 8 << 20;
  auto decompressor = logboom::Decompressor::make(kind, limits);
  LB_CHECK(decompressor.ok());
  Outcome outcome;
  std::vector<char> out(out_piece);
  std::size_t at = 0;
  bool holds_output = false;
  while (holds_output || at < bytes.size()) {
    const auto step = (*decompressor)->step(bytes.substr(at, in_piece), out.data(), out.size());
    LB_CHECK(step.consumed <= std::min(in_piece, bytes.size() - at) && step.produced <= out.size());
    at += step.consumed;
    outcome.content.append(out.data(), step.produced);
    outcome.state = step.state;
    holds_output = step.produced == out.size();
    if (!(*decompressor)->error().ok()) break;
  }
  LB_CHECK(outcome.content.size() <= kMostOutput + out_piece);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto kind = logboom::detect_compression(bytes);
  if (!kind || *kind == logboom::CompressionKind::kNone) return 0;
  const Outcome whole = run(*kind, bytes, size, 64 << 10);
  const Outcome pieces = run(*kind, bytes, 1 + size % 61, 1 + size % 509);
  const std::size_t common = std::min(whole.content.size(), pieces.content.size());
  LB_CHECK(whole.content.substr(0, common) == pieces.content.substr(0, common));
  // Up to an error a library may give more or less of the content, according to the pieces.
  const bool ends_well = whole.state == Decompressor::State::kInside || whole.state == Decompressor::State::kBetween;
  if (ends_well) LB_CHECK(whole.state == pieces.state && whole.content.size() == pieces.content.size());
  return 0;
}
