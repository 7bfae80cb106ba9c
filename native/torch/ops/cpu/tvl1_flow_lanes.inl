// Vectors of the width of the instruction set (TVL1_VECTOR_BYTES). Included by one file for each instruction set;
// everything here has internal linkage.
//
// Nothing is contracted to fused multiply-adds and no sum depends on the width of a vector, so all instruction sets give
// the same bits, and images that are transposed give flows that are.

// No function with vectors in its signature is called from another file.
#pragma GCC diagnostic ignored "-Wpsabi"
#define TVL1_LANES [[maybe_unused]] static inline __attribute__((always_inline))

namespace vision_native {
namespace {

typedef float Lanes __attribute__((vector_size(TVL1_VECTOR_BYTES), aligned(4), may_alias));
typedef int32_t Mask __attribute__((vector_size(TVL1_VECTOR_BYTES)));
constexpr int kLanes = TVL1_VECTOR_BYTES / 4;
constexpr int kParts = static_cast<int>(kTvl1Group) / kLanes;

/// Four doubles: the channels of a packed pixel, or four pixels.
typedef double Four __attribute__((vector_size(32), aligned(8), may_alias));
typedef float FourFloats __attribute__((vector_size(16), aligned(4), may_alias));

TVL1_LANES Lanes load(const float* from) { return *reinterpret_cast<const Lanes*>(from); }
TVL1_LANES void store(float* to, Lanes v) { *reinterpret_cast<Lanes*>(to) = v; }
TVL1_LANES Lanes spread(float value) { return Lanes{} + value; }
TVL1_LANES Lanes least(Lanes a, Lanes b) { return a < b ? a : b; }
TVL1_LANES Lanes greatest(Lanes a, Lanes b) { return a > b ? a : b; }

TVL1_LANES Lanes root(Lanes v) {
#if TVL1_VECTOR_BYTES == 64
  return (Lanes)_mm512_maskz_sqrt_ps(0xffff, (__m512)v);  // the plain one warns about what it does not read
#elif TVL1_VECTOR_BYTES == 32
  return (Lanes)_mm256_sqrt_ps((__m256)v);
#else
  return (Lanes)_mm_sqrt_ps((__m128)v);
#endif
}

/// Which lanes of the vector at column x are left of `end`.
TVL1_LANES Mask before(int64_t x, int64_t end) {
  Mask lane;
  for (int i = 0; i < kLanes; ++i) lane[i] = i;
  return lane + static_cast<int32_t>(x) < Mask{} + static_cast<int32_t>(end);
}

/// The lanes of the mask, 0 in the others.
TVL1_LANES Lanes keep(Lanes v, Mask mask) { return (Lanes)((Mask)v & mask); }

}  // namespace
}  // namespace vision_native
