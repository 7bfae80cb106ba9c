// What follows the counts of one output pixel, compiled for each instruction set. Nothing is contracted to fused
// multiply-adds, so that all give the same bits; without traps the slope is chosen, not branched to.
#pragma GCC optimize("fp-contract=off", "no-trapping-math")

#include "torch/ops/binary_conv3d_epilogue.h"

namespace vision_native {

namespace {

void finish_sums(const int32_t* differing, int32_t most, int64_t channels, int32_t* y) {
  for (int64_t c = 0; c < channels; ++c) y[c] = most - 2 * differing[c];
}

void finish_floats(const int32_t* differing, int32_t most, const BinaryFloats& vectors, const float* residual, float* h) {
  const auto [scale, shift, bias1, slope, bias2] = vectors;
  for (int64_t c = 0; c < kBinaryBlock; ++c) {
    h[c] = binary_epilogue(most - 2 * differing[c], scale[c], shift[c], residual[c], bias1[c], slope[c], bias2[c]);
  }
}

}  // namespace

}  // namespace vision_native
