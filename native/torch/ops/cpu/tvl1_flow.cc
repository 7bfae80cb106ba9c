// TV-L1 flow on the CPU.
#include "torch/ops/tvl1_flow.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include "torch/ops/cpu/tvl1_flow_solver.h"

namespace vision_native {

namespace {

Tvl1Size size_of(const at::Tensor& images) { return {images.size(-2), images.size(-1)}; }

Tvl1Plane<const float> plane(const at::Tensor& images, int64_t index) {
  const Tvl1Size size = size_of(images);
  return {images.const_data_ptr<float>() + index * size.area(), size.width};
}

Tvl1Plane<float> mutable_plane(const at::Tensor& images, int64_t index) {
  const Tvl1Size size = size_of(images);
  return {images.mutable_data_ptr<float>() + index * size.area(), size.width};
}

void copy(Tvl1Plane<const float> from, Tvl1Plane<float> to, Tvl1Size size) {
  for (int64_t y = 0; y < size.height; ++y) std::copy_n(from.at(y), size.width, to.at(y));
}

Tvl1Plane<const float> read_only(Tvl1Plane<float> plane) { return {plane.data, plane.stride}; }

/// Pairs on different threads when there are enough of them; otherwise one after the other, each using all threads.
template <class Body>
void for_images(int64_t count, Body body) {
  if (count < at::get_num_threads()) {
    for (int64_t i = 0; i < count; ++i) body(i);
    return;
  }
  at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(i);
  });
}

class CpuBackend final : public Tvl1Backend {
 public:
  int64_t pairs_at_once(const Tvl1Params&) const override { return 16 * at::get_num_threads(); }

  at::Tensor smooth(const at::Tensor& images, const Tvl1Gaussian& kernel) const override {
    Tvl1Call call;
    at::Tensor out = at::empty_like(images);
    for_images(images.size(0), [&](int64_t n) {
      tvl1_smooth(call, plane(images, n), mutable_plane(out, n), size_of(images), kernel);
    });
    return out;
  }

  at::Tensor shrink(const at::Tensor& images, Tvl1Size size, const Tvl1Params& params) const override {
    Tvl1Call call;
    at::Tensor out = at::empty({images.size(0), size.height, size.width}, images.options());
    for_images(images.size(0), [&](int64_t n) {
      tvl1_shrink(call, plane(images, n), size_of(images), mutable_plane(out, n), size, params);
    });
    return out;
  }

  at::Tensor enlarge(const at::Tensor& images, Tvl1Size size, float factor, const Tvl1Params& params) const override {
    Tvl1Call call;
    at::Tensor out = at::empty({images.size(0), size.height, size.width}, images.options());
    for_images(images.size(0), [&](int64_t n) {
      tvl1_enlarge(call, plane(images, n), size_of(images), mutable_plane(out, n), size, factor, params);
    });
    return out;
  }

  void solve(const Tvl1Problem& problem, const Tvl1Params& params) const override {
    Tvl1Call call;
    std::atomic<int64_t> levels_done{problem.levels_before};
    for_images(problem.flow.size(0), [&](int64_t n) { solve_pair(call, problem, params, n, levels_done); });
  }

  at::Tensor gradient(const at::Tensor& field) const override {
    const Tvl1Size size = size_of(field);
    at::Tensor out = at::empty({2, field.size(0), size.height, size.width}, field.options());
    for (int64_t n = 0; n < field.size(0); ++n) {
      const Tvl1Plane<const float> in = plane(field, n);
      for (int64_t y = 0; y < size.height; ++y) {
        const float* below = in.at(std::min(y + 1, size.height - 1));
        for (int64_t x = 0; x < size.width; ++x) {
          const float value = in.at(y)[x];
          mutable_plane(out[0], n).at(y)[x] = in.at(y)[std::min(x + 1, size.width - 1)] - value;
          mutable_plane(out[1], n).at(y)[x] = below[x] - value;
        }
      }
    }
    return out;
  }

  at::Tensor divergence(const at::Tensor& px, const at::Tensor& py) const override {
    const Tvl1Size size = size_of(px);
    at::Tensor out = at::empty_like(px);
    for (int64_t n = 0; n < px.size(0); ++n) {
      for (int64_t y = 0; y < size.height; ++y) {
        const float* rx = plane(px, n).at(y);
        const float* ry = plane(py, n).at(y);
        for (int64_t x = 0; x < size.width; ++x) {
          const float left = x > 0 ? rx[x - 1] : 0.0f;
          const float above = y > 0 ? ry[x - size.width] : 0.0f;
          mutable_plane(out, n).at(y)[x] = tvl1_divergence(rx[x], left, ry[x], above);
        }
      }
    }
    return out;
  }

  at::Tensor threshold(const at::Tensor& rho, const at::Tensor& ix, const at::Tensor& iy,
                       const Tvl1Step& step) const override {
    at::Tensor out = at::empty_like(rho);
    const float* r = rho.const_data_ptr<float>();
    const float* gx = ix.const_data_ptr<float>();
    const float* gy = iy.const_data_ptr<float>();
    float* s = out.mutable_data_ptr<float>();
    for (int64_t i = 0; i < rho.numel(); ++i) {
      const float inverse = tvl1_inverse(gx[i], gy[i], step.gradient_floor);
      s[i] = tvl1_threshold(r[i], gx[i], gy[i], inverse, step.lambda_theta);
    }
    return out;
  }

  at::Tensor median(const at::Tensor& images) const override {
    Tvl1Call call;
    at::Tensor out = at::empty_like(images);
    const Tvl1Size size = size_of(images);
    for (int64_t n = 0; n < images.size(0); ++n) {
      tvl1_for_rows(call, size.height, size.width, [&](int64_t y) {
        const float* rows[5];
        for (int i = 0; i < 5; ++i) rows[i] = plane(images, n).at(tvl1_clamp(y + i - 2, size.height));
        tvl1_rows().median(rows, mutable_plane(out, n).at(y), size.width);
      });
    }
    return out;
  }

  at::Tensor warp(const at::Tensor& first, const at::Tensor& second, const at::Tensor& flow,
                  const Tvl1Params& params) const override {
    Tvl1Call call;
    const Tvl1Size size = size_of(first);
    at::Tensor out = at::empty({first.size(0), 3, size.height, size.width}, first.options());
    Tvl1State state(size, params.unknowns());
    Tvl1PairSolver solver(call, state, params);
    for (int64_t n = 0; n < first.size(0); ++n) {
      load_flow(state, flow, n);
      const Tvl1Packed packed = tvl1_pack(call, plane(second, n), size, params.sampling.zero_border, state.packed());
      solver.warp(plane(first, n), packed);
      for (int64_t i = 0; i < 3; ++i) copy(read_only(state.data_plane(i)), mutable_plane(out, 3 * n + i), size);
    }
    return out;
  }

  at::Tensor iterate(at::Tensor& state_tensor, const at::Tensor& data, int64_t iterations,
                     const Tvl1Params& params) const override {
    Tvl1Call call;
    const Tvl1Size size = size_of(data);
    const int64_t unknowns = params.unknowns();
    at::Tensor errors = at::empty({data.size(0)}, at::kDouble);
    Tvl1State state(size, unknowns);
    Tvl1PairSolver solver(call, state, params);
    const int64_t planes = 3 * unknowns;
    for (int64_t n = 0; n < data.size(0); ++n) {
      for (int64_t i = 0; i < 3; ++i) copy(plane(data, 3 * n + i), state.data_plane(i), size);
      for (int64_t y = 0; y < size.height; ++y) tvl1_rows().inverse(state.data(y), state.pitch, size.width, params.step);
      for (int64_t i = 0; i < planes; ++i) copy(plane(state_tensor, planes * n + i), state.plane(i), size);
      const double error = solver.iterate(iterations);
      for (int64_t i = 0; i < planes; ++i) {
        copy(read_only(state.plane(i)), mutable_plane(state_tensor, planes * n + i), size);
      }
      errors.mutable_data_ptr<double>()[n] = error;
    }
    return errors;
  }

 private:
  static void load_flow(Tvl1State& state, const at::Tensor& flow, int64_t n) {
    for (int64_t k = 0; k < 2; ++k) copy(plane(flow, 2 * n + k), state.plane(k), state.size);
  }

  static void solve_pair(Tvl1Call& call, const Tvl1Problem& problem, const Tvl1Params& params, int64_t n,
                         std::atomic<int64_t>& levels_done) {
    const int64_t levels = static_cast<int64_t>(params.levels.size());
    Tvl1State state(params.levels.front(), params.unknowns());
    Tvl1PairSolver solver(call, state, params);
    state.set_size(params.levels.back());
    if (problem.init.defined()) load_flow(state, problem.init, n);
    for (int64_t level = levels - 1; level >= 0; --level) {
      const Tvl1Plane<const float> first = plane(problem.first[level], n);
      const Tvl1Packed second =
          tvl1_pack(call, plane(problem.second[level], n), state.size, params.sampling.zero_border, state.packed());
      for (int64_t warp = 0; warp < params.warps; ++warp) {
        solver.warp(first, second);
        const auto [made, residual] = solver.relax();
        const int64_t place = (n * levels + level) * params.warps + warp;
        problem.iterations.mutable_data_ptr<int32_t>()[place] = made;
        problem.residuals.mutable_data_ptr<float>()[place] = residual;
      }
      report_progress("tvl1", ++levels_done, problem.levels_total);
      if (level > 0) state.enlarge(call, params.levels[level - 1], params);
    }
    for (int64_t k = 0; k < 2; ++k) copy(read_only(state.plane(k)), mutable_plane(problem.flow, 2 * n + k), state.size);
  }
};

const CpuBackend backend;
const bool registered = (register_tvl1_backend(c10::DeviceType::CPU, &backend), true);

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CPU, library) { implement_tvl1_ops(library); }

}  // namespace vision_native
