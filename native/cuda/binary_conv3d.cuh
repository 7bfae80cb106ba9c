#pragma once
// What the kernels of binary 3D convolution share on the device: where a pixel's input lies, and what follows its sums.
#include "cuda/binary_conv3d.h"
#include "torch/ops/binary_conv3d_epilogue.h"

namespace vision_native::cuda {

/// The image of an output pixel, and where its first tap falls.
struct Pixel {
  int64_t image, t, h, w;
};

__device__ inline Pixel pixel_of(const BinaryConv& conv, int64_t pixel) {
  const int64_t w = pixel % conv.out[2], rest = pixel / conv.out[2];
  const int64_t h = rest % conv.out[1], above = rest / conv.out[1];
  const int64_t t = above % conv.out[0], n = above / conv.out[0];
  return {n, t * conv.stride[0] - conv.padding[0], h * conv.stride[1] - conv.padding[1],
          w * conv.stride[2] - conv.padding[2]};
}

__device__ inline int64_t taps_inside(int64_t first, int64_t kernel, int64_t size) {
  const int64_t begin = first < 0 ? 0 : first;
  const int64_t end = first + kernel < size ? first + kernel : size;
  return end > begin ? end - begin : 0;
}

/// Element c of a vector of the epilogue, which may be left out.
__device__ inline float number(const float* values, int64_t c, float otherwise) {
  return values == nullptr ? otherwise : values[c];
}

__device__ inline float residual_of(const BinaryVectors& vectors, int64_t pixel, int64_t c) {
  if (vectors.residual == nullptr) return 0.0f;
  return vectors.residual[pixel * vectors.residual_channels + c % vectors.residual_channels];
}

/// h of one output.
__device__ inline float value_of(const BinaryVectors& vectors, int32_t y, int64_t pixel, int64_t c) {
  return binary_epilogue(y, vectors.scale[c], vectors.shift[c], residual_of(vectors, pixel, c),
                         number(vectors.bias1, c, 0.0f), number(vectors.slope, c, 1.0f), number(vectors.bias2, c, 0.0f));
}

__device__ inline bool next_bit(const BinaryVectors& vectors, float h, int64_t c) {
  return h + number(vectors.next_bias, c, 0.0f) >= 0.0f;
}

}  // namespace vision_native::cuda
