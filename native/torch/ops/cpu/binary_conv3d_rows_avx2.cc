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
  /// Sums of 6 pixels × 2 vectors, two indices, a table and what it gives fill the 16 registers.
  static constexpr int kPixels = 6;

  static Type zero() { return _mm256_setzero_si256(); }
  static Type load(const void* from) { return _mm256_loadu_si256(static_cast<const Type*>(from)); }
  static Type low_bits(const uint8_t* from) { return _mm256_and_si256(load(from), _mm256_set1_epi8(15)); }
  static Type high_bits(const uint8_t* from) {
    return _mm256_and_si256(_mm256_srli_epi16(load(from), 4), _mm256_set1_epi8(15));
  }
  static Type table(const uint8_t* from) {
    return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static Type shuffle(Type table, Type index) { return _mm256_shuffle_epi8(table, index); }
  static Type add8(Type a, Type b) { return _mm256_add_epi8(a, b); }
  static Type low16(Type a) { return _mm256_unpacklo_epi8(a, zero()); }
  static Type high16(Type a) { return _mm256_unpackhi_epi8(a, zero()); }
  static void add_to16(uint16_t* sums, Type a) {
    _mm256_store_si256(reinterpret_cast<Type*>(sums), _mm256_add_epi16(load(sums), a));
  }
};

}  // namespace

}  // namespace vision_native

#define BINARY_ROWS kBinaryRowsAvx2
#include "torch/ops/cpu/binary_conv3d_table.inl"
