// Element types and elementary functions of the tile functions; included after the instruction set is raised.
#pragma GCC optimize("no-math-errno", "no-trapping-math")

namespace vision_native {
namespace {

// ---- Element types ----------------------------------------------------------------------------------------------

inline float float_of_bits(uint32_t bits) { return __builtin_bit_cast(float, bits); }
inline uint32_t bits_of_float(float value) { return __builtin_bit_cast(uint32_t, value); }

struct HalfBits {
  uint16_t bits;
};
struct BFloat16Bits {
  uint16_t bits;
};

inline float widen(float value) { return value; }
inline double widen(double value) { return value; }
inline float widen(HalfBits value) {
  const uint32_t sign = static_cast<uint32_t>(value.bits & 0x8000u) << 16;
  const uint32_t rest = static_cast<uint32_t>(value.bits & 0x7fffu) << 13;
  // 2¹¹² moves the exponent to float's; subnormal numbers come out right too.
  const uint32_t finite = bits_of_float(float_of_bits(rest) * 0x1p112f);
  return float_of_bits(sign | (rest >= 0x0f800000u ? rest | 0x7f800000u : finite));
}
inline float widen(BFloat16Bits value) { return float_of_bits(static_cast<uint32_t>(value.bits) << 16); }

inline void narrow(float value, float& out) { out = value; }
inline void narrow(double value, double& out) { out = value; }
inline void narrow(float value, BFloat16Bits& out) {
  const uint32_t bits = bits_of_float(value);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  out.bits = static_cast<uint16_t>(value != value ? 0x7fc0u : rounded);
}
inline void narrow(float value, HalfBits& out) {
  const uint32_t bits = bits_of_float(value);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  // Adding ½ leaves a subnormal half in the low bits, rounded to even.
  const uint32_t subnormal = bits_of_float(float_of_bits(magnitude) + 0.5f) - 0x3f000000u;
  const uint32_t normal = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  uint32_t half = magnitude < 0x38800000u ? subnormal : normal;
  half = magnitude >= 0x477ff000u ? 0x7c00u : half;
  half = magnitude > 0x7f800000u ? 0x7e00u : half;
  out.bits = static_cast<uint16_t>(sign | half);
}

/// float64 goes with float64, the other types with sums in float32.
template <typename A, typename Body>
inline void with_type(CapsuleType type, const Body& body) {
  if constexpr (sizeof(A) == sizeof(double)) {
    return body(double{});
  } else {
    switch (type) {
      case CapsuleType::kHalf: return body(HalfBits{});
      case CapsuleType::kBFloat16: return body(BFloat16Bits{});
      default: return body(float{});
    }
  }
}

// ---- Functions --------------------------------------------------------------------------------------------------

/// exp of a number that is not above 0; relative error below 2⁻²²·⁵.
inline float exp_below_zero(float x) {
  const float shifted = x * 1.44269504088896341f + 12582912.0f;
  const float whole = shifted - 12582912.0f;
  const float rest = (x - whole * 0.693359375f) - whole * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * rest + 1.3981999507e-3f;
  p = p * rest + 8.3334519073e-3f;
  p = p * rest + 4.1665795894e-2f;
  p = p * rest + 1.6666665459e-1f;
  p = p * rest + 5.0000001201e-1f;
  const float value = (p * (rest * rest) + rest) + 1.0f;
  const uint32_t exponent = (bits_of_float(shifted) - 0x4b400000u + 127u) << 23;
  return x < -87.0f ? 0.0f : value * float_of_bits(exponent);
}
inline double exp_below_zero(double x) { return std::exp(x); }

// The built-in functions: std::sqrt, compiled without the options above, would stay a call.
inline float root(float x) { return __builtin_sqrtf(x); }
inline double root(double x) { return __builtin_sqrt(x); }

}  // namespace
}  // namespace vision_native
