#pragma once
// Checks that the devices share for furthest point sampling.
#include "torch/ops/knn.h"
#include "torch/run_context.h"

namespace vision_native {

VISION_NATIVE_API
void furthest_point_sample_check(const at::Tensor& points, int64_t samples, const OptionalTensor& start,
                                 const OptionalTensor& lengths);

}  // namespace vision_native
