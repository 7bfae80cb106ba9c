#pragma once
// The solver of one pair on the CPU.
#include <vector>

#include "torch/ops/cpu/tvl1_flow_images.h"
#include "torch/ops/cpu/tvl1_flow_rows.h"

namespace vision_native {

/// What the solver knows of a pair at one level: the state before and after a run of iterations, and the data term. Rows
/// are laid out as `Tvl1WaveRow` says, begin at a cache line, and have a row of zeros above the first.
class Tvl1State {
 public:
  /// Room for images up to `size`.
  Tvl1State(Tvl1Size size, int64_t unknowns);

  /// Lays out an empty state for a level.
  void set_size(Tvl1Size size);
  /// Lays out a finer level, with the flow of the present one resized and an empty dual field.
  void enlarge(Tvl1Call& call, Tvl1Size finer, const Tvl1Params& params);
  void swap() { now_ = 1 - now_; }

  const int64_t unknowns;
  Tvl1Size size;
  int64_t pitch;
  int64_t row_floats() const { return 3 * unknowns * pitch; }
  float* now(int64_t y) const { return slots_[now_] + y * row_floats(); }
  float* next(int64_t y) const { return slots_[1 - now_] + y * row_floats(); }
  float* data(int64_t y) const { return data_ + y * 4 * pitch; }
  /// One plane of the state.
  Tvl1Plane<float> plane(int64_t index) const { return {now(0) + index * pitch, row_floats()}; }
  Tvl1Plane<float> data_plane(int64_t index) const { return {data(0) + index * pitch, 4 * pitch}; }
  /// Room for a packed image.
  float* packed() const { return packed_.data_ptr<float>(); }

 private:
  void lay_out(Tvl1Size size);
  void clear(int slot);

  at::Tensor memory_[2], data_memory_, packed_;
  float* slots_[2] = {};
  float* data_ = nullptr;
  int now_ = 0;
};

/// Runs the solver's steps on a state. Loops over rows use LibTorch's threads unless the caller is one of them.
class Tvl1PairSolver {
 public:
  Tvl1PairSolver(Tvl1Call& call, Tvl1State& state, const Tvl1Params& params);

  /// Linearises the data term at the current flow.
  void warp(Tvl1Plane<const float> first, const Tvl1Packed& second);
  /// Inner iterations; returns Σ|Δu|² of the last.
  double iterate(int64_t count);
  /// Replaces u and v by their 5×5 medians.
  void median();
  /// Iterates at one warp until the error is small; returns the iterations made and the last mean |Δu|².
  std::pair<int32_t, float> relax();

 private:
  /// Makes `count` iterations from the present state to the next one, which becomes the present one only with `swap`.
  /// `errors_` has the error of each.
  void run(int64_t count);
  /// Iterations to make at once, with `left` allowed and an error of `limit` wanted.
  int64_t plan(int64_t left, double limit) const;

  Tvl1Call& call_;
  Tvl1State& state_;
  const Tvl1Params& params_;
  const Tvl1Rows& rows_;
  std::vector<double> row_errors_, errors_;
  std::vector<double> history_;            ///< errors of this warp
  std::vector<std::vector<float>> rings_;  ///< of each band
  int64_t rings_width_ = 0;                ///< of the images that the rings are laid out for
  int64_t made_at_last_warp_ = 0;
};

}  // namespace vision_native
