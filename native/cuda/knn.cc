// Searches among points on CUDA: tensors to raw pointers. The kernels are in the .cu files.
#include "cuda/knn.h"

#include <ATen/ops/add.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/sqrt.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "torch/ops/ball_query.h"
#include "torch/ops/chamfer_distance.h"
#include "torch/ops/furthest_point_sample.h"
#include "torch/ops/knn.h"

namespace vision_native {

namespace {

using Pair = std::tuple<at::Tensor, at::Tensor>;

cudaStream_t stream() { return c10::cuda::getCurrentCUDAStream().stream(); }

at::ScalarType sum_type(const at::Tensor& points) {
  return points.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

at::Tensor rows(const at::Tensor& points) { return points.to(sum_type(points)).contiguous(); }

/// [B, D, N].
at::Tensor axes(const at::Tensor& points) { return points.to(sum_type(points)).transpose(1, 2).contiguous(); }

/// Keeps what a pointer is taken of.
at::Tensor dense(const OptionalTensor& lengths) { return lengths.has_value() ? lengths->contiguous() : at::Tensor(); }

const int64_t* pointer(const at::Tensor& lengths) {
  return lengths.defined() ? lengths.const_data_ptr<int64_t>() : nullptr;
}

template <typename F>
auto with_sum_type(const at::Tensor& points, const F& body) {
  return points.scalar_type() == at::kDouble ? body(double{}) : body(float{});
}

Pair find_neighbours(const at::Tensor& query, const at::Tensor& reference, int64_t k,
                     const OptionalTensor& query_lengths, const OptionalTensor& reference_lengths) {
  const c10::cuda::CUDAGuard guard(query.device());
  const at::Tensor a = axes(query), b = rows(reference);
  const at::Tensor a_lengths = dense(query_lengths), b_lengths = dense(reference_lengths);
  at::Tensor distances = at::empty({query.size(0), query.size(1), k}, a.options());
  at::Tensor indices = at::empty({query.size(0), query.size(1), k}, a.options().dtype(at::kLong));
  with_sum_type(query, [&](auto zero) {
    using A = decltype(zero);
    cuda::launch_knn<A>({a.const_data_ptr<A>(), b.const_data_ptr<A>(), query.size(0), query.size(1), reference.size(1),
                         query.size(2), k, pointer(a_lengths), pointer(b_lengths), distances.mutable_data_ptr<A>(),
                         indices.mutable_data_ptr<int64_t>()},
                        stream());
  });
  return {distances, indices};
}

Pair knn(const at::Tensor& query, const at::Tensor& reference, int64_t k, const OptionalTensor& query_lengths,
         const OptionalTensor& reference_lengths) {
  knn_check(query, reference, k, query_lengths, reference_lengths);
  const auto [distances, indices] = find_neighbours(query, reference, k, query_lengths, reference_lengths);
  return {distances.to(query.scalar_type()), indices};
}

Pair differentiate(const at::Tensor& grad, const at::Tensor& query, const at::Tensor& reference,
                   const at::Tensor& indices, bool rooted, bool query_grad, bool reference_grad) {
  const c10::cuda::CUDAGuard guard(query.device());
  const at::Tensor g = rows(grad), a = rows(query), b = rows(reference), at = indices.contiguous();
  at::Tensor by_query = query_grad ? at::empty(query.sizes(), a.options()) : at::empty({0}, a.options());
  at::Tensor by_reference = reference_grad ? at::empty(reference.sizes(), a.options()) : at::empty({0}, a.options());
  with_sum_type(query, [&](auto zero) {
    using A = decltype(zero);
    const cuda::KnnSlopes<A> slopes{g.const_data_ptr<A>(), a.const_data_ptr<A>(), b.const_data_ptr<A>(),
                                    at.const_data_ptr<int64_t>(), query.size(0), query.size(1), reference.size(1),
                                    query.size(2), indices.size(2), rooted};
    if (query_grad) cuda::launch_knn_backward_query<A>(slopes, by_query.mutable_data_ptr<A>(), stream());
    if (reference_grad) cuda::launch_knn_backward_reference<A>(slopes, by_reference.mutable_data_ptr<A>(), stream());
  });
  return {by_query.to(query.scalar_type()), by_reference.to(query.scalar_type())};
}

Pair knn_backward(const at::Tensor& grad, const at::Tensor& query, const at::Tensor& reference,
                  const at::Tensor& indices, bool query_grad, bool reference_grad) {
  knn_check_backward("_knn_backward", grad, query, reference, indices);
  return differentiate(grad, query, reference, indices, false, query_grad, reference_grad);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> chamfer_distance(const at::Tensor& first,
                                                                            const at::Tensor& second,
                                                                            const OptionalTensor& first_lengths,
                                                                            const OptionalTensor& second_lengths,
                                                                            bool squared) {
  chamfer_distance_check(first, second, first_lengths, second_lengths);
  auto [near, near_at] = find_neighbours(first, second, 1, first_lengths, second_lengths);
  auto [far, far_at] = find_neighbours(second, first, 1, second_lengths, first_lengths);
  if (!squared) {
    near.sqrt_();
    far.sqrt_();
  }
  const at::ScalarType type = first.scalar_type();
  return {near.squeeze(2).to(type), far.squeeze(2).to(type), near_at.squeeze(2), far_at.squeeze(2)};
}

Pair chamfer_distance_backward(const at::Tensor& first_grad, const at::Tensor& second_grad, const at::Tensor& first,
                               const at::Tensor& second, const at::Tensor& first_indices,
                               const at::Tensor& second_indices, bool squared) {
  chamfer_distance_check_backward(first_grad, second_grad, first, second, first_indices, second_indices);
  auto [a, b] =
      differentiate(first_grad.unsqueeze(2), first, second, first_indices.unsqueeze(2), !squared, true, true);
  auto [d, c] =
      differentiate(second_grad.unsqueeze(2), second, first, second_indices.unsqueeze(2), !squared, true, true);
  return {a.add_(c), b.add_(d)};
}

at::Tensor furthest_point_sample(const at::Tensor& points, int64_t samples, const OptionalTensor& start,
                                 const OptionalTensor& lengths) {
  furthest_point_sample_check(points, samples, start, lengths);
  const c10::cuda::CUDAGuard guard(points.device());
  const at::Tensor source = axes(points), first = dense(start), counts = dense(lengths);
  const at::Tensor distances = at::empty({points.size(0), points.size(1)}, source.options());
  at::Tensor indices = at::empty({points.size(0), samples}, source.options().dtype(at::kLong));
  with_sum_type(points, [&](auto zero) {
    using A = decltype(zero);
    cuda::launch_furthest_point_sample<A>(source.const_data_ptr<A>(), points.size(0), points.size(1), points.size(2),
                                          samples, pointer(first), pointer(counts), distances.mutable_data_ptr<A>(),
                                          indices.mutable_data_ptr<int64_t>(), stream());
  });
  return indices;
}

Pair ball_query(const at::Tensor& centers, const at::Tensor& points, double radius, int64_t samples,
                const OptionalTensor& center_lengths, const OptionalTensor& point_lengths) {
  ball_query_check(centers, points, radius, samples, center_lengths, point_lengths);
  const c10::cuda::CUDAGuard guard(centers.device());
  const at::Tensor a = rows(centers), b = axes(points);
  const at::Tensor a_lengths = dense(center_lengths), b_lengths = dense(point_lengths);
  at::Tensor indices = at::empty({centers.size(0), centers.size(1), samples}, a.options().dtype(at::kLong));
  at::Tensor counts = at::empty({centers.size(0), centers.size(1)}, a.options().dtype(at::kLong));
  with_sum_type(centers, [&](auto zero) {
    using A = decltype(zero);
    cuda::launch_ball_query<A>({a.const_data_ptr<A>(), b.const_data_ptr<A>(), centers.size(0), centers.size(1),
                                points.size(1), points.size(2), samples, static_cast<A>(radius) * static_cast<A>(radius),
                                pointer(a_lengths), pointer(b_lengths), indices.mutable_data_ptr<int64_t>(),
                                counts.mutable_data_ptr<int64_t>()},
                               stream());
  });
  return {indices, counts};
}

TORCH_LIBRARY_IMPL(vision_native, CUDA, library) {
  library.impl("knn", knn);
  library.impl("_knn_backward", knn_backward);
  library.impl("chamfer_distance", chamfer_distance);
  library.impl("_chamfer_distance_backward", chamfer_distance_backward);
  library.impl("furthest_point_sample", furthest_point_sample);
  library.impl("ball_query", ball_query);
}

}  // namespace

}  // namespace vision_native
