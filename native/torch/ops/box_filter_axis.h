#pragma once
// Windows along one axis of an image, for the box and the guided filter on every device.
#include <cstdint>

#ifdef __CUDACC__
#define VISION_NATIVE_BOTH __host__ __device__
#else
#define VISION_NATIVE_BOTH
#endif

namespace vision_native {

/// What a window holds beyond the border.
enum class BoxEdge {
  /// Nothing: it is cut off, and means divide by what is left.
  kClip,
  /// The image mirrored with its border pixel repeated, as often as it takes.
  kReflect,
};

/// Windows of 2·radius + 1 places along an axis of `size` places.
struct BoxAxis {
  int64_t size;
  int64_t radius;
  BoxEdge edge;

  /// The place that holds what a window sees at place i, or −1 for nothing.
  VISION_NATIVE_BOTH int64_t fold(int64_t i) const {
    if (i >= 0 && i < size) return i;
    if (edge == BoxEdge::kClip) return -1;
    const int64_t period = 2 * size;
    int64_t m = i % period;
    if (m < 0) m += period;
    return m < size ? m : period - 1 - m;
  }

  /// First place that the window around `i` touches, and one past the last. Mirrored places lie between them.
  VISION_NATIVE_BOTH int64_t first(int64_t i) const { return i - radius > 0 ? i - radius : 0; }
  VISION_NATIVE_BOTH int64_t last(int64_t i) const { return i + radius + 1 < size ? i + radius + 1 : size; }

  /// How often the window around `i` sees place j.
  VISION_NATIVE_BOTH int64_t times(int64_t i, int64_t j) const {
    if (edge == BoxEdge::kClip) return j >= i - radius && j <= i + radius ? 1 : 0;
    const int64_t period = 2 * size;
    return occurrences(j, period, i - radius, i + radius) + occurrences(-1 - j, period, i - radius, i + radius);
  }

  /// Places in the window around `i`.
  VISION_NATIVE_BOTH int64_t count(int64_t i) const {
    return edge == BoxEdge::kClip ? last(i) - first(i) : 2 * radius + 1;
  }

  /// How far to reach for what enters and leaves a window that moves by one. Windows that see the whole axis see a
  /// periodic signal, so that their reach need not grow with the radius.
  VISION_NATIVE_BOTH int64_t reach() const {
    if (radius < size) return radius;
    return edge == BoxEdge::kClip ? size - 1 : size + (radius - size) % (2 * size);
  }

 private:
  /// Numbers in low…high that equal `rest` modulo `period`.
  VISION_NATIVE_BOTH static int64_t occurrences(int64_t rest, int64_t period, int64_t low, int64_t high) {
    return floor_divide(high - rest, period) - floor_divide(low - 1 - rest, period);
  }
  VISION_NATIVE_BOTH static int64_t floor_divide(int64_t a, int64_t b) {
    const int64_t q = a / b;
    return a % b < 0 ? q - 1 : q;
  }
};

}  // namespace vision_native
