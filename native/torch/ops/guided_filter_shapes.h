#pragma once
// Checks of kernels that are called with real sizes, the same on every device.
#include <ATen/ops/empty.h>

#include "torch/ops/guided_filter.h"

namespace vision_native {

inline void box_check_call(const char* op, const at::Tensor& input, int64_t radius) {
  box_check_input(op, "the input", input);
  TORCH_CHECK(input.dim() >= 2, op, ": the input is […, H, W], got shape ", input.sizes());
  box_check_radius(op, radius, 0);
}

inline void guided_check_call(const char* op, GuidedMode mode, const at::Tensor& guide, const at::Tensor& input,
                              int64_t radius, const at::Tensor& eps) {
  guided_check_alike(op, "the guide", guide, "the input", input);
  guided_check_pair(op, mode, guide, input);
  guided_check_eps(op, eps, input);
  box_check_radius(op, radius, 1);
}

/// Gradients of a filter's result, or of `[B, C, guides + 1, H, W]` coefficients.
inline void guided_check_grad(const char* op, const at::Tensor& grad, const at::Tensor& input, at::IntArrayRef sizes) {
  guided_check_alike(op, "the gradient", grad, "the input", input);
  TORCH_CHECK(grad.sizes() == sizes, op, ": the gradient has shape ", grad.sizes(), ", what was computed ", sizes);
}

inline void guided_check_apply(const char* op, GuidedMode mode, const at::Tensor& coefficients, const at::Tensor& guide) {
  guided_check_alike(op, "the guide", guide, "coefficients", coefficients);
  const int64_t fields = guided_guides(mode) + 1;
  TORCH_CHECK(coefficients.dim() == 5 && coefficients.size(2) == fields, op, ": coefficients are [B, C, ", fields,
              ", h, w] in this mode, got shape ", coefficients.sizes());
  guided_check_pair(op, mode, guide, coefficients.select(2, 0), true);
  TORCH_CHECK(guide.numel() == 0 || (coefficients.size(3) > 0 && coefficients.size(4) > 0) || coefficients.size(1) == 0, op,
              ": coefficients of shape ", coefficients.sizes(), " have no pixels, the guide has shape ", guide.sizes());
}

inline void guided_check_factor(const at::Tensor& input, int64_t factor) {
  box_check_input("area_downsample", "the input", input);
  TORCH_CHECK(input.dim() == 4, "area_downsample: the input is [B, C, H, W], got shape ", input.sizes());
  TORCH_CHECK_VALUE(factor >= 1 && factor <= (int64_t{1} << 31) - 1, "area_downsample: factor is 1 to 2147483647, got ", factor);
}

inline void guided_check_shrunk(const at::Tensor& grad, int64_t height, int64_t width, int64_t factor) {
  guided_check_factor(grad, factor);
  TORCH_CHECK(height >= 0 && width >= 0 && height <= (int64_t{1} << 40) && width <= (int64_t{1} << 40) &&
                  grad.size(2) == (height + factor - 1) / factor && grad.size(3) == (width + factor - 1) / factor,
              "_area_downsample_backward: a gradient of shape ", grad.sizes(), " does not belong to ", height, " × ", width,
              " pixels shrunk by ", factor);
}

}  // namespace vision_native
