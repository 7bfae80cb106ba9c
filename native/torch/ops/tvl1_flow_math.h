#pragma once
// The arithmetic of TV-L1 flow at one pixel, written once for CPU and CUDA.
//
// Every expression has one order of evaluation, and both sides compile it without contraction to fused multiply-adds, so
// that a kernel's result does not depend on tiling, thread count or instruction set. Functions have internal linkage:
// the CPU rows are compiled once for each instruction set, and the linker must not merge those copies.
#include <cmath>
#include <cstdint>

#include "torch/ops/tvl1_flow_params.h"

#if defined(__CUDACC__)
#define TVL1_PIXEL static __host__ __device__ __forceinline__
#else
#define TVL1_PIXEL [[maybe_unused]] static inline __attribute__((always_inline))
#endif

namespace vision_native {

// ---- The data term ----------------------------------------------------------------------------------------------

/// ρ(u) = ρ_c + ∇I₁·u (+ γ·u₃), linearised at the flow of the last warp.
TVL1_PIXEL float tvl1_residual(float rho_c, float ix, float iy, float u, float v) { return rho_c + (ix * u + iy * v); }
TVL1_PIXEL float tvl1_residual(float rho_c, float ix, float iy, float u, float v, float gamma, float w) {
  return rho_c + ((ix * u + iy * v) + gamma * w);
}

/// −1/|∇I₁|²; 0 where the squared gradient is not above the floor.
TVL1_PIXEL float tvl1_inverse(float ix, float iy, float gradient_floor) {
  const float squared = ix * ix + iy * iy;
  // The division is made in every case, by 1 where it is not wanted, so that loops over it need no branch.
  const bool steep = squared > gradient_floor;
  const float inverse = -1.0f / (steep ? squared : 1.0f);
  return steep ? inverse : 0.0f;
}

/// The minimiser of λ|ρ(u + d)| + |d|²/2θ is d = s·∇I₁ (and s·γ for the brightness change); this is s.
/// `inverse` is that of `tvl1_inverse`: once a warp there is a division, and none in the iterations.
TVL1_PIXEL float tvl1_threshold(float rho, float ix, float iy, float inverse, float lambda_theta) {
  const float exact = rho * inverse;
  const float low = exact < -lambda_theta ? -lambda_theta : exact;
  const float limited = low > lambda_theta ? lambda_theta : low;
  const float limit = lambda_theta * (ix * ix + iy * iy);
  const float flat = rho < -limit ? lambda_theta : (rho > limit ? -lambda_theta : 0.0f);
  return inverse != 0.0f ? limited : flat;
}

// ---- Discrete operators -----------------------------------------------------------------------------------------

/// Backward difference of the dual field; the left and upper values are 0 outside the image.
TVL1_PIXEL float tvl1_divergence(float px, float px_left, float py, float py_above) {
  return (px - px_left) + (py - py_above);
}

/// Centred difference; at the border one of the two is the pixel itself.
TVL1_PIXEL float tvl1_centred(float before, float after) { return 0.5f * (after - before); }

/// 1/(1 + |g|) of a flow's gradient times τ/θ: the factor that keeps the dual vector inside the unit disc.
TVL1_PIXEL float tvl1_dual_scale(float gx, float gy) { return 1.0f / (1.0f + sqrtf(gx * gx + gy * gy)); }

// ---- Interpolation ----------------------------------------------------------------------------------------------

TVL1_PIXEL int64_t tvl1_clamp(int64_t i, int64_t size) { return i < 0 ? 0 : (i >= size ? size - 1 : i); }

/// Mirror without repeating the border pixel. Offsets never pass the far side: a shrunk level has 16 pixels or more.
TVL1_PIXEL int64_t tvl1_reflect(int64_t i, int64_t size) {
  const int64_t folded = i < 0 ? -i : i;
  return folded < size ? folded : 2 * (size - 1) - folded;
}

// Samples are summed in double and rounded once: transposed images then give transposed samples, and a level does not
// add rounding errors that the solver would amplify.

/// Weights of the taps at −1, 0, 1, 2 for a position `t` in [0, 1) after tap 0 (Keys' cubic with constant `a`).
TVL1_PIXEL void tvl1_cubic_weights(float t, float constant, double weights[4]) {
  const double a = static_cast<double>(constant);
  const double after = static_cast<double>(t);
  const double far = after + 1.0;
  const double near = 1.0 - after;
  weights[0] = ((a * far - 5.0 * a) * far + 8.0 * a) * far - 4.0 * a;
  weights[1] = ((a + 2.0) * after - (a + 3.0)) * after * after + 1.0;
  weights[2] = ((a + 2.0) * near - (a + 3.0)) * near * near + 1.0;
  weights[3] = ((1.0 - weights[0]) - weights[1]) - weights[2];
}

/// Columns are summed before rows: the four column sums are independent of one another.
TVL1_PIXEL double tvl1_cubic(const float* r0, const float* r1, const float* r2, const float* r3, const int64_t x[4],
                             const double wx[4], const double wy[4]) {
  double sum = 0.0;
  for (int i = 0; i < 4; ++i) {
    const int64_t c = x[i];
    sum += wx[i] * (((wy[0] * static_cast<double>(r0[c]) + wy[1] * static_cast<double>(r1[c])) +
                     wy[2] * static_cast<double>(r2[c])) +
                    wy[3] * static_cast<double>(r3[c]));
  }
  return sum;
}

/// (1 4 6 4 1)/16.
TVL1_PIXEL double tvl1_binomial(double a, double b, double c, double d, double e) {
  return ((a + e) + 4.0 * (b + d) + 6.0 * c) * 0.0625;
}

/// A tap position along one axis: the pixel at or before it, and how far behind that pixel it lies.
struct Tvl1Tap {
  int64_t index;
  float fraction;
};

/// Where pixel `i` of a resized axis lies on the source axis of `size` pixels: half-pixel centres, kept inside.
TVL1_PIXEL Tvl1Tap tvl1_half_pixel_tap(int64_t i, double step, int64_t size) {
  double position = (static_cast<double>(i) + 0.5) * step - 0.5;
  const double last = static_cast<double>(size - 1);
  position = position < 0.0 ? 0.0 : (position > last ? last : position);
  const double whole = floor(position);
  return {static_cast<int64_t>(whole), static_cast<float>(position - whole)};
}

/// As above with pixel 0 on pixel 0.
TVL1_PIXEL Tvl1Tap tvl1_corner_tap(int64_t i, double step, int64_t size) {
  double position = static_cast<double>(i) * step;
  const double last = static_cast<double>(size - 1);
  position = position > last ? last : position;
  const double whole = floor(position);
  return {static_cast<int64_t>(whole), static_cast<float>(position - whole)};
}

TVL1_PIXEL double tvl1_linear(double a, double b, double t) { return a + (b - a) * t; }

/// Bilinear value of an image; `x` and `y` are inside it.
TVL1_PIXEL float tvl1_bilinear(const float* image, int64_t stride, Tvl1Tap x, Tvl1Tap y, Tvl1Size size) {
  const int64_t x1 = tvl1_clamp(x.index + 1, size.width);
  const float* above = image + y.index * stride;
  const float* below = image + tvl1_clamp(y.index + 1, size.height) * stride;
  const double t = static_cast<double>(x.fraction);
  return static_cast<float>(tvl1_linear(tvl1_linear(above[x.index], above[x1], t), tvl1_linear(below[x.index], below[x1], t),
                                        static_cast<double>(y.fraction)));
}

/// Bicubic value of an image with replicated borders.
TVL1_PIXEL float tvl1_bicubic(const float* image, int64_t stride, Tvl1Tap x, Tvl1Tap y, Tvl1Size size, float a) {
  double wx[4], wy[4];
  tvl1_cubic_weights(x.fraction, a, wx);
  tvl1_cubic_weights(y.fraction, a, wy);
  const int64_t columns[4] = {tvl1_clamp(x.index - 1, size.width), x.index, tvl1_clamp(x.index + 1, size.width),
                              tvl1_clamp(x.index + 2, size.width)};
  return static_cast<float>(tvl1_cubic(image + tvl1_clamp(y.index - 1, size.height) * stride, image + y.index * stride,
                                       image + tvl1_clamp(y.index + 1, size.height) * stride,
                                       image + tvl1_clamp(y.index + 2, size.height) * stride, columns, wx, wy));
}

// ---- The warp ---------------------------------------------------------------------------------------------------

/// The data term of one pixel, linearised at the current flow.
struct Tvl1Data {
  float ix, iy, rho_c;
};

/// What the warp reads: one level of both images and the gradient of the second, all of one row stride.
struct Tvl1WarpSource {
  const float* first;
  const float* second;
  const float* second_x;
  const float* second_y;
  int64_t image_stride;
  int64_t gradient_stride;
  Tvl1Size size;
};

/// Samples the second image and its gradient at (x + u, y + v).
/// A target outside the image gives zeros, which switch the data term off there; with `zero_border` it is sampled as
/// OpenCV's remap does, from neighbours that are 0 outside.
TVL1_PIXEL Tvl1Data tvl1_warp(const Tvl1WarpSource& s, int64_t x, int64_t y, float u, float v, const Tvl1Sampling& how) {
  const float i0 = s.first[y * s.image_stride + x];
  float tx = static_cast<float>(x) + u;
  float ty = static_cast<float>(y) + v;
  if (how.coordinate_steps > 0) {
    const float steps = static_cast<float>(how.coordinate_steps);
    tx = rintf(tx * steps) / steps;
    ty = rintf(ty * steps) / steps;
  }
  // Two pixels beyond the border every tap is outside. The test comes before any conversion to an integer.
  const float reach = how.zero_border ? 2.0f : 0.0f;
  const float right = static_cast<float>(s.size.width - 1) + reach;
  const float bottom = static_cast<float>(s.size.height - 1) + reach;
  if (!(tx >= -reach && tx <= right && ty >= -reach && ty <= bottom)) return {0.0f, 0.0f, -i0};

  const float whole_x = floorf(tx);
  const float whole_y = floorf(ty);
  double wx[4], wy[4];
  tvl1_cubic_weights(tx - whole_x, how.a, wx);
  tvl1_cubic_weights(ty - whole_y, how.a, wy);
  const int64_t left = static_cast<int64_t>(whole_x) - 1;
  const int64_t top = static_cast<int64_t>(whole_y) - 1;
  int64_t columns[4], rows[4];
  for (int i = 0; i < 4; ++i) {
    columns[i] = tvl1_clamp(left + i, s.size.width);
    rows[i] = tvl1_clamp(top + i, s.size.height);
    if (how.zero_border) {
      if (columns[i] != left + i) wx[i] = 0.0;
      if (rows[i] != top + i) wy[i] = 0.0;
    }
  }
  const float* image = s.second;
  const int64_t p = s.image_stride;
  const double i1 = tvl1_cubic(image + rows[0] * p, image + rows[1] * p, image + rows[2] * p, image + rows[3] * p, columns, wx, wy);
  const float* gx = s.second_x;
  const float* gy = s.second_y;
  const int64_t q = s.gradient_stride;
  const double ix = tvl1_cubic(gx + rows[0] * q, gx + rows[1] * q, gx + rows[2] * q, gx + rows[3] * q, columns, wx, wy);
  const double iy = tvl1_cubic(gy + rows[0] * q, gy + rows[1] * q, gy + rows[2] * q, gy + rows[3] * q, columns, wx, wy);
  const double rho_c = (i1 - (ix * static_cast<double>(u) + iy * static_cast<double>(v))) - static_cast<double>(i0);
  return {static_cast<float>(ix), static_cast<float>(iy), static_cast<float>(rho_c)};
}

// ---- Median of 25 -----------------------------------------------------------------------------------------------

TVL1_PIXEL void tvl1_order(float& a, float& b) {
  const float low = a < b ? a : b;
  b = a < b ? b : a;
  a = low;
}

TVL1_PIXEL void tvl1_sort5(float& a, float& b, float& c, float& d, float& e) {
  tvl1_order(a, b);
  tvl1_order(d, e);
  tvl1_order(c, e);
  tvl1_order(c, d);
  tvl1_order(a, d);
  tvl1_order(a, c);
  tvl1_order(b, e);
  tvl1_order(b, d);
  tvl1_order(b, c);
}

/// Median of five sorted columns. `m[i][j]` is the i-th smallest of column j; the array is overwritten.
///
/// Once each rank is sorted across the columns too, m[i][j] has (i+1)(j+1)−1 values that are not above it and
/// (5−i)(5−j)−1 that are not below. The median has 12 of each, so only 13 places can hold it: six are too low, six too
/// high. The median of the 13 is found by dropping the lowest and the highest of a set that grows by one value a time.
TVL1_PIXEL float tvl1_median_of_columns(float m[5][5]) {
  for (int i = 0; i < 5; ++i) tvl1_sort5(m[i][0], m[i][1], m[i][2], m[i][3], m[i][4]);
  // The lowest of the 13 is one of a…d, the highest one of e…h: they are minimal and maximal in the known order.
  float a = m[0][3], b = m[1][2], c = m[2][1], d = m[3][0];
  float e = m[1][4], f = m[2][3], g = m[3][2], h = m[4][1];
  float k = m[0][4], l = m[1][3], n = m[2][2], o = m[3][1], q = m[4][0];
  // Lowest of {a,b,c,d} to a, highest of {e,f,g,h} to h; both are dropped. 11 values are left, the median is the 6th.
  tvl1_order(a, b);
  tvl1_order(c, d);
  tvl1_order(a, c);
  tvl1_order(e, f);
  tvl1_order(g, h);
  tvl1_order(f, h);
  // Of any 7 of the 11, the lowest has 6 above it and the highest 6 below: neither is the median.
  // 7 values b, c, d, e, f, g, k: lowest to b, highest to k.
  tvl1_order(b, k);
  tvl1_order(c, g);
  tvl1_order(d, f);
  tvl1_order(b, c);
  tvl1_order(b, d);
  tvl1_order(b, e);
  tvl1_order(e, k);
  tvl1_order(f, k);
  tvl1_order(g, k);
  // 6 values c, d, e, f, g, l: lowest to c, highest to l.
  tvl1_order(c, l);
  tvl1_order(d, g);
  tvl1_order(e, f);
  tvl1_order(c, d);
  tvl1_order(c, e);
  tvl1_order(f, l);
  tvl1_order(g, l);
  // 5 values d, e, f, g, n: lowest to d, highest to n.
  tvl1_order(d, n);
  tvl1_order(e, g);
  tvl1_order(d, e);
  tvl1_order(d, f);
  tvl1_order(f, n);
  tvl1_order(g, n);
  // 4 values e, f, g, o: lowest to e, highest to o.
  tvl1_order(e, o);
  tvl1_order(f, g);
  tvl1_order(e, f);
  tvl1_order(g, o);
  // 3 values f, g, q: the middle one.
  tvl1_order(f, g);
  tvl1_order(g, q);
  return f < g ? g : f;
}

}  // namespace vision_native
