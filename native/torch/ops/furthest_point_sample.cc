// Furthest point sampling: schema, checks and shapes. Eldar et al., 1997; Qi et al., PointNet++, NeurIPS 2017.
#include "torch/ops/furthest_point_sample.h"

#include <ATen/ops/empty.h>
#include <torch/library.h>

namespace vision_native {

namespace {

at::Tensor sample_meta(const at::Tensor& points, int64_t samples, const OptionalTensor& start,
                       const OptionalTensor& lengths) {
  furthest_point_sample_check(points, samples, start, lengths);
  return at::empty_symint({points.sym_size(0), samples}, points.options().dtype(at::kLong));
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def(
      "furthest_point_sample(Tensor points, int samples, *, Tensor? start=None, Tensor? lengths=None) -> Tensor");
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) { library.impl("furthest_point_sample", sample_meta); }

}  // namespace

void furthest_point_sample_check(const at::Tensor& points, int64_t samples, const OptionalTensor& start,
                                 const OptionalTensor& lengths) {
  constexpr const char* op = "furthest_point_sample";
  points_check(op, "points", points);
  TORCH_CHECK_VALUE(samples >= 1, op, ": samples is 1 or more, got ", samples);
  TORCH_CHECK_VALUE(points.sym_size(1) >= samples, op, ": samples is at most ", points.sym_size(1),
                    ", the points of a cloud, got ", samples);
  points_check_lengths(op, "lengths", lengths, points);
  points_check_lengths(op, "start", start, points);
  if (!start.has_value() || points.device().type() != at::kCPU) return;
  const std::vector<int64_t> counts = cloud_lengths(lengths, points);
  for (int64_t b = 0; b < points.size(0); ++b) {
    const int64_t first = start->const_data_ptr<int64_t>()[b * start->stride(0)];
    TORCH_CHECK_VALUE(first < counts[b] || counts[b] == 0, op, ": start[", b, "] is 0 to ", counts[b] - 1,
                      ", a point of its cloud, got ", first);
  }
}

}  // namespace vision_native
