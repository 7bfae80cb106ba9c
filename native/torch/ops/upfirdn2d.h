#pragma once
// Checks and sizes that the devices share for upfirdn2d.
#include <ATen/core/Tensor.h>

#include <string_view>

#include "torch/run_context.h"

namespace vision_native {

struct UpfirdnAxis {
  int64_t up, down, before, after, taps, size, out;
};

struct UpfirdnOptions {
  UpfirdnAxis y, x;
  /// The filter is one vector for both axes.
  bool separable;
  bool flip_filter;
  double gain;
};

/// `up` and `down` are [x, y], `padding` is [left, right, top, bottom], as in the operator's origin.
VISION_NATIVE_API
UpfirdnOptions upfirdn2d_check(const at::Tensor& x, const std::optional<at::Tensor>& f, c10::IntArrayRef up,
                               c10::IntArrayRef down, c10::IntArrayRef padding, bool flip_filter, double gain);

VISION_NATIVE_API at::Tensor upfirdn2d_empty_result(const at::Tensor& x, const UpfirdnOptions& options);

/// The filter as it meets the input: contiguous, `type`, turned about unless `flip_filter`, gain not included; a 1 where there
/// is none.
VISION_NATIVE_API
at::Tensor upfirdn2d_weights(const at::Tensor& x, const std::optional<at::Tensor>& f, const UpfirdnOptions& options,
                             c10::ScalarType type);

}  // namespace vision_native
