#pragma once
// Checks that the devices share for deformable convolution.
#include <ATen/core/Tensor.h>

#include <array>
#include <optional>
#include <string_view>

#include "torch/ops/deform_conv2d_samples.h"
#include "torch/run_context.h"

namespace vision_native {

/// Tensors of a call; `mask` and `bias` may be undefined.
struct DeformInputs {
  const at::Tensor &input, &offset, &weight;
  at::Tensor bias, mask;
};

/// Throws where shapes, dtypes or devices do not fit. Returns [N, filters, height, width] of the result.
VISION_NATIVE_API
std::array<c10::SymInt, 4> deform_check(std::string_view op, const DeformInputs& inputs, at::IntArrayRef stride,
                                        at::IntArrayRef padding, at::IntArrayRef dilation);

/// The sizes of a call that was checked.
VISION_NATIVE_API DeformShape deform_shape(const DeformInputs& inputs, at::IntArrayRef stride, at::IntArrayRef padding,
                         at::IntArrayRef dilation);

/// `grad` is like the result.
VISION_NATIVE_API void deform_check_grad(const at::Tensor& grad, const at::Tensor& input, c10::SymIntArrayRef sizes);

inline at::MemoryFormat deform_format(const at::Tensor& input) {
  return input.suggest_memory_format() == at::MemoryFormat::ChannelsLast ? at::MemoryFormat::ChannelsLast
                                                                         : at::MemoryFormat::Contiguous;
}

/// Gradients by input, offset, weight, bias and mask; those that are not wanted are undefined.
using DeformGradients = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

inline DeformInputs deform_inputs(const at::Tensor& input, const at::Tensor& offset, const at::Tensor& weight,
                                  const std::optional<at::Tensor>& bias, const std::optional<at::Tensor>& mask) {
  return {input, offset, weight, bias.value_or(at::Tensor()), mask.value_or(at::Tensor())};
}

}  // namespace vision_native
