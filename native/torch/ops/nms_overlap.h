#pragma once
// Overlap of two boxes, written once for CPU and CUDA. Both compile it without contraction to fused multiply-adds, and
// maxima take the first where the second is NaN, as torchvision's, so that all keep the same boxes.
#if defined(__CUDACC__)
#define NMS_PAIR static __host__ __device__ __forceinline__
#else
#define NMS_PAIR [[maybe_unused]] static inline __attribute__((always_inline))
#endif

namespace vision_native {

template <typename T>
struct NmsBox {
  T x1, y1, x2, y2, area;
};

template <typename T>
NMS_PAIR NmsBox<T> nms_box(T x1, T y1, T x2, T y2) {
  return {x1, y1, x2, y2, (x2 - x1) * (y2 - y1)};
}

template <typename T>
NMS_PAIR T nms_larger(T a, T b) {
  return a < b ? b : a;
}

template <typename T>
NMS_PAIR T nms_smaller(T a, T b) {
  return b < a ? b : a;
}

template <typename T>
NMS_PAIR T nms_intersection(const NmsBox<T>& first, const NmsBox<T>& second) {
  const T width = nms_larger(T(0), nms_smaller(first.x2, second.x2) - nms_larger(first.x1, second.x1));
  const T height = nms_larger(T(0), nms_smaller(first.y2, second.y2) - nms_larger(first.y1, second.y1));
  return width * height;
}

/// Intersection over union; NaN where there is no union. `first` has the higher score.
template <typename T>
NMS_PAIR T nms_overlap(const NmsBox<T>& first, const NmsBox<T>& second) {
  const T inside = nms_intersection(first, second);
  return inside / (first.area + second.area - inside);
}

}  // namespace vision_native
