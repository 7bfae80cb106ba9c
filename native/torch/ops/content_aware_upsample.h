#pragma once
// Checks that the devices share for content-aware upsampling.
#include <ATen/core/Tensor.h>

#include <string_view>

namespace vision_native {

struct CauOptions {
  int64_t scale, window, groups;
  bool replicate;
};

/// `features` are [B, C, H, W], `logits` [B, groups·r²·K², H, W].
CauOptions cau_check(std::string_view op, const at::Tensor& features, const at::Tensor& logits, int64_t scale,
                     int64_t window, int64_t groups, std::string_view border);

/// `grad` is like the result, [B, C, rH, rW].
void cau_check_grad(const at::Tensor& grad, const at::Tensor& features, const CauOptions& options);

}  // namespace vision_native
