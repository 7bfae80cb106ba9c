#pragma once
// Where deformable convolution reads, written once for CPU and CUDA: Dai et al., "Deformable Convolutional Networks", ICCV
// 2017, and, with a mask, Zhu et al., "Deformable ConvNets v2", CVPR 2019.
#include <cmath>
#include <cstdint>

#if defined(__CUDACC__)
#define DEFORM_SAMPLE static __host__ __device__ __forceinline__
#else
#define DEFORM_SAMPLE [[maybe_unused]] static inline __attribute__((always_inline))
#endif

namespace vision_native {

/// Sizes of a call, of height and width where there are two. Free of ATen.
struct DeformShape {
  int64_t batch, channels, height, width, filters;
  int64_t kernel[2], stride[2], padding[2], dilation[2], out[2];
  int64_t groups, offset_groups;

  constexpr int64_t taps() const { return kernel[0] * kernel[1]; }
  constexpr int64_t pixels() const { return out[0] * out[1]; }
};

/// A position between four pixels: upper left, upper right, lower left, lower right.
template <typename T>
struct DeformTap {
  bool inside[4];
  int64_t pixel[4];
  T weight[4];
  T down, right;  ///< the parts of the lower and the right pixels
};

/// Pixels outside the image are 0, and so is every position that is not less than a pixel from it, NaN among them.
template <typename T>
DEFORM_SAMPLE DeformTap<T> deform_tap(T y, T x, int64_t height, int64_t width) {
  DeformTap<T> tap{};
  if (!(y > T(-1) && y < static_cast<T>(height) && x > T(-1) && x < static_cast<T>(width))) return tap;
  const T top = std::floor(y), left = std::floor(x);
  const int64_t row = static_cast<int64_t>(top), column = static_cast<int64_t>(left);
  tap.down = y - top;
  tap.right = x - left;
  const T up = T(1) - tap.down, leftward = T(1) - tap.right;
  const bool above = row >= 0, below = row + 1 < height, before = column >= 0, after = column + 1 < width;
  const int64_t first = row * width + column;
  tap.inside[0] = above && before;
  tap.inside[1] = above && after;
  tap.inside[2] = below && before;
  tap.inside[3] = below && after;
  tap.pixel[0] = first;
  tap.pixel[1] = first + 1;
  tap.pixel[2] = first + width;
  tap.pixel[3] = first + width + 1;
  tap.weight[0] = up * leftward;
  tap.weight[1] = up * tap.right;
  tap.weight[2] = tap.down * leftward;
  tap.weight[3] = tap.down * tap.right;
  return tap;
}

/// Slope of the sample by its row and column, from what the four pixels have, 0 outside.
template <typename T>
DEFORM_SAMPLE T deform_slope_y(const DeformTap<T>& tap, const T (&value)[4]) {
  return (T(1) - tap.right) * (value[2] - value[0]) + tap.right * (value[3] - value[1]);
}
template <typename T>
DEFORM_SAMPLE T deform_slope_x(const DeformTap<T>& tap, const T (&value)[4]) {
  return (T(1) - tap.down) * (value[1] - value[0]) + tap.down * (value[3] - value[2]);
}

}  // namespace vision_native
