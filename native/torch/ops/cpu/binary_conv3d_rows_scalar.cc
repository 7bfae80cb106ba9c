// Rows of binary convolution for every x86-64 CPU, which need not have POPCNT: bits are counted within words.
#include <cstdint>

#include "torch/ops/cpu/binary_conv3d_rows.h"

namespace vision_native {

namespace {

constexpr int kPixels = 2;

/// Differing bits of one pixel and eight output channels: bytes of `sums`, emptied before one of them overflows.
struct Counts {
  uint64_t sums[8];
  int32_t totals[8];
  int added;

  void clear() { *this = {}; }

  void add(uint64_t input, const uint64_t* weight) {
    for (int c = 0; c < 8; ++c) {
      uint64_t bits = input ^ weight[c];
      bits -= (bits >> 1) & 0x5555555555555555;
      bits = (bits & 0x3333333333333333) + ((bits >> 2) & 0x3333333333333333);
      sums[c] += (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
    }
    if (++added == 31) empty();
  }

  void empty() {
    for (int c = 0; c < 8; ++c) {
      const uint64_t pairs = (sums[c] & 0x00ff00ff00ff00ff) + ((sums[c] >> 8) & 0x00ff00ff00ff00ff);
      totals[c] += static_cast<int32_t>((pairs * 0x0001000100010001) >> 48);
      sums[c] = 0;
    }
    added = 0;
  }

  void store(int32_t* out) {
    empty();
    for (int c = 0; c < 8; ++c) out[c] = totals[c];
  }
};

}  // namespace

}  // namespace vision_native

#define BINARY_ROWS kBinaryRowsScalar
#include "torch/ops/cpu/binary_conv3d_words.inl"
