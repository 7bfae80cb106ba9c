#pragma once
// Where RoIAlign takes its samples, written once for CPU and CUDA: He et al., "Mask R-CNN", ICCV 2017, with the conventions
// of torchvision's roi_align.
#include <cmath>
#include <cstdint>

#if defined(__CUDACC__)
#define ROI_SAMPLE static __host__ __device__ __forceinline__
#else
#define ROI_SAMPLE [[maybe_unused]] static inline __attribute__((always_inline))
#endif

namespace vision_native {

/// One axis of a region, in pixels of the map.
template <typename T>
struct RoiSpan {
  T start, bin, grid;  ///< where it begins, the size of a bin, and how many samples a bin has
};

template <typename T>
ROI_SAMPLE RoiSpan<T> roi_span(T low, T high, T spatial_scale, int64_t bins, int64_t sampling_ratio, bool aligned) {
  const T offset = aligned ? T(0.5) : T(0);
  const T start = low * spatial_scale - offset;
  T size = (high * spatial_scale - offset) - start;
  // Without half-pixel shifts a region has at least one pixel.
  if (!aligned && size < T(1)) size = T(1);
  const T bin = size / static_cast<T>(bins);
  T grid = sampling_ratio > 0 ? static_cast<T>(sampling_ratio) : std::ceil(bin);
  return {start, bin, grid > T(0) ? grid : T(0)};
}

template <typename T>
ROI_SAMPLE T roi_position(const RoiSpan<T>& span, int64_t bin, int64_t sample) {
  return span.start + static_cast<T>(bin) * span.bin + (static_cast<T>(sample) + T(0.5)) * span.bin / span.grid;
}

/// The samples of a bin that may lie in the map: from `begin` to before `end`.
struct RoiRange {
  int64_t begin, end;
};

/// A region may be far larger than the map, and so its samples many more than those that count.
template <typename T>
ROI_SAMPLE RoiRange roi_range(const RoiSpan<T>& span, int64_t bin, int64_t size) {
  const double most = static_cast<double>(span.grid) < 4e18 ? static_cast<double>(span.grid) : 4e18;
  if (!(span.bin > T(0))) return {0, static_cast<int64_t>(most)};
  const double origin = static_cast<double>(span.start) + static_cast<double>(bin) * static_cast<double>(span.bin);
  const double step = static_cast<double>(span.bin) / static_cast<double>(span.grid);
  // Two more on each side, for what rounding does to positions.
  const double begin = std::floor((-1.0 - origin) / step) - 2.0 - 1e-6 * most;
  const double end = std::ceil((static_cast<double>(size) - origin) / step) + 2.0 + 1e-6 * most;
  return {static_cast<int64_t>(begin > 0.0 ? (begin < most ? begin : most) : 0.0),
          static_cast<int64_t>(end < most ? (end > 0.0 ? end : 0.0) : most)};
}

/// The two pixels around a position and their weights; positions more than one pixel outside have none.
template <typename T>
struct RoiTaps {
  bool inside;
  int64_t low, high;
  T low_weight, high_weight;
};

template <typename T>
ROI_SAMPLE RoiTaps<T> roi_taps(T position, int64_t size) {
  if (!(position >= T(-1) && position <= static_cast<T>(size))) return {false, 0, 0, T(0), T(0)};
  if (position < T(0)) position = T(0);
  const int64_t low = static_cast<int64_t>(position);
  if (low >= size - 1) return {true, size - 1, size - 1, T(1), T(0)};
  const T part = position - static_cast<T>(low);
  return {true, low, low + 1, T(1) - part, part};
}

}  // namespace vision_native
