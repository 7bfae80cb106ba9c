#pragma once
// RoIAlign is separable: a bin is a weighted sum over rows of weighted sums over columns. These are the weights of a
// region along each axis, and what is done with them, compiled once for each instruction set.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "torch/ops/roi_align_samples.h"

namespace vision_native {

constexpr int64_t kRoiLanes = 8;

/// Weights of the pixels of each bin along one axis. Samples that share a pixel share its weight.
template <typename A>
struct RoiAxis {
  std::vector<int32_t> begins;  ///< of each bin, and the end of the last
  std::vector<int32_t> pixels;
  std::vector<A> weights;

  void reset(const RoiSpan<A>& span, int64_t bins, int64_t size) {
    begins.clear();
    pixels.clear();
    weights.clear();
    const A share = A(1) / span.grid;
    for (int64_t bin = 0; bin < bins; ++bin) {
      begins.push_back(static_cast<int32_t>(pixels.size()));
      const RoiRange range = roi_range(span, bin, size);
      for (int64_t sample = range.begin; sample < range.end; ++sample) {
        const RoiTaps<A> taps = roi_taps(roi_position(span, bin, sample), size);
        if (!taps.inside) continue;
        add(taps.low, taps.low_weight * share);
        add(taps.high, taps.high_weight * share);
      }
    }
    begins.push_back(static_cast<int32_t>(pixels.size()));
  }

 private:
  /// Positions of a bin ascend or descend, so a pixel that came before is one of the last two.
  void add(int64_t pixel, A weight) {
    const int64_t last = static_cast<int64_t>(pixels.size());
    for (int64_t i = last - 1; i >= std::max<int64_t>(begins.back(), last - 2); --i) {
      if (pixels[i] != pixel) continue;
      weights[i] += weight;
      return;
    }
    pixels.push_back(static_cast<int32_t>(pixel));
    weights.push_back(weight);
  }
};

/// Both axes of a region, and which columns of the map it reads.
template <typename A>
struct RoiWeights {
  bool finite = false;
  RoiAxis<A> rows, columns;
  /// Where columns are read in whole vectors, the first of them; else −1, and `picked` are the columns.
  int64_t first = -1;
  int64_t padded = 0;  ///< columns that are read, rounded up to lanes
  std::vector<int32_t> picked;
  std::vector<int32_t> places;  ///< of `columns.pixels` among those that are read

  /// `region` is (x1, y1, x2, y2).
  void reset(const A* region, A scale, int64_t pooled_height, int64_t pooled_width, int64_t sampling_ratio, bool aligned,
             int64_t height, int64_t width) {
    const RoiSpan<A> x = roi_span(region[0], region[2], scale, pooled_width, sampling_ratio, aligned);
    const RoiSpan<A> y = roi_span(region[1], region[3], scale, pooled_height, sampling_ratio, aligned);
    finite = std::isfinite(x.start) && std::isfinite(x.bin) && std::isfinite(y.start) && std::isfinite(y.bin);
    if (!finite) return;
    rows.reset(y, pooled_height, height);
    columns.reset(x, pooled_width, width);
    pick_columns(width);
  }

 private:
  void pick_columns(int64_t width) {
    picked = columns.pixels;
    std::sort(picked.begin(), picked.end());
    picked.erase(std::unique(picked.begin(), picked.end()), picked.end());
    places.resize(columns.pixels.size());
    if (picked.empty()) {
      first = 0;
      padded = 0;
      return;
    }
    const int64_t distinct = static_cast<int64_t>(picked.size());
    const int64_t range = picked.back() - picked.front() + 1;
    padded = (range + kRoiLanes - 1) / kRoiLanes * kRoiLanes;
    if (padded <= width && padded <= 4 * distinct + kRoiLanes) {
      first = std::min<int64_t>(picked.front(), width - padded);
      for (size_t i = 0; i < places.size(); ++i) places[i] = columns.pixels[i] - static_cast<int32_t>(first);
      return;
    }
    first = -1;
    padded = (distinct + kRoiLanes - 1) / kRoiLanes * kRoiLanes;
    for (size_t i = 0; i < places.size(); ++i) {
      places[i] = static_cast<int32_t>(std::lower_bound(picked.begin(), picked.end(), columns.pixels[i]) - picked.begin());
    }
  }
};

/// Sizes of a call. Planes are [H, W] or, channels last, [H, W, C].
struct RoiShape {
  int64_t channels, height, width, pooled_height, pooled_width;
};

/// Numbers that `pool_plane` and `spread_plane` need for their sums.
template <typename A>
int64_t roi_scratch(const RoiWeights<A>& weights, const RoiShape& shape) {
  return 2 * kRoiLanes * weights.padded + kRoiLanes * (shape.pooled_width + kRoiLanes);
}

template <typename A>
struct RoiKernels {
  /// Bins of one plane.
  void (*pool_plane)(const A* plane, const RoiWeights<A>& weights, const RoiShape& shape, A* out, A* scratch);
  /// Adds what the gradient of the bins of one plane gives to that plane.
  void (*spread_plane)(const A* grad, const RoiWeights<A>& weights, const RoiShape& shape, A* plane, A* scratch);
  /// Bins of all channels of an image whose channels are last.
  void (*pool_channels)(const A* image, const RoiWeights<A>& weights, const RoiShape& shape, A* out);
  /// Adds to `count` channels from `channel` on of an image whose channels are last.
  void (*spread_channels)(const A* grad, int64_t channel, int64_t count, const RoiWeights<A>& weights,
                          const RoiShape& shape, A* image);
};

struct RoiTables {
  RoiKernels<float> narrow;
  RoiKernels<double> wide;
};

extern const RoiTables kRoiKernelsScalar;
extern const RoiTables kRoiKernelsAvx2;
extern const RoiTables kRoiKernelsAvx512;

}  // namespace vision_native
