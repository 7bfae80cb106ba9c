#pragma once
// Checks that the devices share for the operators of capsule networks.
#include <ATen/core/Tensor.h>

#include <optional>
#include <string_view>

namespace vision_native {

/// `votes` are [B, S, K, N, H, W], `bias` [K, N].
void capsule_check_routing(std::string_view op, const at::Tensor& votes, const std::optional<at::Tensor>& bias,
                           int64_t iterations, double kappa);

/// `grad` is like the routed capsules, [B, K, N, H, W].
void capsule_check_grad(const at::Tensor& grad, const at::Tensor& votes);

void capsule_check_squash(std::string_view op, const at::Tensor& input, double kappa, int64_t dim);

}  // namespace vision_native
