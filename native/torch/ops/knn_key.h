#pragma once
// Ranks as whole numbers, shared by CPU and CUDA: a distance or a score in the high bits and the index in the low ones, so
// that the smallest key is the best and of equals the one of the lower index. NaN comes last.
#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#define VISION_NATIVE_SHARED __host__ __device__ inline
#else
#define VISION_NATIVE_SHARED inline
#endif

namespace vision_native {

/// Whole numbers that hold the bits of a floating-point number, and those together with an index below 2³².
template <typename A>
struct KeyOf;
template <>
struct KeyOf<float> {
  using Bits = uint32_t;
  using Key = uint64_t;
};
template <>
struct KeyOf<double> {
  using Bits = uint64_t;
  using Key = unsigned __int128;
};

template <typename A>
VISION_NATIVE_SHARED typename KeyOf<A>::Bits bits_of(A value) {
  typename KeyOf<A>::Bits bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

template <typename A>
VISION_NATIVE_SHARED A value_of(typename KeyOf<A>::Bits bits) {
  A value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

/// The largest key: of no pair.
template <typename A>
VISION_NATIVE_SHARED typename KeyOf<A>::Key last_key() {
  return ~typename KeyOf<A>::Key{0};
}

template <typename A>
VISION_NATIVE_SHARED uint32_t index_of(typename KeyOf<A>::Key key) {
  return static_cast<uint32_t>(key);
}

/// For smallest first; `distance` is NaN or not below 0, whose bits are in order.
template <typename A>
VISION_NATIVE_SHARED typename KeyOf<A>::Key near_key(A distance, uint32_t index) {
  using Key = typename KeyOf<A>::Key;
  const Key high = distance == distance ? bits_of(distance) : ~typename KeyOf<A>::Bits{0};
  return high << 32 | index;
}

/// All bits of the number set are a NaN too.
template <typename A>
VISION_NATIVE_SHARED A distance_of(typename KeyOf<A>::Key key) {
  return value_of<A>(static_cast<typename KeyOf<A>::Bits>(key >> 32));
}

/// For largest first.
template <typename A>
VISION_NATIVE_SHARED typename KeyOf<A>::Key score_key(A score, uint32_t index) {
  using Bits = typename KeyOf<A>::Bits;
  using Key = typename KeyOf<A>::Key;
  constexpr Bits sign = Bits{1} << (8 * sizeof(Bits) - 1);
  // Zero has one sign.
  const Bits bits = bits_of(score + A(0));
  const Bits rising = (bits & sign) != 0 ? ~bits : bits | sign;
  const Key high = score == score ? static_cast<Bits>(~rising) : ~Bits{0};
  return high << 32 | index;
}

template <typename A>
VISION_NATIVE_SHARED A score_of(typename KeyOf<A>::Key key) {
  using Bits = typename KeyOf<A>::Bits;
  constexpr Bits sign = Bits{1} << (8 * sizeof(Bits) - 1);
  const Bits high = static_cast<Bits>(key >> 32);
  if (high == ~Bits{0}) return value_of<A>(high);
  const Bits rising = ~high;
  return value_of<A>((rising & sign) != 0 ? rising ^ sign : static_cast<Bits>(~rising));
}

}  // namespace vision_native
