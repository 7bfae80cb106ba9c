#pragma once
// Checks that the devices share for exact searches among rows.
#include <ATen/core/Tensor.h>

#include <optional>

#include "torch/run_context.h"

namespace vision_native {

/// Dimensions up to which a product of two rows of int8 fits in 32 bits.
constexpr int64_t kMostCodes = 131071;

/// `queries` [Q, D], `base` [N, D] of one floating type or int8; `base_norms` [N] float32, float64 for float64.
VISION_NATIVE_API void topk_cosine_check(const at::Tensor& queries, const at::Tensor& base, int64_t k,
                       const std::optional<at::Tensor>& base_norms);

/// Rows of 64-bit words, int64.
VISION_NATIVE_API void topk_hamming_check(const at::Tensor& queries, const at::Tensor& base, int64_t k);

/// `input` [N, D] of a floating type.
VISION_NATIVE_API void topk_cosine_check_rows(const char* op, const at::Tensor& input);

}  // namespace vision_native
