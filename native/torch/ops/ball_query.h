#pragma once
// Checks that the devices share for ball queries.
#include "torch/ops/knn.h"

namespace vision_native {

void ball_query_check(const at::Tensor& centers, const at::Tensor& points, double radius, int64_t samples,
                      const OptionalTensor& center_lengths, const OptionalTensor& point_lengths);

}  // namespace vision_native
