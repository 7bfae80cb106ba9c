#pragma once
// The solver of one pair on the CPU.
#include <array>

#include "torch/ops/cpu/tvl1_flow_images.h"
#include "torch/ops/cpu/tvl1_flow_rows.h"

namespace vision_native {

/// Planes of a pair at one level. Rows are 64-byte aligned and have ghost columns: the left one of the dual planes
/// stays 0, the right one of `u` repeats the last column.
class Tvl1State {
 public:
  /// Planes for images up to `size`.
  Tvl1State(Tvl1Size size, int64_t unknowns);

  /// Lays the planes out for a level and makes flow and dual field 0. Flow is kept in `spare` planes, see `enlarge`.
  void set_size(Tvl1Size size);
  void clear_dual();

  Tvl1Size size;
  int64_t unknowns;
  Tvl1Plane<float> gradient_x, gradient_y;  ///< of the second image
  Tvl1Plane<float> ix, iy, rho_c;           ///< data term at the last warp
  std::array<Tvl1Plane<float>, 3> u;
  std::array<Tvl1Plane<float>, 3> px, py;
  std::array<Tvl1Plane<float>, 3> spare;  ///< the other half of `u` when a step cannot work in place

 private:
  Tvl1Plane<float> plane(int index) const;
  at::Tensor memory_;
  int64_t plane_capacity_;
};

/// Runs the solver's steps on a state. Loops over rows use LibTorch's threads unless the caller is one of them.
class Tvl1PairSolver {
 public:
  Tvl1PairSolver(Tvl1Call& call, Tvl1State& state, const Tvl1Params& params);

  /// Linearises the data term at the current flow.
  void warp(Tvl1Plane<const float> first, Tvl1Plane<const float> second);
  /// One inner iteration, in place; returns Σ|Δu|².
  double iterate();
  /// Replaces u and v by their 5×5 medians.
  void median();
  /// Iterates at one warp until the error is small; returns the iterations made and the last mean |Δu|².
  std::pair<int32_t, float> relax();
  /// Moves to a finer level with the flow resized.
  void enlarge(Tvl1Size finer);

 private:
  void dual_row(int64_t y);

  Tvl1Call& call_;
  Tvl1State& state_;
  const Tvl1Params& params_;
  const Tvl1Rows& rows_;
  std::vector<double> row_errors_;
  std::vector<int64_t> deferred_;
  std::vector<float> zeros_;
};

}  // namespace vision_native
