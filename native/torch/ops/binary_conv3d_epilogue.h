#pragma once
// The arithmetic after a binary convolution, the same on CPU and CUDA.
#include <cstdint>

#ifdef __CUDACC__
#define VISION_NATIVE_SHARED __host__ __device__
#else
#define VISION_NATIVE_SHARED
#endif

namespace vision_native {

/// `h` of one output. What is left out is 0, the slope 1. With internal linkage: it is compiled for each instruction set.
VISION_NATIVE_SHARED static inline float binary_epilogue(int32_t y, float scale, float shift, float residual,
                                                         float bias1, float slope, float bias2) {
  const float scaled = scale * static_cast<float>(y);
  const float moved = scaled + shift;
  const float joined = moved + residual;
  const float r = joined + bias1;
  const float activated = r > 0.0f ? r : slope * r;
  return activated + bias2;
}

}  // namespace vision_native
