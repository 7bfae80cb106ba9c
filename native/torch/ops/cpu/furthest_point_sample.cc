// CPU kernel of furthest point sampling: clouds are shared out to the threads.
#include "torch/ops/furthest_point_sample.h"

#include <ATen/Parallel.h>
#include <torch/library.h>

#include <cmath>
#include <vector>

#include "torch/ops/cpu/knn_clouds.h"
#include "torch/run_context.h"

namespace vision_native {

namespace {

/// Of points that are not finite: behind all others, but before those chosen already.
constexpr double kLastResort = -1;

template <typename A>
void sample(const at::Tensor& points, int64_t samples, const std::vector<int64_t>& starts,
            const std::vector<int64_t>& lengths, int64_t* indices) {
  const PointScans<A>& scans = point_scans<A>();
  const Points3<A> source(points);
  const int64_t dims = points.size(2);
  const RunContext* context = current_run_context();
  at::parallel_for(0, points.size(0), 1, [&](int64_t begin, int64_t end) {
    std::vector<A> point(dims), distances;
    for (int64_t b = begin; b < end; ++b) {
      const UnpackedCloud<A> unpacked(source, b, lengths[b], dims);
      const Cloud<A>& cloud = unpacked.cloud;
      distances.assign(cloud.stride, std::numeric_limits<A>::infinity());
      std::fill(distances.begin() + cloud.count, distances.end(), -std::numeric_limits<A>::infinity());
      for (int64_t d = 0; d < dims; ++d) {
        for (int64_t i = 0; i < cloud.count; ++i) {
          if (!std::isfinite(cloud.data[d * cloud.stride + i])) distances[i] = A(kLastResort);
        }
      }
      int64_t chosen = lengths[b] > 0 ? starts[b] : -1;
      for (int64_t i = 0; i < samples; ++i) {
        indices[b * samples + i] = chosen;
        if (chosen < 0) continue;
        if (is_cancelled(context)) return;
        distances[chosen] = -std::numeric_limits<A>::infinity();
        for (int64_t d = 0; d < dims; ++d) point[d] = cloud.data[d * cloud.stride + chosen];
        chosen = scans.furthest(cloud, point.data(), distances.data());
      }
    }
  });
  check_cancelled();
}

at::Tensor furthest_point_sample(const at::Tensor& points, int64_t samples, const OptionalTensor& start,
                                 const OptionalTensor& lengths) {
  furthest_point_sample_check(points, samples, start, lengths);
  at::Tensor indices = at::empty({points.size(0), samples}, points.options().dtype(at::kLong));
  const std::vector<int64_t> counts = cloud_lengths(lengths, points);
  const std::vector<int64_t> starts =
      start.has_value() ? cloud_lengths(start, points) : std::vector<int64_t>(points.size(0), 0);
  if (points.scalar_type() == at::kDouble) {
    sample<double>(points, samples, starts, counts, indices.mutable_data_ptr<int64_t>());
  } else {
    sample<float>(points, samples, starts, counts, indices.mutable_data_ptr<int64_t>());
  }
  return indices;
}

TORCH_LIBRARY_IMPL(vision_native, CPU, library) { library.impl("furthest_point_sample", furthest_point_sample); }

}  // namespace

}  // namespace vision_native
