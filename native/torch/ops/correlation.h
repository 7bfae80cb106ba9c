#pragma once
// Checks and sizes that the devices share for correlation.
#include <ATen/core/Tensor.h>

#include <string_view>
#include <tuple>

#include "torch/run_context.h"

namespace vision_native {

/// Of height and width.
struct CorrelationOptions {
  int64_t kernel[2], patch[2], stride[2], padding[2], dilation[2], dilation_patch[2];
  int64_t out[2];

  /// The displacement of element `index` of the patch along an axis.
  int64_t shift(int axis, int64_t index) const { return (index - (patch[axis] - 1) / 2) * dilation_patch[axis]; }
  /// The largest displacement to either side.
  int64_t reach(int axis) const { return patch[axis] / 2 * dilation_patch[axis]; }
};

/// `first` and `second` are [B, C, H, W].
VISION_NATIVE_API
CorrelationOptions correlation_check(std::string_view op, const at::Tensor& first, const at::Tensor& second,
                                     c10::IntArrayRef kernel_size, c10::IntArrayRef patch_size, c10::IntArrayRef stride,
                                     c10::IntArrayRef padding, c10::IntArrayRef dilation,
                                     c10::IntArrayRef dilation_patch);

/// `grad` is like the result, [B, patch height, patch width, out height, out width].
VISION_NATIVE_API
void correlation_check_grad(const at::Tensor& grad, const at::Tensor& first, const CorrelationOptions& options);

VISION_NATIVE_API at::Tensor correlation_empty_result(const at::Tensor& first, const CorrelationOptions& options);
/// A gradient that is not wanted has no elements.
VISION_NATIVE_API
std::tuple<at::Tensor, at::Tensor> correlation_empty_gradients(const at::Tensor& first, bool first_grad,
                                                               bool second_grad);

}  // namespace vision_native
