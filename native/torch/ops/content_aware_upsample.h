#pragma once
// Checks that the devices share for content-aware upsampling.
#include <ATen/core/Tensor.h>

#include <string_view>
#include <tuple>

#include "torch/run_context.h"

namespace vision_native {

struct CauOptions {
  int64_t scale, window, groups;
  bool replicate;
};

/// `features` are [B, C, H, W], `logits` [B, groups·r²·K², H, W].
VISION_NATIVE_API
CauOptions cau_check(std::string_view op, const at::Tensor& features, const at::Tensor& logits, int64_t scale,
                     int64_t window, int64_t groups, std::string_view border);

/// `grad` is like the result, [B, C, rH, rW].
VISION_NATIVE_API void cau_check_grad(const at::Tensor& grad, const at::Tensor& features, const CauOptions& options);

/// Results in the memory format of what they belong to; a gradient that is not wanted has no elements.
VISION_NATIVE_API at::Tensor cau_empty_result(const at::Tensor& features, const CauOptions& options);
VISION_NATIVE_API
std::tuple<at::Tensor, at::Tensor> cau_empty_gradients(const at::Tensor& features, const at::Tensor& logits,
                                                       bool features_grad, bool logits_grad);

}  // namespace vision_native
