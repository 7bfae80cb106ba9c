#pragma once
// Block counts, 64-bit pixel loops and launch checks for the kernels of this package.
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace vision_native::cuda {

constexpr int kThreads = 256;
constexpr int64_t kMostBlocksX = (int64_t{1} << 31) - 1;
constexpr int64_t kMostBlocksY = 65535;

/// Blocks in x for `count` items; loops with VISION_NATIVE_PIXELS take the rest where the grid is at its limit.
inline unsigned blocks_for(int64_t count) {
  return static_cast<unsigned>(std::min((count + kThreads - 1) / kThreads, kMostBlocksX));
}

/// Blocks in y for `count` images; loops with VISION_NATIVE_IMAGES take the rest.
inline unsigned rows_for(int64_t count) { return static_cast<unsigned>(std::min(count, kMostBlocksY)); }

/// Throws when the launch before it was refused.
inline void check_launch(const char* kernel) {
  const cudaError_t status = cudaGetLastError();
  if (status != cudaSuccess) {
    throw std::runtime_error(std::string("CUDA: ") + kernel + " was not launched: " + cudaGetErrorString(status));
  }
}

inline void check_cuda(cudaError_t status, const char* what) {
  if (status != cudaSuccess) throw std::runtime_error(std::string("CUDA: ") + what + ": " + cudaGetErrorString(status));
}

}  // namespace vision_native::cuda

/// Every thread's share of `count` pixels.
#define VISION_NATIVE_PIXELS(i, count)                                                          \
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < (count); \
       i += static_cast<int64_t>(gridDim.x) * blockDim.x)

/// The block's share of `count` images.
#define VISION_NATIVE_IMAGES(n, count) for (int64_t n = blockIdx.y; n < (count); n += gridDim.y)
