// Chamfer distance of point clouds: schemas, checks and shapes. Fan, Su, Guibas, CVPR 2017.
#include "torch/ops/chamfer_distance.h"

#include <ATen/ops/empty.h>
#include <torch/library.h>

namespace vision_native {

namespace {

using Four = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

Four chamfer_meta(const at::Tensor& first, const at::Tensor& second, const OptionalTensor& first_lengths,
                  const OptionalTensor& second_lengths, bool squared) {
  chamfer_distance_check(first, second, first_lengths, second_lengths);
  const c10::SymInt n[] = {first.sym_size(0), first.sym_size(1)}, m[] = {second.sym_size(0), second.sym_size(1)};
  const at::TensorOptions whole = first.options().dtype(at::kLong);
  return {at::empty_symint(n, first.options()), at::empty_symint(m, first.options()), at::empty_symint(n, whole),
          at::empty_symint(m, whole)};
}

std::tuple<at::Tensor, at::Tensor> backward_meta(const at::Tensor& first_grad, const at::Tensor& second_grad,
                                                 const at::Tensor& first, const at::Tensor& second,
                                                 const at::Tensor& first_indices, const at::Tensor& second_indices,
                                                 bool squared) {
  chamfer_distance_check_backward(first_grad, second_grad, first, second, first_indices, second_indices);
  return {at::empty_symint(first.sym_sizes(), first.options()), at::empty_symint(second.sym_sizes(), second.options())};
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def(
      "chamfer_distance(Tensor first, Tensor second, *, Tensor? first_lengths=None, Tensor? second_lengths=None, "
      "bool squared=True) -> (Tensor first_distances, Tensor second_distances, Tensor first_indices, "
      "Tensor second_indices)");
  library.def(
      "_chamfer_distance_backward(Tensor first_grad, Tensor second_grad, Tensor first, Tensor second, "
      "Tensor first_indices, Tensor second_indices, bool squared) -> (Tensor first_points_grad, "
      "Tensor second_points_grad)");
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) {
  library.impl("chamfer_distance", chamfer_meta);
  library.impl("_chamfer_distance_backward", backward_meta);
}

}  // namespace

void chamfer_distance_check(const at::Tensor& first, const at::Tensor& second, const OptionalTensor& first_lengths,
                            const OptionalTensor& second_lengths) {
  constexpr const char* op = "chamfer_distance";
  points_check_pair(op, "first", first, "second", second);
  TORCH_CHECK(first.sym_size(1) >= 1 && second.sym_size(1) >= 1, op, ": both clouds have points, got shapes ",
              first.sym_sizes(), " and ", second.sym_sizes());
  points_check_lengths(op, "first_lengths", first_lengths, first);
  points_check_lengths(op, "second_lengths", second_lengths, second);
}

void chamfer_distance_check_backward(const at::Tensor& first_grad, const at::Tensor& second_grad,
                                     const at::Tensor& first, const at::Tensor& second, const at::Tensor& first_indices,
                                     const at::Tensor& second_indices) {
  constexpr const char* op = "_chamfer_distance_backward";
  for (const at::Tensor* tensor : {&first_grad, &second_grad, &first_indices, &second_indices}) {
    TORCH_CHECK(tensor->dim() == 2, op, ": gradients and indices are [B, N], got shape ", tensor->sym_sizes());
  }
  knn_check_backward(op, first_grad.unsqueeze(2), first, second, first_indices.unsqueeze(2));
  knn_check_backward(op, second_grad.unsqueeze(2), second, first, second_indices.unsqueeze(2));
}

}  // namespace vision_native
