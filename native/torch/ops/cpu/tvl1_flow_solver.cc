#include "torch/ops/cpu/tvl1_flow_solver.h"

#include <ATen/ops/empty.h>

#include <cmath>
#include <limits>

#include "torch/cpu_isa.h"
#include "torch/ops/cpu/tvl1_flow_wave.h"

namespace vision_native {

namespace {

constexpr int64_t kLine = 16;  // floats in a cache line

/// A group of zeros and whole groups; an odd number of cache lines, so that planes do not compete for the same sets.
int64_t pitch_of(int64_t width) {
  const int64_t groups = 1 + (width + kTvl1Group - 1) / kTvl1Group;
  return (groups | 1) * kTvl1Group;
}

float* aligned(const at::Tensor& memory) {
  float* base = memory.data_ptr<float>();
  return base + (kLine - reinterpret_cast<uintptr_t>(base) / sizeof(float) % kLine) % kLine;
}

int64_t rows_floats(Tvl1Size size, int64_t planes) { return kLine + (size.height + 1) * planes * pitch_of(size.width); }

}  // namespace

const Tvl1Rows& tvl1_rows() { return for_cpu_isa(kTvl1RowsScalar, kTvl1RowsAvx2, kTvl1RowsAvx512); }

Tvl1State::Tvl1State(Tvl1Size largest, int64_t unknowns) : unknowns(unknowns) {
  for (at::Tensor& memory : memory_) memory = at::empty({rows_floats(largest, 3 * unknowns)}, at::kFloat);
  data_memory_ = at::empty({rows_floats(largest, 4)}, at::kFloat);
  packed_ = at::empty({tvl1_packed_size(largest)}, at::kFloat);
  set_size(largest);
}

void Tvl1State::lay_out(Tvl1Size new_size) {
  size = new_size;
  pitch = pitch_of(size.width);
  for (int slot = 0; slot < 2; ++slot) slots_[slot] = aligned(memory_[slot]) + row_floats() + kTvl1Group;
  data_ = aligned(data_memory_) + kTvl1Group;
}

void Tvl1State::clear(int slot) {
  float* begin = slots_[slot] - row_floats() - kTvl1Group;
  std::fill(begin, begin + (size.height + 1) * row_floats(), 0.0f);
}

void Tvl1State::set_size(Tvl1Size new_size) {
  lay_out(new_size);
  clear(0);
  clear(1);
}

void Tvl1State::enlarge(Tvl1Call& call, Tvl1Size finer, const Tvl1Params& params) {
  const Tvl1Size coarser = size;
  Tvl1Plane<float> from[3];
  for (int64_t k = 0; k < unknowns; ++k) from[k] = plane(k);
  swap();
  lay_out(finer);
  clear(now_);
  for (int64_t k = 0; k < unknowns; ++k) {
    // The brightness change has no length and is not rescaled.
    const float factor = k < 2 ? static_cast<float>(1.0 / params.scale_factor) : 1.0f;
    tvl1_enlarge(call, {from[k].data, from[k].stride}, coarser, plane(k), finer, factor, params);
  }
  clear(1 - now_);
}

Tvl1PairSolver::Tvl1PairSolver(Tvl1Call& call, Tvl1State& state, const Tvl1Params& params)
    : call_(call), state_(state), params_(params), rows_(tvl1_rows()) {}

void Tvl1PairSolver::warp(Tvl1Plane<const float> first, const Tvl1Packed& second) {
  tvl1_for_rows(call_, state_.size.height, state_.size.width, [&](int64_t y) {
    const float* u = state_.now(y);
    rows_.warp({u, u + state_.pitch, first.at(y), state_.data(y), state_.pitch}, second, y, params_.sampling, params_.step);
  });
}

void Tvl1PairSolver::run(int64_t count) {
  const auto [height, width] = state_.size;
  if (rings_width_ != width) {
    rings_.clear();
    rings_width_ = width;
  }
  // A band is worth a thread when it has pixels enough, and rows enough for those that both its neighbours make too.
  const int64_t worth = std::min(height * width * count / kTvl1PixelsPerTask, height / (4 * count));
  const int64_t bands = at::in_parallel_region() ? 1 : std::clamp<int64_t>(worth, 1, at::get_num_threads());
  if (static_cast<int64_t>(rings_.size()) < bands) rings_.resize(bands);
  row_errors_.assign(count * height, 0.0);
  at::parallel_for(0, bands, 1, [&, height = height](int64_t begin, int64_t end) {
    for (int64_t band = begin; band < end; ++band) {
      if (rings_[band].empty()) rings_[band].assign(Tvl1Band::ring_floats(state_), 0.0f);
      const Tvl1Band rows(state_, rows_, params_.step, band * height / bands, (band + 1) * height / bands, count);
      rows.run(call_, rings_[band].data(), row_errors_.data());
    }
  });
  // Summed row by row, so that the stopping test does not depend on the bands.
  errors_.assign(count, 0.0);
  for (int64_t t = 0; t < count; ++t) {
    for (int64_t y = 0; y < height; ++y) errors_[t] += row_errors_[t * height + y];
  }
}

double Tvl1PairSolver::iterate(int64_t count) {
  for (int64_t now; count > 0; count -= now) {
    now = std::min(count, Tvl1Band::kDeepest);
    run(now);
    state_.swap();
  }
  return errors_.empty() ? 0.0 : errors_.back();
}

void Tvl1PairSolver::median() {
  const auto [height, width] = state_.size;
  tvl1_for_rows(call_, height, width, [&, height = height, width = width](int64_t y) {
    for (int k = 0; k < 2; ++k) {
      const float* rows[5];
      for (int i = 0; i < 5; ++i) rows[i] = state_.now(tvl1_clamp(y + i - 2, height)) + k * state_.pitch;
      rows_.median(rows, state_.next(y) + k * state_.pitch, width);
    }
  });
  tvl1_for_rows(call_, height, width, [&, width = width](int64_t y) {
    for (int k = 0; k < 2; ++k) std::copy_n(state_.next(y) + k * state_.pitch, width, state_.now(y) + k * state_.pitch);
  });
}

int64_t Tvl1PairSolver::plan(int64_t left, double limit) const {
  int64_t count = Tvl1Band::kDeepest;
  if (history_.empty()) {
    // Warps at a level need fewer iterations than the one before, but seldom less than half.
    count = std::min(count, std::max<int64_t>(2, made_at_last_warp_ / 2));
  } else if (limit > 0.0 && history_.size() > 1) {
    // Errors fall about geometrically for a while, with some up and down over three iterations.
    const size_t steps = std::min<size_t>(3, history_.size() - 1);
    const double error = history_.back(), before = history_[history_.size() - 1 - steps];
    if (error < before) {
      const double expected = static_cast<double>(steps) * std::log(error / limit) / std::log(before / error);
      if (expected < static_cast<double>(count)) count = std::max<int64_t>(1, static_cast<int64_t>(expected));
    }
  }
  return std::min(count, left);
}

std::pair<int32_t, float> Tvl1PairSolver::relax() {
  const double area = static_cast<double>(state_.size.area());
  const double limit = params_.epsilon * params_.epsilon * area;
  double error = std::numeric_limits<double>::infinity();
  int32_t made = 0;
  history_.clear();
  for (int64_t outer = 0; outer < params_.outer_iterations && error > limit; ++outer) {
    if (params_.median_filter) median();
    for (int64_t inner = 0; inner < params_.inner_iterations && error > limit;) {
      const int64_t left = params_.inner_iterations - inner;
      int64_t count;
      if (params_.block_size > 1) {
        count = std::min(params_.block_size, left);
        error = iterate(count);
      } else {
        // Each iteration's error is known only when the pass is over. When one before the last was small enough, the pass
        // is made again up to that one, from the state that it has left as it was.
        count = plan(left, limit);
        run(count);
        int64_t wanted = 1;
        while (wanted < count && errors_[wanted - 1] > limit) ++wanted;
        history_.insert(history_.end(), errors_.begin(), errors_.begin() + wanted);
        error = history_.back();
        if (wanted < count) run(count = wanted);
        state_.swap();
      }
      inner += count;
      made += static_cast<int32_t>(count);
    }
  }
  made_at_last_warp_ = made;
  return {made, static_cast<float>(error / area)};
}

}  // namespace vision_native
