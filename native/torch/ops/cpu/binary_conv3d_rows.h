#pragma once
// Binary convolution: counting differing bits along rows of outputs. One table of functions for each instruction set.
#include <cstdint>

namespace vision_native {

/// Output channels that a row function works on together: one word of the next layer's bits.
constexpr int64_t kBinaryBlock = 64;
/// Pairs of outputs that are made together: what they need is held in the first cache.
constexpr int64_t kBinaryPairs = 32;
/// Numbers that a staged word takes: one for each four bits.
constexpr int64_t kStagedWord = 16;

/// A few rows of outputs, or a part of one, in one block of channels.
struct BinaryRows {
  /// `[count][kernel_rows]`: the input row that a kernel row falls on, from the image's first column, or staged from the
  /// first column that an output sees; null outside the image.
  const void* const* inputs;
  int64_t count, kernel_rows;
  int64_t words, kernel_width, stride;
  /// Columns that the first output sees left of the image; may be negative.
  int64_t padding;
  int64_t width, out_width;
};

/// What follows the sums of 64 output channels: see binary_epilogue.
struct BinaryFloats {
  const float *scale, *shift, *bias1, *slope, *bias2;
};

struct BinaryRowKernel {
  /// Fills `differing[row · out_width + x][channel]` for the block that `weight` is of. `ones`: where rows are staged, the
  /// ones of each tap's weights, `[taps][64]`.
  void (*rows)(const BinaryRows& rows, const void* weight, const int32_t* ones, int64_t channels, int32_t* differing);
  /// Counts the ones of one tap's turned weights, for staged rows.
  void (*ones)(const uint8_t* turned, int64_t words, int32_t* ones);
  /// `most − 2·differing` of `channels`.
  void (*sums)(const int32_t* differing, int32_t most, int64_t channels, int32_t* y);
  /// The epilogue of 64 channels.
  void (*floats)(const int32_t* differing, int32_t most, const BinaryFloats& vectors, const float* residual, float* h);
  /// True: input rows are staged and weights are turned, see binary_conv3d_table.inl. False: both are plain words.
  bool staged;
};

extern const BinaryRowKernel kBinaryRowsScalar;
extern const BinaryRowKernel kBinaryRowsAvx2;
extern const BinaryRowKernel kBinaryRowsAvx512;
extern const BinaryRowKernel kBinaryRowsPopcount;

}  // namespace vision_native
