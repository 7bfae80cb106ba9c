// Body of the row functions; included by one file for each instruction set, which names the table it fills (TVL1_ROWS).
// Everything here has internal linkage, see tvl1_flow_math.h.
//
// GCC vectorises a loop with square roots, divisions and selects only when it may forget errno and traps. Neither
// changes a value, and the sums below have a fixed order, so all instruction sets give the same bits.
#pragma GCC optimize("no-math-errno", "no-trapping-math")
#include "torch/ops/tvl1_flow_math.h"

namespace vision_native {
namespace {

// Rows are worked on in pieces that stay in the first-level cache.
constexpr int64_t kPiece = 256;
// Lanes of the error sum: pixel x adds to lane x mod 8, whatever the width of the vector registers.
constexpr int64_t kLanes = 8;

template <bool illumination>
double primal_row(const Tvl1PrimalRow& row, int64_t width, const Tvl1Step& step) {
  constexpr int unknowns = illumination ? 3 : 2;
  double lanes[kLanes] = {};
  float squared[kPiece];
  for (int64_t start = 0; start < width; start += kPiece) {
    const int64_t count = width - start < kPiece ? width - start : kPiece;
    const float* __restrict ix = row.ix + start;
    const float* __restrict iy = row.iy + start;
    const float* __restrict rho_c = row.rho_c + start;
    float* __restrict u = row.u[0] + start;
    float* __restrict v = row.u[1] + start;
    float* __restrict w = illumination ? row.u[2] + start : nullptr;
    const float* px[3];
    const float* py[3];
    const float* above[3];
    for (int k = 0; k < unknowns; ++k) {
      px[k] = row.px[k] + start;
      py[k] = row.py[k] + start;
      above[k] = row.py_above[k] + start;
    }
    const float *p0 = px[0], *p1 = px[1], *p2 = illumination ? px[2] : nullptr;
    const float *q0 = py[0], *q1 = py[1], *q2 = illumination ? py[2] : nullptr;
    const float *a0 = above[0], *a1 = above[1], *a2 = illumination ? above[2] : nullptr;
    const Tvl1Step s = step;
#pragma GCC ivdep
    for (int64_t x = 0; x < count; ++x) {
      const float rho = illumination ? tvl1_residual(rho_c[x], ix[x], iy[x], u[x], v[x], s.gamma, w[x])
                                     : tvl1_residual(rho_c[x], ix[x], iy[x], u[x], v[x]);
      const float move = tvl1_threshold(rho, ix[x], iy[x], s.lambda_theta, s.gradient_floor);
      const float new_u = (u[x] + move * ix[x]) + s.theta * tvl1_divergence(p0[x], p0[x - 1], q0[x], a0[x]);
      const float new_v = (v[x] + move * iy[x]) + s.theta * tvl1_divergence(p1[x], p1[x - 1], q1[x], a1[x]);
      const float du = new_u - u[x];
      const float dv = new_v - v[x];
      u[x] = new_u;
      v[x] = new_v;
      if constexpr (illumination) {
        const float new_w = (w[x] + move * s.gamma) + s.theta * tvl1_divergence(p2[x], p2[x - 1], q2[x], a2[x]);
        const float dw = new_w - w[x];
        w[x] = new_w;
        squared[x] = (du * du + dv * dv) + dw * dw;
      } else {
        squared[x] = du * du + dv * dv;
      }
    }
    int64_t x = 0;
    for (; x + kLanes <= count; x += kLanes) {
      for (int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += static_cast<double>(squared[x + lane]);
    }
    for (; x < count; ++x) lanes[x % kLanes] += static_cast<double>(squared[x]);
  }
  for (int k = 0; k < unknowns; ++k) row.u[k][width] = row.u[k][width - 1];
  double sum = 0.0;
  for (double lane : lanes) sum += lane;
  return sum;
}

void dual_component(const float* __restrict u, const float* __restrict below, float* __restrict px, float* __restrict py,
                    int64_t width, float tau_over_theta) {
  for (int64_t x = 0; x < width; ++x) {
    const float dx = u[x + 1] - u[x];
    const float dy = below[x] - u[x];
    const float scale = tvl1_dual_scale(dx, dy, tau_over_theta);
    px[x] = tvl1_dual(px[x], dx, tau_over_theta, scale);
    py[x] = tvl1_dual(py[x], dy, tau_over_theta, scale);
  }
}

double primal(const Tvl1PrimalRow& row, int64_t width, const Tvl1Step& step) {
  return step.gamma != 0.0f ? primal_row<true>(row, width, step) : primal_row<false>(row, width, step);
}

void dual(const Tvl1DualRow& row, int64_t width, const Tvl1Step& step) {
  const int unknowns = step.gamma != 0.0f ? 3 : 2;
  for (int k = 0; k < unknowns; ++k) {
    dual_component(row.u[k], row.u_below[k], row.px[k], row.py[k], width, step.tau_over_theta);
  }
}

void warp(const Tvl1WarpRow& row, const Tvl1WarpSource& source, int64_t y, const Tvl1Sampling& how) {
  for (int64_t x = 0; x < source.size.width; ++x) {
    const Tvl1Data data = tvl1_warp(source, x, y, row.u[x], row.v[x], how);
    row.ix[x] = data.ix;
    row.iy[x] = data.iy;
    row.rho_c[x] = data.rho_c;
  }
}

void median(const float* const rows[5], float* out, int64_t width) {
  // Sorted columns of a piece and of two columns on either side; five neighbouring outputs share each of them.
  constexpr int64_t margin = 2;
  float sorted[5][kPiece + 2 * margin];
  for (int64_t start = 0; start < width; start += kPiece) {
    const int64_t count = width - start < kPiece ? width - start : kPiece;
    const int64_t begin = start - margin < 0 ? 0 : start - margin;
    const int64_t end = start + count + margin > width ? width : start + count + margin;
    const int64_t shift = begin - (start - margin);
    const float *r0 = rows[0] + begin, *r1 = rows[1] + begin, *r2 = rows[2] + begin, *r3 = rows[3] + begin,
                *r4 = rows[4] + begin;
#pragma GCC ivdep
    for (int64_t x = 0; x < end - begin; ++x) {
      float a = r0[x], b = r1[x], c = r2[x], d = r3[x], e = r4[x];
      tvl1_sort5(a, b, c, d, e);
      sorted[0][x + shift] = a;
      sorted[1][x + shift] = b;
      sorted[2][x + shift] = c;
      sorted[3][x + shift] = d;
      sorted[4][x + shift] = e;
    }
    for (int rank = 0; rank < 5; ++rank) {
      for (int64_t x = 0; x < shift; ++x) sorted[rank][x] = sorted[rank][shift];
      for (int64_t x = end - begin + shift; x < count + 2 * margin; ++x) sorted[rank][x] = sorted[rank][x - 1];
    }
    float* __restrict result = out + start;
#pragma GCC ivdep
    for (int64_t x = 0; x < count; ++x) {
      float m[5][5] = {{sorted[0][x], sorted[0][x + 1], sorted[0][x + 2], sorted[0][x + 3], sorted[0][x + 4]},
                       {sorted[1][x], sorted[1][x + 1], sorted[1][x + 2], sorted[1][x + 3], sorted[1][x + 4]},
                       {sorted[2][x], sorted[2][x + 1], sorted[2][x + 2], sorted[2][x + 3], sorted[2][x + 4]},
                       {sorted[3][x], sorted[3][x + 1], sorted[3][x + 2], sorted[3][x + 3], sorted[3][x + 4]},
                       {sorted[4][x], sorted[4][x + 1], sorted[4][x + 2], sorted[4][x + 3], sorted[4][x + 4]}};
      result[x] = tvl1_median_of_columns(m);
    }
  }
}

}  // namespace

const Tvl1Rows TVL1_ROWS = {primal, dual, warp, median};

}  // namespace vision_native
