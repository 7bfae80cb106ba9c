// Nearest neighbours among points: schemas, checks and shapes.
#include "torch/ops/knn.h"

#include <ATen/ops/empty.h>
#include <torch/library.h>

namespace vision_native {

namespace {

std::tuple<at::Tensor, at::Tensor> knn_meta(const at::Tensor& query, const at::Tensor& reference, int64_t k,
                                            const OptionalTensor& query_lengths,
                                            const OptionalTensor& reference_lengths) {
  knn_check(query, reference, k, query_lengths, reference_lengths);
  const c10::SymInt sizes[] = {query.sym_size(0), query.sym_size(1), k};
  return {at::empty_symint(sizes, query.options()), at::empty_symint(sizes, query.options().dtype(at::kLong))};
}

std::tuple<at::Tensor, at::Tensor> backward_meta(const at::Tensor& grad, const at::Tensor& query,
                                                 const at::Tensor& reference, const at::Tensor& indices, bool query_grad,
                                                 bool reference_grad) {
  knn_check_backward("_knn_backward", grad, query, reference, indices);
  return {query_grad ? at::empty_symint(query.sym_sizes(), query.options()) : at::empty({0}, query.options()),
          reference_grad ? at::empty_symint(reference.sym_sizes(), reference.options())
                         : at::empty({0}, reference.options())};
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def(
      "knn(Tensor query, Tensor reference, int k, *, Tensor? query_lengths=None, Tensor? reference_lengths=None) -> "
      "(Tensor distances, Tensor indices)");
  library.def(
      "_knn_backward(Tensor grad, Tensor query, Tensor reference, Tensor indices, bool query_grad, "
      "bool reference_grad) -> (Tensor query_grad, Tensor reference_grad)");
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) {
  library.impl("knn", knn_meta);
  library.impl("_knn_backward", backward_meta);
}

}  // namespace

void points_check(std::string_view op, const char* name, const at::Tensor& points) {
  const c10::ScalarType type = points.scalar_type();
  TORCH_CHECK_TYPE(type == at::kFloat || type == at::kDouble || type == at::kHalf || type == at::kBFloat16, op, ": ",
                   name, " is float32, float64, float16 or bfloat16, got ", type, "; convert it");
  TORCH_CHECK(points.dim() == 3, op, ": ", name, " is [B, N, D], got shape ", points.sym_sizes());
  TORCH_CHECK(points.sym_size(2) >= 1, op, ": points of ", name, " have 1 or more coordinates, got shape ",
              points.sym_sizes());
  TORCH_CHECK_VALUE(points.sym_size(1) <= kMostPoints, op, ": a cloud has at most ", kMostPoints, " points, ", name,
                    " has ", points.sym_size(1), "; split it");
}

void points_check_pair(std::string_view op, const char* first_name, const at::Tensor& first, const char* second_name,
                       const at::Tensor& second) {
  points_check(op, first_name, first);
  points_check(op, second_name, second);
  TORCH_CHECK_TYPE(first.scalar_type() == second.scalar_type(), op, ": ", first_name, " is ", first.scalar_type(),
                   " and ", second_name, " ", second.scalar_type(), "; convert one");
  TORCH_CHECK(first.sym_size(0) == second.sym_size(0) && first.sym_size(2) == second.sym_size(2), op, ": ", first_name,
              " ", first.sym_sizes(), " and ", second_name, " ", second.sym_sizes(),
              " differ in the batch or in the dimensions of a point");
  TORCH_CHECK_VALUE(first.device() == second.device(), op, ": ", first_name, " is on ", first.device(), " and ",
                    second_name, " on ", second.device(), "; move one");
}

void points_check_lengths(std::string_view op, const char* name, const OptionalTensor& lengths,
                          const at::Tensor& points) {
  if (!lengths.has_value()) return;
  TORCH_CHECK_TYPE(lengths->scalar_type() == at::kLong, op, ": ", name, " is int64, got ", lengths->scalar_type());
  TORCH_CHECK(lengths->dim() == 1 && lengths->sym_size(0) == points.sym_size(0), op, ": ", name, " is [",
              points.sym_size(0), "], a number for each cloud, got shape ", lengths->sym_sizes());
  TORCH_CHECK_VALUE(lengths->device() == points.device(), op, ": ", name, " is on ", lengths->device(),
                    ", the points on ", points.device(), "; move one");
  if (points.device().type() != at::kCPU) return;
  const int64_t* values = lengths->const_data_ptr<int64_t>();
  for (int64_t i = 0; i < lengths->size(0); ++i) {
    const int64_t length = values[i * lengths->stride(0)];
    TORCH_CHECK_VALUE(length >= 0 && length <= points.size(1), op, ": ", name, "[", i, "] is 0 to ", points.size(1),
                      ", the points of a cloud, got ", length);
  }
}

void knn_check(const at::Tensor& query, const at::Tensor& reference, int64_t k, const OptionalTensor& query_lengths,
               const OptionalTensor& reference_lengths) {
  points_check_pair("knn", "query", query, "reference", reference);
  TORCH_CHECK_VALUE(k >= 1, "knn: k is 1 or more, got ", k);
  TORCH_CHECK_VALUE(reference.sym_size(1) >= k, "knn: k is at most ", reference.sym_size(1),
                    ", the points of reference, got ", k);
  points_check_lengths("knn", "query_lengths", query_lengths, query);
  points_check_lengths("knn", "reference_lengths", reference_lengths, reference);
}

void knn_check_backward(std::string_view op, const at::Tensor& grad, const at::Tensor& query,
                        const at::Tensor& reference, const at::Tensor& indices) {
  points_check_pair(op, "query", query, "reference", reference);
  points_check(op, "grad", grad);
  TORCH_CHECK_TYPE(grad.scalar_type() == query.scalar_type(), op, ": grad is ", grad.scalar_type(), ", query ",
                   query.scalar_type());
  TORCH_CHECK_TYPE(indices.scalar_type() == at::kLong, op, ": indices are int64, got ", indices.scalar_type());
  TORCH_CHECK(indices.dim() == 3 && indices.sym_size(0) == query.sym_size(0) &&
                  indices.sym_size(1) == query.sym_size(1) && grad.sym_size(0) == indices.sym_size(0) &&
                  grad.sym_size(1) == indices.sym_size(1) && grad.sym_size(2) == indices.sym_size(2),
              op, ": grad and indices are [B, N, k] for query ", query.sym_sizes(), ", got ", grad.sym_sizes(), " and ",
              indices.sym_sizes());
  TORCH_CHECK_VALUE(grad.device() == query.device() && indices.device() == query.device(), op,
                    ": grad, indices and points are on one device, got ", grad.device(), ", ", indices.device(),
                    " and ", query.device());
}

std::vector<int64_t> cloud_lengths(const OptionalTensor& lengths, const at::Tensor& points) {
  std::vector<int64_t> result(points.size(0), points.size(1));
  if (lengths.has_value()) {
    for (int64_t i = 0; i < points.size(0); ++i) result[i] = lengths->const_data_ptr<int64_t>()[i * lengths->stride(0)];
  }
  return result;
}

}  // namespace vision_native
