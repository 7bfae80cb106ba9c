#pragma once
// Correlation on CUDA: launches. Neither ATen nor c10 is known here.
#include <cuda_runtime.h>

#include <cstdint>

#include "cuda/floating.h"

namespace vision_native::cuda {

/// Pairs are of height and width.
struct CorrelationProblem {
  FloatSource first, second;  ///< `[samples, channels, height, width]`
  int64_t samples, channels, height, width;
  int64_t kernel[2], patch[2], stride[2], padding[2], dilation[2], dilation_patch[2], out[2];
};

/// Volumes are `[samples, patch height · patch width, out height, out width]`.
template <typename A>
void launch_correlation(const CorrelationProblem& problem, const FloatTarget& volume, cudaStream_t stream);
template <typename A>
void launch_correlation_first_grad(const CorrelationProblem& problem, const FloatSource& grad, const FloatTarget& out,
                                   cudaStream_t stream);
template <typename A>
void launch_correlation_second_grad(const CorrelationProblem& problem, const FloatSource& grad, const FloatTarget& out,
                                    cudaStream_t stream);

}  // namespace vision_native::cuda
