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
  /// Sums of 8 pairs × 2 and what their tables give take 24 of the 32 registers.
  static constexpr int kPairs = 8;

  static Type zero() { return _mm512_setzero_si512(); }
  static Type load(const void* from) { return _mm512_load_si512(from); }
  static void store(void* to, Type a) { _mm512_store_si512(to, a); }
  /// Bytes i and 32 + i side by side, for all i.
  static Type interleave(const uint8_t* from) {
    const Type order = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
    const Type a = _mm512_permutexvar_epi64(order, _mm512_loadu_si512(from));
    return _mm512_unpacklo_epi8(a, _mm512_bsrli_epi128(a, 8));
  }
  static Type low_bits(Type a) { return _mm512_and_si512(a, _mm512_set1_epi8(15)); }
  static Type high_bits(Type a) { return low_bits(_mm512_srli_epi16(a, 4)); }
  static Type even_bytes(Type a) { return _mm512_and_si512(a, _mm512_set1_epi16(255)); }
  static Type shift_left4(Type a) { return _mm512_slli_epi16(a, 4); }
  static Type shift_right4(Type a) { return _mm512_srli_epi16(a, 4); }
  static Type shift_right8(Type a) { return _mm512_srli_epi16(a, 8); }
  static Type table(const uint8_t* from) {
    return _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static Type shuffle(Type table, Type index) { return _mm512_shuffle_epi8(table, index); }
  static Type add8(Type a, Type b) { return _mm512_add_epi8(a, b); }
  static Type add16(Type a, Type b) { return _mm512_add_epi16(a, b); }
  static Type subtract16(Type a, Type b) { return _mm512_sub_epi16(a, b); }
  static void add_to16(uint16_t* sums, Type a) { store(sums, add16(load(sums), a)); }
};

}  // namespace

}  // namespace vision_native

#define BINARY_ROWS kBinaryRowsAvx512
#include "torch/ops/cpu/binary_conv3d_table.inl"
