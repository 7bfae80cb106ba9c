// CPU kernel of ball queries: every centre scans its cloud from the first point on, until it has its samples.
#include "torch/ops/ball_query.h"

#include <ATen/Parallel.h>
#include <torch/library.h>

#include <vector>

#include "torch/ops/cpu/knn_clouds.h"
#include "torch/run_context.h"

namespace vision_native {

namespace {

constexpr int64_t kCenters = 32;

template <typename A>
void query(const at::Tensor& centers, const at::Tensor& points, double radius, int64_t samples,
           const std::vector<int64_t>& center_lengths, const std::vector<int64_t>& point_lengths, int64_t* indices,
           int64_t* counts) {
  const PointScans<A>& scans = point_scans<A>();
  const Points3<A> queries(centers), source(points);
  const int64_t dims = points.size(2), rows = centers.size(1);
  const A squared_radius = static_cast<A>(radius) * static_cast<A>(radius);
  const RunContext* context = current_run_context();
  for (int64_t b = 0; b < points.size(0); ++b) {
    const UnpackedCloud<A> unpacked(source, b, point_lengths[b], dims);
    at::parallel_for(0, rows, kCenters, [&](int64_t begin, int64_t end) {
      std::vector<A> center(dims);
      for (int64_t i = begin; i < end; ++i) {
        if (i % kCenters == 0 && is_cancelled(context)) return;
        int64_t* row = indices + (b * rows + i) * samples;
        int64_t count = 0;
        if (i < center_lengths[b]) {
          queries.point(b, i, dims, center.data());
          count = scans.ball(unpacked.cloud, center.data(), squared_radius, samples, row);
        }
        std::fill(row + count, row + samples, count > 0 ? row[0] : int64_t{0});
        counts[b * rows + i] = count;
      }
    });
    check_cancelled();
  }
}

std::tuple<at::Tensor, at::Tensor> ball_query(const at::Tensor& centers, const at::Tensor& points, double radius,
                                              int64_t samples, const OptionalTensor& center_lengths,
                                              const OptionalTensor& point_lengths) {
  ball_query_check(centers, points, radius, samples, center_lengths, point_lengths);
  const at::TensorOptions whole = centers.options().dtype(at::kLong);
  at::Tensor indices = at::empty({centers.size(0), centers.size(1), samples}, whole);
  at::Tensor counts = at::empty({centers.size(0), centers.size(1)}, whole);
  const std::vector<int64_t> first = cloud_lengths(center_lengths, centers);
  const std::vector<int64_t> second = cloud_lengths(point_lengths, points);
  if (centers.scalar_type() == at::kDouble) {
    query<double>(centers, points, radius, samples, first, second, indices.mutable_data_ptr<int64_t>(),
                  counts.mutable_data_ptr<int64_t>());
  } else {
    query<float>(centers, points, radius, samples, first, second, indices.mutable_data_ptr<int64_t>(),
                 counts.mutable_data_ptr<int64_t>());
  }
  return {indices, counts};
}

TORCH_LIBRARY_IMPL(vision_native, CPU, library) { library.impl("ball_query", ball_query); }

}  // namespace

}  // namespace vision_native
