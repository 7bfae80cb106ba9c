#pragma once
// Checks that the devices share for RoIAlign.
#include <ATen/core/Tensor.h>

#include <string_view>

#include "torch/run_context.h"

namespace vision_native {

struct RoiAlignOptions {
  int64_t pooled_height, pooled_width;
  double spatial_scale;
  int64_t sampling_ratio;
  bool aligned;
};

VISION_NATIVE_API
RoiAlignOptions roi_align_options(std::string_view op, at::IntArrayRef output_size, double spatial_scale,
                                  int64_t sampling_ratio, bool aligned);

/// `input` is [N, C, H, W], `boxes` [K, 5]: the place in the batch, and corners.
VISION_NATIVE_API void roi_align_check(std::string_view op, const at::Tensor& input, const at::Tensor& boxes);

/// `grad` is [K, C, PH, PW] for inputs of `input_size`.
VISION_NATIVE_API
void roi_align_check_grad(const at::Tensor& grad, const at::Tensor& boxes, c10::SymIntArrayRef input_size,
                          const RoiAlignOptions& options);

inline at::MemoryFormat roi_align_format(const at::Tensor& input) {
  return input.suggest_memory_format() == at::MemoryFormat::ChannelsLast ? at::MemoryFormat::ChannelsLast
                                                                         : at::MemoryFormat::Contiguous;
}

}  // namespace vision_native
