#pragma once
// K4: the 5×5 median of one tile, with its border in shared memory.
#include <cuda_runtime.h>

#include "torch/ops/tvl1_flow_math.h"

namespace vision_native::cuda {

constexpr int kMedianWidth = 32;
constexpr int kMedianHeight = 8;
constexpr int kMedianMargin = 2;

inline dim3 median_threads() { return {kMedianWidth, kMedianHeight, 1}; }

/// Blocks in x. Sizes are far below the limit of a grid: 2³¹ tiles have 2³⁹ pixels.
inline unsigned median_tiles(Tvl1Size size) {
  const int64_t across = (size.width + kMedianWidth - 1) / kMedianWidth;
  const int64_t down = (size.height + kMedianHeight - 1) / kMedianHeight;
  return static_cast<unsigned>(across * down);
}

/// Writes tile `blockIdx.x` of the filtered image. All threads of the block take part.
__device__ inline void median_tile(const float* in, float* out, Tvl1Size size) {
  constexpr int stride = kMedianWidth + 2 * kMedianMargin;
  constexpr int rows = kMedianHeight + 2 * kMedianMargin;
  __shared__ float tile[rows * stride];
  const int64_t across = (size.width + kMedianWidth - 1) / kMedianWidth;
  const int64_t left = (blockIdx.x % across) * kMedianWidth;
  const int64_t top = (blockIdx.x / across) * kMedianHeight;

  __syncthreads();  // the tile of the image before may still be read
  for (int i = threadIdx.y * kMedianWidth + threadIdx.x; i < rows * stride; i += kMedianWidth * kMedianHeight) {
    const int64_t y = tvl1_clamp(top + i / stride - kMedianMargin, size.height);
    const int64_t x = tvl1_clamp(left + i % stride - kMedianMargin, size.width);
    tile[i] = in[y * size.width + x];
  }
  __syncthreads();

  const int64_t x = left + threadIdx.x;
  const int64_t y = top + threadIdx.y;
  if (x >= size.width || y >= size.height) return;
  float m[5][5];
#pragma unroll
  for (int j = 0; j < 5; ++j) {
#pragma unroll
    for (int i = 0; i < 5; ++i) m[i][j] = tile[(threadIdx.y + i) * stride + threadIdx.x + j];
    tvl1_sort5(m[0][j], m[1][j], m[2][j], m[3][j], m[4][j]);
  }
  out[y * size.width + x] = tvl1_median_of_columns(m);
}

}  // namespace vision_native::cuda
