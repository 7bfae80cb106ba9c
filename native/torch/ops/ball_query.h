#pragma once
// Checks that the devices share for ball queries.
#include "torch/ops/knn.h"
#include "torch/run_context.h"

namespace vision_native {

VISION_NATIVE_API
void ball_query_check(const at::Tensor& centers, const at::Tensor& points, double radius, int64_t samples,
                      const OptionalTensor& center_lengths, const OptionalTensor& point_lengths);

}  // namespace vision_native
