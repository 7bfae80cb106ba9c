#pragma once
// What launches are told of a tensor `[N, C, H, W]` of any floating-point type and layout. Strides are of elements.
#include <cstdint>

namespace vision_native::cuda {

enum class FloatType { kHalf, kBFloat16, kFloat, kDouble };

struct FloatSource {
  const void* data;
  FloatType type;
  int64_t strides[4];
};

struct FloatTarget {
  void* data;
  FloatType type;
  int64_t strides[4];
};

}  // namespace vision_native::cuda
