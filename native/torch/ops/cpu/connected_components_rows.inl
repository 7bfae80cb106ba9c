// Runs of a row and back. Compiled once for each instruction set.
namespace vision_native {

namespace {

#ifdef __AVX2__
template <typename T>
inline __m256i load(const T* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

/// Whole vectors; what goes too far is written again by what follows.
inline void write(int32_t* from, const int32_t* to, __m256i value) {
  do {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(from), value);
    from += 8;
  } while (from < to);
}
#endif

/// Bit i tells whether row[i] differs from row[i − 1], for 64 elements.
template <typename T>
inline uint64_t boundaries(const T* row) {
#ifdef __AVX2__
  uint64_t equal = 0;
  if constexpr (sizeof(T) == 1) {
    for (int k = 0; k < 2; ++k) {
      const __m256i same = _mm256_cmpeq_epi8(load(row + 32 * k), load(row + 32 * k - 1));
      equal |= static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_epi8(same))) << (32 * k);
    }
  } else if constexpr (sizeof(T) == 2) {
    for (int k = 0; k < 2; ++k) {
      const __m256i low = _mm256_cmpeq_epi16(load(row + 32 * k), load(row + 32 * k - 1));
      const __m256i high = _mm256_cmpeq_epi16(load(row + 32 * k + 16), load(row + 32 * k + 15));
      const __m256i bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xd8);
      equal |= static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_epi8(bytes))) << (32 * k);
    }
  } else if constexpr (sizeof(T) == 4) {
    for (int k = 0; k < 8; ++k) {
      const __m256i same = _mm256_cmpeq_epi32(load(row + 8 * k), load(row + 8 * k - 1));
      equal |= static_cast<uint64_t>(_mm256_movemask_ps(_mm256_castsi256_ps(same))) << (8 * k);
    }
  } else {
    for (int k = 0; k < 16; ++k) {
      const __m256i same = _mm256_cmpeq_epi64(load(row + 4 * k), load(row + 4 * k - 1));
      equal |= static_cast<uint64_t>(_mm256_movemask_pd(_mm256_castsi256_pd(same))) << (4 * k);
    }
  }
  return ~equal;
#else
  uint64_t bits = 0;
  for (int i = 0; i < 64; ++i) bits |= static_cast<uint64_t>(row[i] != row[i - 1]) << i;
  return bits;
#endif
}

template <typename T>
int64_t find_runs(const void* data, int64_t width, LabelRun* out) {
  const T* row = static_cast<const T*>(data);
  if (width == 0) return 0;
  int64_t count = 0;
  int32_t start = 0;
  // The run before a boundary is written always and counted only when its value is not 0: no branch to predict.
  const auto cut = [&](int32_t place) {
    out[count] = {start, place};
    count += row[start] != 0;
    start = place;
  };
  const auto cut_all = [&](uint64_t bits, int64_t first) {
    for (; bits != 0; bits &= bits - 1) cut(static_cast<int32_t>(first + __builtin_ctzll(bits)));
  };
  int64_t i = 1;
  for (; i + 64 <= width; i += 64) cut_all(boundaries(row + i), i);
  if (width > 64) {
    // The last 64 elements, less those that were looked at.
    const int64_t first = width - 64;
    if (i < width) cut_all(boundaries(row + first) & (~uint64_t{0} << (i - first)), first);
  } else {
    for (; i < width; ++i) {
      if (row[i] != row[i - 1]) cut(static_cast<int32_t>(i));
    }
  }
  cut(static_cast<int32_t>(width));
  return count;
}

void fill(int32_t* out, int64_t width, const LabelRun* runs, const int32_t* labels, int64_t count, int64_t slack) {
#ifdef __AVX2__
  if (slack >= 8) {
    const __m256i zero = _mm256_setzero_si256();
    int64_t place = 0;
    for (int64_t k = 0; k < count; ++k) {
      write(out + place, out + runs[k].start, zero);
      write(out + runs[k].start, out + runs[k].end, _mm256_set1_epi32(labels[k]));
      place = runs[k].end;
    }
    if (place < width) write(out + place, out + width, zero);
    return;
  }
#endif
  int64_t place = 0;
  for (int64_t k = 0; k < count; ++k) {
    std::fill(out + place, out + runs[k].start, 0);
    std::fill(out + runs[k].start, out + runs[k].end, labels[k]);
    place = runs[k].end;
  }
  std::fill(out + place, out + width, 0);
}

}  // namespace

const LabelRows LABEL_ROWS{{find_runs<uint8_t>, find_runs<uint16_t>, find_runs<uint32_t>, find_runs<uint64_t>}, fill};

}  // namespace vision_native
