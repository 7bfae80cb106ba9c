#pragma once
// Checks that the devices share for the Chamfer distance.
#include "torch/ops/knn.h"
#include "torch/run_context.h"

namespace vision_native {

VISION_NATIVE_API
void chamfer_distance_check(const at::Tensor& first, const at::Tensor& second, const OptionalTensor& first_lengths,
                            const OptionalTensor& second_lengths);

/// Gradients of the distances of both directions; `grads` and `indices` are [B, N] and [B, M].
VISION_NATIVE_API void chamfer_distance_check_backward(const at::Tensor& first_grad, const at::Tensor& second_grad,
                                     const at::Tensor& first, const at::Tensor& second, const at::Tensor& first_indices,
                                     const at::Tensor& second_indices);

}  // namespace vision_native
