#pragma once
// A pass over an image that makes several inner iterations at once.
#include "torch/ops/cpu/tvl1_flow_solver.h"

namespace vision_native {

/// Rows `begin` to `end` of an image, taken through `count` iterations by one thread.
///
/// Iteration t works on row y − t while iteration 0 works on row y, so that the rows in between stay in the cache: only
/// the first iteration reads the present state, and only the last writes the next one. What lies between is in a ring of
/// rows. Each iteration needs one row more on either side than the one after it; what two bands compute both is the same
/// in both. Wide images are done in tiles of columns, with a group of columns more on either side: what is wrong at its
/// edge comes nearer by one column with each iteration.
class Tvl1Band {
 public:
  /// Most iterations of a pass, less than the columns of a group.
  static constexpr int64_t kDeepest = 8;

  Tvl1Band(const Tvl1State& state, const Tvl1Rows& rows, const Tvl1Step& step, int64_t begin, int64_t end, int64_t count);

  /// Room for the ring, which has to be 0 when it is first used for a level.
  static int64_t ring_floats(const Tvl1State& state);

  /// Adds |Δu|² of row y in iteration t to `errors[t·height + y]`.
  void run(Tvl1Call& call, float* ring, double* errors) const;

 private:
  void run_tile(Tvl1Call& call, float* ring, double* errors, int64_t left, int64_t right) const;

  const Tvl1State& state_;
  const Tvl1Rows& rows_;
  const Tvl1Step& step_;
  int64_t begin_, end_, count_;
};

}  // namespace vision_native
