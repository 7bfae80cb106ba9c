#include "torch/ops/cpu/binary_conv3d_thresholds.h"

#include <emmintrin.h>

#include <cmath>
#include <limits>

#include "torch/ops/binary_conv3d_epilogue.h"

namespace vision_native {

namespace {

/// Far from where float32 overflows, so that no step of the formula makes an infinite number.
constexpr double kLargest = 1e37;

}  // namespace

BinaryThresholds::BinaryThresholds(const BinaryFloats& vectors, const float* next_bias, int64_t channels,
                                   int64_t largest_sum) {
  const auto [scale, shift, bias1, slope, bias2] = vectors;
  const int64_t length = (channels + 63) / 64 * 64;
  sign_.assign(static_cast<size_t>(length), 0);
  threshold_.assign(static_cast<size_t>(length), 1);
  const int32_t most = static_cast<int32_t>(largest_sum);
  for (int64_t c = 0; c < channels; ++c) {
    const double reach = std::abs(static_cast<double>(scale[c])) * most + std::abs(static_cast<double>(shift[c])) +
                         std::abs(static_cast<double>(bias1[c]));
    const double end = reach * std::fmax(1.0, slope[c]) + std::abs(static_cast<double>(bias2[c])) +
                       std::abs(static_cast<double>(next_bias[c]));
    // Comparisons that a NaN fails too.
    if (!(slope[c] >= 0.0f) || !(end <= kLargest)) {
      exact_ = false;
      return;
    }
    const int32_t sign = scale[c] < 0.0f ? -1 : 1;
    const auto bit = [&, scale = scale, shift = shift, bias1 = bias1, slope = slope, bias2 = bias2](int32_t grown) {
      return binary_epilogue(sign * grown, scale[c], shift[c], 0.0f, bias1[c], slope[c], bias2[c]) + next_bias[c] >= 0.0f;
    };
    // The smallest number whose bit is 1, or one above the largest.
    int32_t low = -most, high = most + 1;
    while (low < high) {
      const int32_t middle = low + (high - low) / 2;
      if (bit(middle)) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    sign_[c] = sign;
    threshold_[c] = low;
  }
}

uint64_t BinaryThresholds::bits(const int32_t* y, int64_t first) const {
  uint64_t word = 0;
  const auto load = [](const int32_t* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); };
  for (int64_t i = 0; i < 16; ++i) {
    // −1 and 1 as all bits and none: (y xor m) − m changes the sign.
    const __m128i m = _mm_srai_epi32(load(sign_.data() + first + 4 * i), 31);
    const __m128i grown = _mm_sub_epi32(_mm_xor_si128(load(y + 4 * i), m), m);
    const __m128i below = _mm_cmpgt_epi32(load(threshold_.data() + first + 4 * i), grown);
    word |= static_cast<uint64_t>(~_mm_movemask_ps(_mm_castsi128_ps(below)) & 15) << (4 * i);
  }
  return word;
}

}  // namespace vision_native
