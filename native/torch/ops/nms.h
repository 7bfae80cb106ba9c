#pragma once
// Checks that the devices share for non-maximum suppression, hard and soft.
#include <ATen/core/Tensor.h>

#include <cmath>
#include <limits>
#include <string_view>

#include "torch/run_context.h"

namespace vision_native {

/// Boxes are counted in 32 bits.
constexpr int64_t kMostBoxes = int64_t{1} << 30;

/// `boxes` are [N, 4] and `scores` [N], floating point and on one device.
VISION_NATIVE_API void nms_check(std::string_view op, const at::Tensor& boxes, const at::Tensor& scores);
VISION_NATIVE_API void nms_check_threshold(std::string_view op, const char* name, double value);
/// `idxs` is [N] of int64.
VISION_NATIVE_API void nms_check_classes(const at::Tensor& boxes, const at::Tensor& idxs);

enum class SoftNmsDecay { kLinear, kGaussian };

struct SoftNmsOptions {
  double iou_threshold, sigma, score_threshold;
  SoftNmsDecay decay;
};

VISION_NATIVE_API
SoftNmsOptions soft_nms_options(double iou_threshold, double sigma, double score_threshold, std::string_view method);

/// The largest T that is not above `bound`: x > bound is the same as x > floor_to<T>(bound) for every x of T.
template <typename T>
T floor_to(double bound) {
  const T near = static_cast<T>(bound);
  return static_cast<double>(near) > bound ? std::nextafter(near, -std::numeric_limits<T>::infinity()) : near;
}

/// The smallest T that is not below `bound`.
template <typename T>
T ceil_to(double bound) {
  return -floor_to<T>(-bound);
}

/// What suppression is computed in: float64 where either is, else float32.
inline c10::ScalarType nms_type(const at::Tensor& boxes, const at::Tensor& scores) {
  const bool wide = boxes.scalar_type() == at::kDouble || scores.scalar_type() == at::kDouble;
  return wide ? at::kDouble : at::kFloat;
}

}  // namespace vision_native
