#include "torch/ops/cpu/tvl1_flow_solver.h"

#include <ATen/ops/empty.h>

#include <cstring>
#include <limits>

#include "torch/cpu_isa.h"

namespace vision_native {

namespace {

constexpr int64_t kAlign = 16;  // floats in a cache line

int64_t row_stride(int64_t width) {
  // One line to the left for the ghost column, and at least one element to the right.
  return kAlign + (width + 1 + kAlign - 1) / kAlign * kAlign;
}

int64_t plane_size(Tvl1Size size) { return (size.height + 1) * row_stride(size.width); }

}  // namespace

const Tvl1Rows& tvl1_rows() { return for_cpu_isa(kTvl1RowsScalar, kTvl1RowsAvx2); }

Tvl1State::Tvl1State(Tvl1Size largest, int64_t unknowns) : unknowns(unknowns), plane_capacity_(plane_size(largest)) {
  memory_ = at::empty({(5 + 4 * unknowns) * plane_capacity_ + kAlign}, at::kFloat);
  set_size(largest);
}

Tvl1Plane<float> Tvl1State::plane(int index) const {
  float* base = memory_.data_ptr<float>();
  base += (kAlign - reinterpret_cast<uintptr_t>(base) / sizeof(float) % kAlign) % kAlign;
  return {base + index * plane_capacity_ + kAlign, row_stride(size.width)};
}

void Tvl1State::set_size(Tvl1Size new_size) {
  size = new_size;
  gradient_x = plane(0);
  gradient_y = plane(1);
  ix = plane(2);
  iy = plane(3);
  rho_c = plane(4);
  for (int k = 0; k < unknowns; ++k) {
    u[k] = plane(5 + 4 * k);
    spare[k] = plane(6 + 4 * k);
    px[k] = plane(7 + 4 * k);
    py[k] = plane(8 + 4 * k);
  }
}

void Tvl1State::clear_dual() {
  for (int k = 0; k < unknowns; ++k) {
    for (const Tvl1Plane<float>& p : {px[k], py[k]}) {
      std::memset(p.data - kAlign, 0, size.height * p.stride * sizeof(float));
    }
  }
}

Tvl1PairSolver::Tvl1PairSolver(Tvl1Call& call, Tvl1State& state, const Tvl1Params& params)
    : call_(call), state_(state), params_(params), rows_(tvl1_rows()) {}

void Tvl1PairSolver::warp(Tvl1Plane<const float> first, Tvl1Plane<const float> second) {
  const Tvl1WarpSource source{first.data,           second.data,   state_.gradient_x.data,
                              state_.gradient_y.data, second.stride, state_.gradient_x.stride,
                              state_.size};
  tvl1_for_rows(call_, state_.size.height, state_.size.width, [&](int64_t y) {
    rows_.warp({state_.u[0].at(y), state_.u[1].at(y), state_.ix.at(y), state_.iy.at(y), state_.rho_c.at(y)}, source, y,
               params_.sampling);
  });
}

void Tvl1PairSolver::dual_row(int64_t y) {
  Tvl1DualRow row{};
  const int64_t below = std::min(y + 1, state_.size.height - 1);
  for (int k = 0; k < state_.unknowns; ++k) {
    row.u[k] = state_.u[k].at(y);
    row.u_below[k] = state_.u[k].at(below);
    row.px[k] = state_.px[k].at(y);
    row.py[k] = state_.py[k].at(y);
  }
  rows_.dual(row, state_.size.width, params_.step);
}

double Tvl1PairSolver::iterate() {
  const auto [height, width] = state_.size;
  row_errors_.resize(height);
  deferred_.resize(height);
  zeros_.resize(width);
  std::atomic<int64_t> deferred_count{0};

  // One pass over memory: the dual row y − 1 follows the primal row y, which still needed its old value. The last dual
  // row of a band waits until all bands are done: it needs the primal row below, which belongs to the next band, and
  // that band needs its old value.
  at::parallel_for(0, height, tvl1_grain(width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      call_.poll();
      Tvl1PrimalRow row{};
      row.ix = state_.ix.at(y);
      row.iy = state_.iy.at(y);
      row.rho_c = state_.rho_c.at(y);
      for (int k = 0; k < state_.unknowns; ++k) {
        row.u[k] = state_.u[k].at(y);
        row.px[k] = state_.px[k].at(y);
        row.py[k] = state_.py[k].at(y);
        row.py_above[k] = y > 0 ? state_.py[k].at(y - 1) : zeros_.data();
      }
      row_errors_[y] = rows_.primal(row, width, params_.step);
      if (y > begin) dual_row(y - 1);
    }
    deferred_[deferred_count++] = end - 1;
  });
  for (int64_t i = 0; i < deferred_count; ++i) dual_row(deferred_[i]);

  // Summed row by row, so that the stopping test does not depend on the bands.
  double error = 0.0;
  for (int64_t y = 0; y < height; ++y) error += row_errors_[y];
  return error;
}

void Tvl1PairSolver::median() {
  const auto [height, width] = state_.size;
  for (int k = 0; k < 2; ++k) {
    tvl1_for_rows(call_, height, width, [&, height = height, width = width](int64_t y) {
      const float* rows[5];
      for (int i = 0; i < 5; ++i) rows[i] = state_.u[k].at(tvl1_clamp(y + i - 2, height));
      rows_.median(rows, state_.spare[k].at(y), width);
    });
    std::swap(state_.u[k], state_.spare[k]);
  }
}

std::pair<int32_t, float> Tvl1PairSolver::relax() {
  const int64_t block = std::max<int64_t>(1, params_.block_size);
  const double area = static_cast<double>(state_.size.area());
  const double limit = params_.epsilon * params_.epsilon * area;
  double error = std::numeric_limits<double>::infinity();
  int32_t made = 0;
  for (int64_t outer = 0; outer < params_.outer_iterations && error > limit; ++outer) {
    if (params_.median_filter) median();
    for (int64_t inner = 0; inner < params_.inner_iterations && error > limit;) {
      const int64_t end = std::min(inner + block, params_.inner_iterations);
      for (; inner < end; ++inner, ++made) error = iterate();
    }
  }
  return {made, static_cast<float>(error / area)};
}

void Tvl1PairSolver::enlarge(Tvl1Size finer) {
  const Tvl1Size coarser = state_.size;
  const std::array<Tvl1Plane<float>, 3> from = state_.u;
  state_.set_size(finer);
  // Median steps may have left the flow in either half; the enlarged flow goes to the other.
  for (int k = 0; k < state_.unknowns; ++k) {
    const int64_t ghost = from[k].data == state_.u[k].data ? 1 : 0;
    if (ghost) std::swap(state_.u[k], state_.spare[k]);
    const float factor = k < 2 ? static_cast<float>(1.0 / params_.scale_factor) : 1.0f;
    tvl1_enlarge(call_, {from[k].data, from[k].stride}, coarser, state_.u[k], finer, factor, params_);
  }
}

}  // namespace vision_native
