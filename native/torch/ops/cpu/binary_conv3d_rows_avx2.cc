// Rows of binary convolution for CPUs with AVX2.
#include <immintrin.h>

#include <cstdint>

#include "torch/ops/cpu/binary_conv3d_rows.h"

#pragma GCC target("avx2")

namespace vision_native {

namespace {

struct Vector {
  using Type = __m256i;
  static constexpr int64_t kBytes = 32;
  /// Sums of 2 pairs × 2 vectors × 2 and what their tables give take 12 of the 16 registers.
  static constexpr int kPairs = 2;

  static Type zero() { return _mm256_setzero_si256(); }
  static Type load(const void* from) { return _mm256_load_si256(static_cast<const Type*>(from)); }
  static void store(void* to, Type a) { _mm256_store_si256(static_cast<Type*>(to), a); }
  /// Bytes i and 16 + i side by side, for all i.
  static Type interleave(const uint8_t* from) {
    const Type a = _mm256_permute4x64_epi64(_mm256_loadu_si256(reinterpret_cast<const Type*>(from)), 0b11011000);
    return _mm256_unpacklo_epi8(a, _mm256_srli_si256(a, 8));
  }
  static Type low_bits(Type a) { return _mm256_and_si256(a, _mm256_set1_epi8(15)); }
  static Type high_bits(Type a) { return low_bits(_mm256_srli_epi16(a, 4)); }
  static Type even_bytes(Type a) { return _mm256_and_si256(a, _mm256_set1_epi16(255)); }
  static Type shift_left4(Type a) { return _mm256_slli_epi16(a, 4); }
  static Type shift_right4(Type a) { return _mm256_srli_epi16(a, 4); }
  static Type shift_right8(Type a) { return _mm256_srli_epi16(a, 8); }
  static Type table(const uint8_t* from) {
    return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static Type shuffle(Type table, Type index) { return _mm256_shuffle_epi8(table, index); }
  static Type add8(Type a, Type b) { return _mm256_add_epi8(a, b); }
  static Type add16(Type a, Type b) { return _mm256_add_epi16(a, b); }
  static Type subtract16(Type a, Type b) { return _mm256_sub_epi16(a, b); }
  static void add_to16(uint16_t* sums, Type a) { store(sums, add16(load(sums), a)); }
};

}  // namespace

}  // namespace vision_native

#define BINARY_ROWS kBinaryRowsAvx2
#include "torch/ops/cpu/binary_conv3d_table.inl"
