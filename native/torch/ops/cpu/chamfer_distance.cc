// CPU kernels of the Chamfer distance: the nearest point in both directions.
#include "torch/ops/chamfer_distance.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/add.h>
#include <ATen/ops/sqrt.h>
#include <torch/library.h>

namespace vision_native {

namespace {

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> chamfer_distance(
    const at::Tensor& first, const at::Tensor& second, const OptionalTensor& first_lengths,
    const OptionalTensor& second_lengths, bool squared) {
  chamfer_distance_check(first, second, first_lengths, second_lengths);
  auto [near, near_at] = knn_cpu(first, second, 1, first_lengths, second_lengths);
  auto [far, far_at] = knn_cpu(second, first, 1, second_lengths, first_lengths);
  if (!squared) {
    near.sqrt_();
    far.sqrt_();
  }
  return {near.squeeze(2), far.squeeze(2), near_at.squeeze(2), far_at.squeeze(2)};
}

std::tuple<at::Tensor, at::Tensor> chamfer_distance_backward(const at::Tensor& first_grad, const at::Tensor& second_grad,
                                                             const at::Tensor& first, const at::Tensor& second,
                                                             const at::Tensor& first_indices,
                                                             const at::Tensor& second_indices, bool squared) {
  chamfer_distance_check_backward(first_grad, second_grad, first, second, first_indices, second_indices);
  auto [a, b] = knn_backward_cpu(first_grad.unsqueeze(2), first, second, first_indices.unsqueeze(2), !squared, true, true);
  auto [d, c] =
      knn_backward_cpu(second_grad.unsqueeze(2), second, first, second_indices.unsqueeze(2), !squared, true, true);
  return {a.add_(c), b.add_(d)};
}

TORCH_LIBRARY_IMPL(vision_native, CPU, library) {
  library.impl("chamfer_distance", chamfer_distance);
  library.impl("_chamfer_distance_backward", chamfer_distance_backward);
}

}  // namespace

}  // namespace vision_native
