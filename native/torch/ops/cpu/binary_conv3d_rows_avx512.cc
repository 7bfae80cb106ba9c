// Rows of binary convolution for CPUs with AVX-512 that cannot count the bits of vectors.
#include <immintrin.h>

#include <cstdint>

#include "torch/ops/cpu/binary_conv3d_rows.h"

// g++ 12 warns of its own header: what stands for "any value" there is not initialized.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl")

namespace vision_native {

namespace {

struct Vector {
  using Type = __m512i;
  static constexpr int64_t kBytes = 64;
  /// One vector of sums a pixel: 12 of 32 registers, with tables and results of several pixels on their way.
  static constexpr int kPixels = 12;

  static Type zero() { return _mm512_setzero_si512(); }
  static Type load(const void* from) { return _mm512_loadu_si512(from); }
  static Type low_bits(const uint8_t* from) { return _mm512_and_si512(load(from), _mm512_set1_epi8(15)); }
  static Type high_bits(const uint8_t* from) {
    return _mm512_and_si512(_mm512_srli_epi16(load(from), 4), _mm512_set1_epi8(15));
  }
  static Type table(const uint8_t* from) {
    return _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static Type shuffle(Type table, Type index) { return _mm512_shuffle_epi8(table, index); }
  static Type add8(Type a, Type b) { return _mm512_add_epi8(a, b); }
  static Type low16(Type a) { return _mm512_unpacklo_epi8(a, zero()); }
  static Type high16(Type a) { return _mm512_unpackhi_epi8(a, zero()); }
  static void add_to16(uint16_t* sums, Type a) { _mm512_store_si512(sums, _mm512_add_epi16(load(sums), a)); }
};

}  // namespace

}  // namespace vision_native

#define BINARY_ROWS kBinaryRowsAvx512
#include "torch/ops/cpu/binary_conv3d_table.inl"
