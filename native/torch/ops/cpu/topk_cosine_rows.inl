// Body of the row functions of exact searches; included by one file for each instruction set, which names the table
// (SEARCH_ROWS) and says how wide its vectors are (SEARCH_BITS). Nothing is contracted to fused multiply-adds, so that all
// give the same bits.
#pragma GCC optimize("fp-contract=off", "no-trapping-math")

namespace vision_native {
namespace {

constexpr int kBytes = SEARCH_BITS / 8;
constexpr int kSums = 16;

template <typename A>
struct Cosine {
  static constexpr int kLanes = kBytes / sizeof(A);
  static constexpr int kParts = kSums / kLanes;
  typedef A Vector __attribute__((vector_size(kBytes)));

  static inline Vector load(const A* from) {
    Vector v;
    __builtin_memcpy(&v, from, kBytes);
    return v;
  }

  template <int kCount>
  static void dots_of(const A* row, const A* queries, int64_t stride, int64_t dims, A* out) {
    Vector sums[kCount][kParts] = {};
    int64_t d = 0;
    for (; d + kSums <= dims; d += kSums) {
#pragma GCC unroll 8
      for (int part = 0; part < kParts; ++part) {
        const Vector x = load(row + d + part * kLanes);
#pragma GCC unroll 4
        for (int q = 0; q < kCount; ++q) sums[q][part] += x * load(queries + q * stride + d + part * kLanes);
      }
    }
    for (int q = 0; q < kCount; ++q) {
      A apart[kSums];
      __builtin_memcpy(apart, sums[q], sizeof(apart));
      for (int64_t i = d; i < dims; ++i) apart[i - d] += row[i] * queries[q * stride + i];
      for (int half = kSums / 2; half > 0; half /= 2) {
        for (int lane = 0; lane < half; ++lane) apart[lane] += apart[lane + half];
      }
      out[q] = apart[0];
    }
  }

  static void dots(const A* row, const A* queries, int64_t stride, int64_t count, int64_t dims, A* out) {
    switch (count) {
      case 4: return dots_of<4>(row, queries, stride, dims, out);
      case 3: return dots_of<3>(row, queries, stride, dims, out);
      case 2: return dots_of<2>(row, queries, stride, dims, out);
      default: return dots_of<1>(row, queries, stride, dims, out);
    }
  }

  static int64_t candidates(const A* products, const A* inverses, int64_t count, A scale, A error, A limit,
                            int32_t* places) {
    int64_t found = 0;
    for (int64_t i = 0; i < count; i += kSums) {
      const int width = count - i < kSums ? static_cast<int>(count - i) : kSums;
      // What is NaN because it overflowed is one too.
      if (width == kSums) {
        int least = 1;
        for (int lane = 0; lane < kSums; ++lane) {
          least &= (products[i + lane] * inverses[i + lane]) * scale + error <= limit;
        }
        if (least != 0) continue;
      }
      for (int lane = 0; lane < width; ++lane) {
        if (!((products[i + lane] * inverses[i + lane]) * scale + error <= limit)) {
          places[found++] = static_cast<int32_t>(i + lane);
        }
      }
    }
    return found;
  }

  static constexpr CosineRows<A> table() { return {dots, candidates}; }
};

template <int kCount>
void code_dots_of(const int8_t* row, const int16_t* queries, int64_t stride, int64_t dims, int32_t* out) {
  int64_t d = 0;
#if SEARCH_BITS == 512
  __m512i sums[kCount];
  for (auto& sum : sums) sum = _mm512_setzero_si512();
  for (; d + 32 <= dims; d += 32) {
    const __m512i x = _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + d)));
#pragma GCC unroll 4
    for (int q = 0; q < kCount; ++q) {
      sums[q] = _mm512_add_epi32(sums[q], _mm512_madd_epi16(x, _mm512_loadu_si512(queries + q * stride + d)));
    }
  }
  for (int q = 0; q < kCount; ++q) {
    int32_t lanes[16];
    _mm512_storeu_si512(lanes, sums[q]);
    out[q] = 0;
    for (const int32_t lane : lanes) out[q] += lane;
  }
#elif SEARCH_BITS == 256
  __m256i sums[kCount];
  for (auto& sum : sums) sum = _mm256_setzero_si256();
  for (; d + 16 <= dims; d += 16) {
    const __m256i x = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row + d)));
#pragma GCC unroll 4
    for (int q = 0; q < kCount; ++q) {
      const __m256i y = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(queries + q * stride + d));
      sums[q] = _mm256_add_epi32(sums[q], _mm256_madd_epi16(x, y));
    }
  }
  for (int q = 0; q < kCount; ++q) {
    int32_t lanes[8];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), sums[q]);
    out[q] = 0;
    for (const int32_t lane : lanes) out[q] += lane;
  }
#else
  for (int q = 0; q < kCount; ++q) out[q] = 0;
#endif
  for (; d < dims; ++d) {
    for (int q = 0; q < kCount; ++q) out[q] += row[d] * queries[q * stride + d];
  }
}

void code_dots(const int8_t* row, const int16_t* queries, int64_t stride, int64_t count, int64_t dims, int32_t* out) {
  switch (count) {
    case 4: return code_dots_of<4>(row, queries, stride, dims, out);
    case 3: return code_dots_of<3>(row, queries, stride, dims, out);
    case 2: return code_dots_of<2>(row, queries, stride, dims, out);
    default: return code_dots_of<1>(row, queries, stride, dims, out);
  }
}

template <int kCount>
void differing_bits_of(const uint64_t* row, const uint64_t* queries, int64_t stride, int64_t words, int32_t* out) {
  int64_t sums[kCount] = {};
  for (int64_t w = 0; w < words; ++w) {
#pragma GCC unroll 4
    for (int q = 0; q < kCount; ++q) sums[q] += __builtin_popcountll(row[w] ^ queries[q * stride + w]);
  }
  for (int q = 0; q < kCount; ++q) out[q] = static_cast<int32_t>(sums[q]);
}

void differing_bits(const uint64_t* row, const uint64_t* queries, int64_t stride, int64_t count, int64_t words,
                    int32_t* out) {
  switch (count) {
    case 4: return differing_bits_of<4>(row, queries, stride, words, out);
    case 3: return differing_bits_of<3>(row, queries, stride, words, out);
    case 2: return differing_bits_of<2>(row, queries, stride, words, out);
    default: return differing_bits_of<1>(row, queries, stride, words, out);
  }
}

}  // namespace

const SearchRows SEARCH_ROWS{Cosine<float>::table(), Cosine<double>::table(), code_dots, differing_bits};

}  // namespace vision_native
