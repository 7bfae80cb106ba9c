#pragma once
// Places of a coarse grid's pixels between those of a fine one, for every device.
#include <cstdint>

#include "torch/ops/box_filter_axis.h"

namespace vision_native {

/// Bilinear sampling of `low` places at the `high` places of a finer axis.
struct GuidedGrid {
  int64_t low, high;
  double scale;
  bool align_corners;

  GuidedGrid(int64_t low_size, int64_t high_size, bool align)
      : low(low_size), high(high_size),
        scale(align ? (high_size > 1 ? static_cast<double>(low_size - 1) / static_cast<double>(high_size - 1) : 0.0)
                    : static_cast<double>(low_size) / static_cast<double>(high_size)),
        align_corners(align) {}

  VISION_NATIVE_BOTH double position(int64_t i) const {
    const double at = align_corners ? static_cast<double>(i) * scale : (static_cast<double>(i) + 0.5) * scale - 0.5;
    return at > 0.0 ? at : 0.0;
  }
  /// The place before, at most the last one.
  VISION_NATIVE_BOTH int64_t before(int64_t i) const {
    const int64_t at = static_cast<int64_t>(position(i));
    return at < low - 1 ? at : low - 1;
  }
  /// The place after; the same where there is none.
  VISION_NATIVE_BOTH int64_t after(int64_t i) const {
    const int64_t at = before(i);
    return at + 1 < low ? at + 1 : at;
  }
  /// The share of the place after.
  VISION_NATIVE_BOTH double weight(int64_t i) const {
    const double share = position(i) - static_cast<double>(before(i));
    return share < 1.0 ? share : 1.0;
  }
  /// The first fine place whose `before` is `at` or more.
  VISION_NATIVE_BOTH int64_t first_from(int64_t at) const {
    int64_t from = 0, to = high;
    while (from < to) {
      const int64_t middle = from + (to - from) / 2;
      if (before(middle) >= at) {
        to = middle;
      } else {
        from = middle + 1;
      }
    }
    return from;
  }
};

}  // namespace vision_native
