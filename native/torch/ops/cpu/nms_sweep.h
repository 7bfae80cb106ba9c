#pragma once
// What suppression does to many boxes at a time, compiled once for each instruction set.
#include <cstdint>
#include <limits>
#include <vector>

#include "torch/ops/nms_overlap.h"

namespace vision_native {

/// Sweeps read whole vectors: columns have room for one beyond their end.
constexpr int64_t kNmsMostLanes = 16;

/// Boxes by coordinate. What lies beyond the last one overlaps nothing.
template <typename T>
class NmsColumns {
 public:
  explicit NmsColumns(int64_t capacity) : stride_(capacity + kNmsMostLanes), data_(5 * stride_, T(0)) {
    constexpr T far = std::numeric_limits<T>::infinity();
    for (int k = 0; k < 4; ++k) {
      for (int64_t i = 0; i < stride_; ++i) column(k)[i] = k < 2 ? far : -far;
    }
  }

  T* column(int k) { return data_.data() + k * stride_; }
  const T* column(int k) const { return data_.data() + k * stride_; }
  int64_t size() const { return size_; }

  NmsBox<T> operator[](int64_t i) const {
    return {column(0)[i], column(1)[i], column(2)[i], column(3)[i], column(4)[i]};
  }

  void push(const NmsBox<T>& box) { put(size_++, box); }

  void put(int64_t i, const NmsBox<T>& box) {
    column(0)[i] = box.x1;
    column(1)[i] = box.y1;
    column(2)[i] = box.x2;
    column(3)[i] = box.y2;
    column(4)[i] = box.area;
  }

 private:
  int64_t stride_, size_ = 0;
  std::vector<T> data_;
};

/// A score and where it stands.
template <typename T>
struct NmsBest {
  T score;
  int64_t index;
  int64_t left;  ///< how many boxes still have a score
};

template <typename T>
struct NmsSweeps {
  /// Whether one of the boxes from `first` on overlaps `box` by more than `threshold`, which is 0 or more.
  bool (*covers)(const NmsColumns<T>& kept, int64_t first, const NmsBox<T>& box, T threshold);
  /// Scores times 1 − overlap where `box` overlaps by `threshold` or more. Scores below `least`, and NaN, become −∞.
  /// Returns the highest of those left, of equal ones the first.
  NmsBest<T> (*decay_linear)(const NmsColumns<T>& boxes, int64_t count, const NmsBox<T>& box, T* scores, T threshold,
                             T least);
  /// Scores times exp(−overlap²·rate).
  NmsBest<T> (*decay_gaussian)(const NmsColumns<T>& boxes, int64_t count, const NmsBox<T>& box, T* scores, T rate,
                               T least);
};

struct NmsTables {
  NmsSweeps<float> narrow;
  NmsSweeps<double> wide;
};

extern const NmsTables kNmsSweepsScalar;
extern const NmsTables kNmsSweepsAvx2;
extern const NmsTables kNmsSweepsAvx512;

}  // namespace vision_native
