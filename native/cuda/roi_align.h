#pragma once
// RoIAlign on CUDA: launches. Neither ATen nor c10 is known here.
#include <cuda_runtime.h>

#include <cstdint>

namespace vision_native::cuda {

/// Strides are of maps, [N, C, H, W], and of bins, [K, C, PH, PW].
template <typename T>
struct RoiCall {
  const T* boxes;  ///< `[K, 5]`
  int64_t regions, images, channels, height, width, pooled_height, pooled_width;
  int64_t map[4], bins[4];
  T spatial_scale;
  int64_t sampling_ratio;
  bool aligned, channels_last;
};

template <typename T>
void launch_roi_align(const RoiCall<T>& call, const T* maps, T* bins, cudaStream_t stream);

/// Adds to `maps` atomically.
template <typename T>
void launch_roi_align_backward(const RoiCall<T>& call, const T* bins, T* maps, cudaStream_t stream);

}  // namespace vision_native::cuda
