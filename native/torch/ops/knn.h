#pragma once
// Checks that the devices share for searches among points.
#include <ATen/core/Tensor.h>

#include <string_view>
#include <tuple>

#include "torch/run_context.h"

namespace vision_native {

using OptionalTensor = std::optional<at::Tensor>;

/// Largest cloud: indices are whole numbers of 31 bits while they are ranked.
constexpr int64_t kMostPoints = (int64_t{1} << 31) - 64;

/// `points` are [B, N, D] of a floating type.
void points_check(std::string_view op, const char* name, const at::Tensor& points);

/// Two sets of clouds with the same batch, dimensions, dtype and device.
void points_check_pair(std::string_view op, const char* first_name, const at::Tensor& first, const char* second_name,
                       const at::Tensor& second);

/// `lengths` are int64 [B] on the device of `points`; their values are looked at on the CPU only.
void points_check_lengths(std::string_view op, const char* name, const OptionalTensor& lengths,
                          const at::Tensor& points);

VISION_NATIVE_API
void knn_check(const at::Tensor& query, const at::Tensor& reference, int64_t k, const OptionalTensor& query_lengths,
               const OptionalTensor& reference_lengths);

/// `grad` and `indices` are [B, N, k].
VISION_NATIVE_API void knn_check_backward(std::string_view op, const at::Tensor& grad, const at::Tensor& query,
                        const at::Tensor& reference, const at::Tensor& indices);

// The CPU kernels, which chamfer_distance uses too. Inputs are checked.
std::tuple<at::Tensor, at::Tensor> knn_cpu(const at::Tensor& query, const at::Tensor& reference, int64_t k,
                                           const OptionalTensor& query_lengths,
                                           const OptionalTensor& reference_lengths);

/// Gradients by the query and by the reference of Σ grad·distance; one that is not wanted has no elements. Where
/// `rooted`, distances are not squared.
std::tuple<at::Tensor, at::Tensor> knn_backward_cpu(const at::Tensor& grad, const at::Tensor& query,
                                                    const at::Tensor& reference, const at::Tensor& indices, bool rooted,
                                                    bool query_grad, bool reference_grad);

/// Points of [B, N, D] that belong to each cloud.
std::vector<int64_t> cloud_lengths(const OptionalTensor& lengths, const at::Tensor& points);

}  // namespace vision_native
