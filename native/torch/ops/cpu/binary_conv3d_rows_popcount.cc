// Rows of binary convolution for CPUs with AVX-512 VPOPCNTDQ.
#include <immintrin.h>

#include <cstdint>

#include "torch/ops/cpu/binary_conv3d_rows.h"

// g++ 12 warns of its own header: what stands for "any value" there is not initialized.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq")

namespace vision_native {

namespace {

constexpr int kPixels = 8;

/// Differing bits of one pixel and eight output channels.
struct Counts {
  __m512i sums;

  void clear() { sums = _mm512_setzero_si512(); }

  void add(uint64_t input, const uint64_t* weight) {
    const __m512i differing =
        _mm512_xor_si512(_mm512_set1_epi64(static_cast<int64_t>(input)), _mm512_loadu_si512(weight));
    sums = _mm512_add_epi64(sums, _mm512_popcnt_epi64(differing));
  }

  void store(int32_t* out) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_cvtepi64_epi32(sums));
  }
};

}  // namespace

}  // namespace vision_native

#define BINARY_ROWS kBinaryRowsPopcount
#include "torch/ops/cpu/binary_conv3d_words.inl"
