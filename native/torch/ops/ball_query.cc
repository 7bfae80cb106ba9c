// Ball queries: schema, checks and shapes. Qi et al., PointNet++, NeurIPS 2017.
#include "torch/ops/ball_query.h"

#include <ATen/ops/empty.h>
#include <torch/library.h>

namespace vision_native {

namespace {

constexpr int64_t kMostSamples = int64_t{1} << 20;

std::tuple<at::Tensor, at::Tensor> ball_meta(const at::Tensor& centers, const at::Tensor& points, double radius,
                                             int64_t samples, const OptionalTensor& center_lengths,
                                             const OptionalTensor& point_lengths) {
  ball_query_check(centers, points, radius, samples, center_lengths, point_lengths);
  const at::TensorOptions whole = centers.options().dtype(at::kLong);
  return {at::empty_symint({centers.sym_size(0), centers.sym_size(1), samples}, whole),
          at::empty_symint({centers.sym_size(0), centers.sym_size(1)}, whole)};
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def(
      "ball_query(Tensor centers, Tensor points, float radius, int samples, *, Tensor? center_lengths=None, "
      "Tensor? point_lengths=None) -> (Tensor indices, Tensor counts)");
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) { library.impl("ball_query", ball_meta); }

}  // namespace

void ball_query_check(const at::Tensor& centers, const at::Tensor& points, double radius, int64_t samples,
                      const OptionalTensor& center_lengths, const OptionalTensor& point_lengths) {
  constexpr const char* op = "ball_query";
  points_check_pair(op, "centers", centers, "points", points);
  TORCH_CHECK_VALUE(radius > 0, op, ": radius is above 0, got ", radius);
  TORCH_CHECK_VALUE(samples >= 1 && samples <= kMostSamples, op, ": samples is 1 to ", kMostSamples, ", got ", samples);
  points_check_lengths(op, "center_lengths", center_lengths, centers);
  points_check_lengths(op, "point_lengths", point_lengths, points);
}

}  // namespace vision_native
