#pragma once
// Checks that the devices share for the watershed.
#include <ATen/core/Tensor.h>

#include "torch/ops/connected_components.h"

namespace vision_native {

/// Throws unless the image can be flooded from the markers; NaN is looked for by the flood.
VISION_NATIVE_API LabelGrid watershed_check(const at::Tensor& image, const at::Tensor& markers,
                                            const std::optional<at::Tensor>& mask, int64_t connectivity,
                                            double compactness);

}  // namespace vision_native
