// Vectors of the width of the instruction set (BOX_VECTOR_BYTES), and what the sweeps do with them. Included by one file
// for each instruction set; everything here has internal linkage.
//
// No sum ever crosses the lanes of a vector and nothing is contracted, so vectors of every width give the same bits.
#include <type_traits>
#include <utility>

namespace vision_native {
namespace {

template <class T>
struct Lanes {
  static constexpr int kCount = BOX_VECTOR_BYTES / static_cast<int>(sizeof(T));
  typedef T Vector __attribute__((vector_size(BOX_VECTOR_BYTES)));
  /// The same anywhere in memory.
  typedef T Unaligned __attribute__((vector_size(BOX_VECTOR_BYTES), aligned(sizeof(T)), may_alias));
  using Index = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  typedef Index Mask __attribute__((vector_size(BOX_VECTOR_BYTES)));
  static constexpr int kPerBlock = 16 / static_cast<int>(sizeof(T));
  static constexpr int kBlocks = kCount / kPerBlock;
};

template <class T>
using Vector = typename Lanes<T>::Vector;

template <class T>
constexpr int kLanes = Lanes<T>::kCount;

template <class T>
inline Vector<T> load(const T* from) {
  return *reinterpret_cast<const typename Lanes<T>::Unaligned*>(from);
}

template <class T>
inline void store(T* to, Vector<T> v) {
  *reinterpret_cast<typename Lanes<T>::Unaligned*>(to) = v;
}

template <class T>
inline Vector<T> spread(T value) {
  return Vector<T>{} + value;
}

/// A shuffle of two vectors; lane l is element `f(l)` of the two, one after the other.
template <class T, class F, int... l>
inline Vector<T> shuffle(Vector<T> a, Vector<T> b, F f, std::integer_sequence<int, l...>) {
  const typename Lanes<T>::Mask mask = {f(l)...};
  return __builtin_shuffle(a, b, mask);
}

#define BOX_SHUFFLE(a, b, expression)                                              \
  shuffle<T>(                                                                      \
      a, b, [](int l) constexpr { return (expression); }, std::make_integer_sequence<int, kLanes<T>>{})

/// Interleaves pieces of `width` elements within blocks of 16 bytes: the low halves (or the high ones) of a and b.
template <class T, int width, bool high>
inline Vector<T> interleave(Vector<T> a, Vector<T> b) {
  constexpr int block = Lanes<T>::kPerBlock;
  return BOX_SHUFFLE(a, b, (l / block) * block + (high ? block / 2 : 0) + ((l % block) / (2 * width)) * width + l % width +
                               ((l % block) / width % 2 ? kLanes<T> : 0));
}

/// One step of the exchange of whole blocks: those of a and b that lie `step` apart.
template <class T, int step>
inline void exchange(Vector<T>& a, Vector<T>& b) {
  constexpr int block = Lanes<T>::kPerBlock;
  const Vector<T> low = BOX_SHUFFLE(a, b, (l / block & step) == 0 ? l : l - step * block + kLanes<T>);
  const Vector<T> high = BOX_SHUFFLE(a, b, (l / block & step) == 0 ? l + step * block : l + kLanes<T>);
  a = low;
  b = high;
}

/// Transposes a square of as many rows as there are lanes.
template <class T>
__attribute__((always_inline)) inline void transpose(Vector<T>* r) {
  constexpr int count = kLanes<T>, block = Lanes<T>::kPerBlock, blocks = Lanes<T>::kBlocks;
#pragma GCC unroll 16
  for (int g = 0; g < count; g += block) {
    if constexpr (block == 2) {
      const Vector<T> low = interleave<T, 1, false>(r[g], r[g + 1]);
      r[g + 1] = interleave<T, 1, true>(r[g], r[g + 1]);
      r[g] = low;
    } else {
      const Vector<T> a = interleave<T, 1, false>(r[g], r[g + 1]), b = interleave<T, 1, true>(r[g], r[g + 1]);
      const Vector<T> c = interleave<T, 1, false>(r[g + 2], r[g + 3]), d = interleave<T, 1, true>(r[g + 2], r[g + 3]);
      r[g] = interleave<T, 2, false>(a, c);
      r[g + 1] = interleave<T, 2, true>(a, c);
      r[g + 2] = interleave<T, 2, false>(b, d);
      r[g + 3] = interleave<T, 2, true>(b, d);
    }
  }
  if constexpr (blocks > 1) {
#pragma GCC unroll 16
    for (int i = 0; i < count; ++i) {
      if ((i / block & 1) == 0) exchange<T, 1>(r[i], r[i + block]);
    }
  }
  if constexpr (blocks > 2) {
#pragma GCC unroll 16
    for (int i = 0; i < count; ++i) {
      if ((i / block & 2) == 0) exchange<T, 2>(r[i], r[i + 2 * block]);
    }
  }
}

/// The first `count` elements, then zeros.
template <class T>
inline Vector<T> load_part(const T* from, int64_t count) {
  T part[kLanes<T>] = {};
  for (int64_t i = 0; i < count; ++i) part[i] = from[i];
  return load(part);
}

template <class T>
inline void store_part(T* to, Vector<T> v, int64_t count) {
  T part[kLanes<T>];
  store(part, v);
  for (int64_t i = 0; i < count; ++i) to[i] = part[i];
}

// ---- Types of the tensors -------------------------------------------------------------------------------------------

inline float float_of_bits(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, 4);
  return value;
}

inline uint32_t bits_of(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, 4);
  return bits;
}

inline float from_bfloat16(uint16_t h) { return float_of_bits(static_cast<uint32_t>(h) << 16); }

inline uint16_t to_bfloat16(float value) {
  const uint32_t bits = bits_of(value);
  const uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
  return static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded);
}

inline float from_half(uint16_t h) {
  const uint32_t sign = (h & 0x8000u) << 16, rest = h & 0x7fffu;
  // A float of the same bits is 2⁻¹¹² of the number, also where that is subnormal.
  const float finite = float_of_bits(rest << 13) * 0x1p112f;
  const uint32_t special = 0x7f800000u | rest << 13;
  return float_of_bits(sign | (rest >= 0x7c00u ? special : bits_of(finite)));
}

inline uint16_t to_half(float value) {
  const uint32_t bits = bits_of(value), magnitude = bits & 0x7fffffffu, sign = bits >> 16 & 0x8000u;
  uint32_t result;
  if (magnitude > 0x7f800000u) {
    result = 0x7e00u;
  } else if (magnitude >= 0x47800000u) {
    result = 0x7c00u;
  } else if (magnitude < 0x38800000u) {
    // Subnormal: adding ½ lets the addition round to a multiple of 2⁻²⁴.
    result = bits_of(float_of_bits(magnitude) + 0.5f) - 0x3f000000u;
  } else {
    result = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
  }
  return static_cast<uint16_t>(sign | result);
}

template <class T>
inline void read_row(BoxType type, const void* plane, int64_t offset, int64_t stride, T* to, int64_t count) {
  if constexpr (sizeof(T) == 8) {
    const double* from = static_cast<const double*>(plane) + offset;
    for (int64_t i = 0; i < count; ++i) to[i] = from[i * stride];
  } else if (type == BoxType::kFloat) {
    const float* from = static_cast<const float*>(plane) + offset;
    for (int64_t i = 0; i < count; ++i) to[i] = from[i * stride];
  } else {
    const uint16_t* from = static_cast<const uint16_t*>(plane) + offset;
    const bool half = type == BoxType::kHalf;
    if (stride == 1 && half) {
      for (int64_t i = 0; i < count; ++i) to[i] = from_half(from[i]);
    } else if (stride == 1) {
      for (int64_t i = 0; i < count; ++i) to[i] = from_bfloat16(from[i]);
    } else {
      for (int64_t i = 0; i < count; ++i) to[i] = half ? from_half(from[i * stride]) : from_bfloat16(from[i * stride]);
    }
  }
}

/// Planes of more pixels are written past the caches, which they would leave before anyone reads them.
constexpr int64_t kStreamedPixels = int64_t{1} << 18;

/// A copy that does not read the lines it overwrites. Whoever writes so ends with a fence.
inline void stream(const float* from, float* to, int64_t count) {
  int64_t i = 0;
  for (; i < count && reinterpret_cast<uintptr_t>(to + i) % 16 != 0; ++i) to[i] = from[i];
  for (; i + 4 <= count; i += 4) _mm_stream_ps(to + i, _mm_loadu_ps(from + i));
  for (; i < count; ++i) to[i] = from[i];
}

template <class T>
inline void write_row(BoxType type, const T* from, void* plane, int64_t offset, int64_t count, bool streamed) {
  if constexpr (sizeof(T) == 4) {
    if (type == BoxType::kFloat && streamed) return stream(from, static_cast<float*>(plane) + offset, count);
  }
  if (type == BoxType::kFloat || type == BoxType::kDouble) {
    T* to = static_cast<T*>(plane) + offset;
    for (int64_t i = 0; i < count; ++i) to[i] = from[i];
  } else {
    uint16_t* to = static_cast<uint16_t*>(plane) + offset;
    if (type == BoxType::kHalf) {
      for (int64_t i = 0; i < count; ++i) to[i] = to_half(static_cast<float>(from[i]));
    } else {
      for (int64_t i = 0; i < count; ++i) to[i] = to_bfloat16(static_cast<float>(from[i]));
    }
  }
}

}  // namespace
}  // namespace vision_native
