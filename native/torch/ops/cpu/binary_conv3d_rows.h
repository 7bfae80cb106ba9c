#pragma once
// Binary convolution: counting differing bits along rows of outputs. One table of functions for each instruction set.
#include <cstdint>

namespace vision_native {

/// Output channels that a row function works on together: one word of the next layer's bits.
constexpr int64_t kBinaryBlock = 64;
/// Bytes that a staged word takes: one for each four bits.
constexpr int64_t kStagedWord = 16;
/// Staged value of four bits that lie outside the input: they differ from no weight.
constexpr uint8_t kOutside = 2 * 16;

/// Kernel rows that fall inside the input, for one row of outputs (n, t, h).
struct BinaryRow {
  /// For each kernel row its input row, from the first column of the image, or staged with its padding.
  const void* const* inputs;
  /// Place of each kernel row: a · kh + b.
  const int64_t* kernel_rows;
  int64_t count;

  int64_t words, kernel_width, stride, padding;
  int64_t width, out_width;
  int64_t taps;
};

/// Adds nothing up across calls: fills `differing[x][channel]` for the block of 64 output channels that `weight` is of.
using BinaryRowFunction = void (*)(const BinaryRow& row, const void* weight, int64_t channels, int32_t* differing);

struct BinaryRowKernel {
  BinaryRowFunction row;
  /// True: input rows are staged and weights are turned, see binary_conv3d_table.inl. False: both are plain words.
  bool staged;
};

extern const BinaryRowKernel kBinaryRowsScalar;
extern const BinaryRowKernel kBinaryRowsAvx2;
extern const BinaryRowKernel kBinaryRowsAvx512;
extern const BinaryRowKernel kBinaryRowsPopcount;

}  // namespace vision_native
