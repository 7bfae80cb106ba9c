#pragma once
// Row functions of the CPU solver: the loops that take the time, compiled once for each instruction set.
//
// A plane row may be read one element to the left (index −1) and one to the right (index width): the solver keeps ghost
// columns there, so no loop has a branch for the border.
#include <cstdint>

#include "torch/ops/tvl1_flow_params.h"

namespace vision_native {

/// One row of the primal step. `u` is replaced; `p` is the dual field of the last iteration.
struct Tvl1PrimalRow {
  const float* ix;
  const float* iy;
  const float* rho_c;
  float* u[3];
  const float* px[3];
  const float* py[3];
  const float* py_above[3];
};

/// One row of the dual step. In the last row of the image `u_below` is `u`, which makes the difference 0 there.
struct Tvl1DualRow {
  const float* u[3];
  const float* u_below[3];
  float* px[3];
  float* py[3];
};

/// One row of the warp.
struct Tvl1WarpRow {
  const float* u;
  const float* v;
  float* ix;
  float* iy;
  float* rho_c;
};

struct Tvl1WarpSource;

struct Tvl1Rows {
  /// Returns Σ|Δu|² of the row; also renews the right ghost column of `u`.
  double (*primal)(const Tvl1PrimalRow& row, int64_t width, const Tvl1Step& step);
  void (*dual)(const Tvl1DualRow& row, int64_t width, const Tvl1Step& step);
  void (*warp)(const Tvl1WarpRow& row, const Tvl1WarpSource& source, int64_t y, const Tvl1Sampling& how);
  /// 5×5 median; `rows` are the five rows around the output row.
  void (*median)(const float* const rows[5], float* out, int64_t width);
};

extern const Tvl1Rows kTvl1RowsScalar;
extern const Tvl1Rows kTvl1RowsAvx2;

/// The row functions for `cpu_isa()`.
const Tvl1Rows& tvl1_rows();

}  // namespace vision_native
