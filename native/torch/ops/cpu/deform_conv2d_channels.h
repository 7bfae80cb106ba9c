#pragma once
// What deformable convolution does to the channels of one sample, compiled once for each instruction set.
#include <cstdint>

namespace vision_native {

constexpr int64_t kDeformLanes = 8;

/// `corners` are the four pixels around a position, each of `count` channels.
template <typename A>
struct DeformKernels {
  /// Weighted sum of the corners.
  void (*sample)(const A* const (&corners)[4], const A (&weights)[4], int64_t count, A* out);
  /// Products of each corner with the gradient of the sample.
  void (*correlate)(const A* const (&corners)[4], const A* grad, int64_t count, A (&sums)[4]);
  /// Adds the gradient of the sample to its corners, which may be one and the same.
  void (*scatter)(A* const (&corners)[4], const A (&weights)[4], const A* grad, int64_t count);
};

struct DeformTables {
  DeformKernels<float> narrow;
  DeformKernels<double> wide;
};

extern const DeformTables kDeformKernelsScalar;
extern const DeformTables kDeformKernelsAvx2;
extern const DeformTables kDeformKernelsAvx512;

}  // namespace vision_native
