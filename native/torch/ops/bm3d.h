#pragma once
// Block matching and 3D filtering: what the devices share.
#include <ATen/core/Tensor.h>

#include "torch/ops/bm3d_params.h"
#include "torch/run_context.h"

namespace vision_native {

struct Bm3dPlan {
  Bm3dStage hard, wiener;
  bool both;  ///< whether the second stage is made
};

/// Throws unless `image` `[B, C, H, W]` can be filtered.
VISION_NATIVE_API Bm3dPlan bm3d_check(const at::Tensor& image, double sigma, c10::string_view stages, int64_t search);

VISION_NATIVE_API const Bm3dTables& bm3d_tables();

}  // namespace vision_native
