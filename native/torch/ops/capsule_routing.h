#pragma once
// Checks that the devices share for the operators of capsule networks.
#include <ATen/core/Tensor.h>

#include <optional>
#include <string_view>

#include "torch/run_context.h"

namespace vision_native {

/// Floating-point types only; `name` in the plural.
void capsule_check_type(std::string_view op, const char* name, const at::Tensor& tensor);

void capsule_check_options(std::string_view op, int64_t iterations, double kappa);

/// `bias`, where there is one, has the shape that `names` names; `votes` tell its device and the widest type.
void capsule_check_bias(std::string_view op, const std::optional<at::Tensor>& bias, const char* names,
                        const c10::SymInt& outputs, const c10::SymInt& dims, const at::Tensor& votes);

/// `votes` are [B, S, K, N, H, W], `bias` [K, N].
VISION_NATIVE_API
void capsule_check_routing(std::string_view op, const at::Tensor& votes, const std::optional<at::Tensor>& bias,
                           int64_t iterations, double kappa);

/// What the backward pass is given: `grad` like the routed capsules, [B, K, N, H, W]; `logits` of every iteration but the
/// first, [R − 1, B, S, K, H, W], and their `statistics`, [R − 1, B, 2, S].
VISION_NATIVE_API
void capsule_check_saved(std::string_view op, const at::Tensor& grad, const at::Tensor& votes, const at::Tensor& logits,
                         const at::Tensor& statistics, int64_t iterations);

VISION_NATIVE_API void capsule_check_squash(std::string_view op, const at::Tensor& input, double kappa, int64_t dim);
VISION_NATIVE_API void capsule_check_squash_gradient(const at::Tensor& grad, const at::Tensor& input);

}  // namespace vision_native
