#pragma once
// Deformable convolution on CUDA: launches. Neither ATen nor c10 is known here.
#include <cuda_runtime.h>

#include "torch/ops/deform_conv2d_samples.h"

namespace vision_native::cuda {

/// Images `images` of a call, from `first` on; all tensors are contiguous.
template <typename T>
struct DeformCall {
  DeformShape shape;
  int64_t first, images;
  const T* input;   ///< `[N, C, H, W]`
  const T* offset;  ///< `[N, offset groups · taps · 2, pixels]`
  const T* mask;    ///< `[N, offset groups · taps, pixels]`, or null
};

/// `columns` are `[C · taps, images · pixels]`.
template <typename T>
void launch_deform_columns(const DeformCall<T>& call, T* columns, cudaStream_t stream);

/// Adds the gradient of the columns to that of the input, `[N, C, H, W]`, atomically.
template <typename T>
void launch_deform_input(const DeformCall<T>& call, const T* columns, T* input, cudaStream_t stream);

/// Gradients of offsets and masks, which may be null.
template <typename T>
void launch_deform_positions(const DeformCall<T>& call, const T* columns, T* offset, T* mask, cudaStream_t stream);

}  // namespace vision_native::cuda
