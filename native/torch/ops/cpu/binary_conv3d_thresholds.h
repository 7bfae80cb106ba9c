#pragma once
// The epilogue of a binary convolution as comparisons of whole numbers, where only the next layer's bits are wanted.
#include <cstdint>
#include <vector>

#include "torch/ops/cpu/binary_conv3d_rows.h"

namespace vision_native {

/// `h + next_bias ≥ 0` grows with y where the scale is positive, falls where it is negative: every operation of the
/// epilogue is monotone, and so is its rounding. The bit is then `sign · y ≥ threshold`, found by trying the formula.
class BinaryThresholds {
 public:
  BinaryThresholds(const BinaryFloats& vectors, const float* next_bias, int64_t channels, int64_t largest_sum);

  /// False where a slope is negative or a number is not finite: the formula itself has to be followed.
  bool exact() const { return exact_; }

  /// Bits of 64 channels from `first` on.
  uint64_t bits(const int32_t* y, int64_t first) const;

 private:
  bool exact_ = true;
  std::vector<int32_t> sign_, threshold_;
};

}  // namespace vision_native
