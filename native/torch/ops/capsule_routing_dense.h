#pragma once
// Checks that the devices share for dense routing of capsules.
#include <ATen/core/Tensor.h>

#include <optional>
#include <string_view>

#include "torch/run_context.h"

namespace vision_native {

/// `input` is [B, I, N], `weight` [I, J, M, N], `bias` [J, M].
VISION_NATIVE_API void capsule_check_dense(std::string_view op, const at::Tensor& input, const at::Tensor& weight,
                         const std::optional<at::Tensor>& bias, int64_t iterations, double kappa);

/// What the backward pass is given: `grad` like the routed capsules, [B, J, M], and `sums` before the squash of every
/// iteration, [R, B, J, M].
VISION_NATIVE_API void capsule_check_dense_saved(std::string_view op, const at::Tensor& grad, const at::Tensor& input,
                               const at::Tensor& weight, const at::Tensor& sums, int64_t iterations);

}  // namespace vision_native
