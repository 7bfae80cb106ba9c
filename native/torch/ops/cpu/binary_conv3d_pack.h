#pragma once
// Signs as bits on the CPU. SSE2 belongs to every x86-64, so these need no choice of instruction set.
#include <ATen/core/Tensor.h>
#include <emmintrin.h>

#include <cstdint>

namespace vision_native {

/// See BinaryConv3dBackend.
void binary_pack_sign(const at::Tensor& x, const at::Tensor& bias, at::Tensor& bits);
void binary_pack_weight(const at::Tensor& weight, at::Tensor& packed);

/// Bit i tells whether value i + bias of 64 is at least 0; NaN is not.
inline uint64_t binary_signs(const float* values, float bias = 0.0f) {
  const __m128 added = _mm_set1_ps(bias);
  uint64_t word = 0;
  for (int i = 0; i < 16; ++i) {
    const __m128 moved = _mm_add_ps(_mm_loadu_ps(values + 4 * i), added);
    word |= static_cast<uint64_t>(_mm_movemask_ps(_mm_cmpge_ps(moved, _mm_setzero_ps()))) << (4 * i);
  }
  return word;
}

/// Swaps row r bit c with row c bit r.
inline void binary_transpose(uint64_t (&rows)[64]) {
  uint64_t mask = 0x00000000ffffffff;
  for (int step = 32; step != 0; step >>= 1, mask ^= mask << step) {
    for (int i = 0; i < 64; i = ((i | step) + 1) & ~step) {
      const uint64_t swapped = ((rows[i] >> step) ^ rows[i | step]) & mask;
      rows[i | step] ^= swapped;
      rows[i] ^= swapped << step;
    }
  }
}

/// The lowest `count` bits.
inline uint64_t binary_mask(int64_t count) { return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1; }

}  // namespace vision_native
