// Internal to io/: the three formats behind Decompressor.
#pragma once

#include <memory>

#include "io/compression.h"

namespace logboom {

std::unique_ptr<Decompressor> make_gzip_decompressor(const DecompressionLimits& limits);
std::unique_ptr<Decompressor> make_zstd_decompressor(const DecompressionLimits& limits);
std::unique_ptr<Decompressor> make_xz_decompressor(const DecompressionLimits& limits);

}  // namespace logboom
