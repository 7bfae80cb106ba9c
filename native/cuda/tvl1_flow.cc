// TV-L1 flow on CUDA: memory and order of launches. The kernels are in the .cu files, which know neither ATen nor c10.
#include "torch/ops/tvl1_flow.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <c10/cuda/CUDAStream.h>

#include "cuda/launch.cuh"
#include "cuda/tvl1_flow.h"

namespace vision_native {

namespace {

// Inner iterations between two tests of the error where the caller leaves it open. Four keep two thirds of a tile.
constexpr int64_t kUsualBlock = 4;
// Memory that a batch may take: pyramids and solver state of its pairs.
constexpr int64_t kBatchBytes = int64_t{2} << 30;
constexpr int64_t kMostPairs = 4096;

cudaStream_t stream() { return c10::cuda::getCurrentCUDAStream().stream(); }
Tvl1Size size_of(const at::Tensor& images) { return {images.size(-2), images.size(-1)}; }

int64_t block_of(const Tvl1Params& params) { return params.block_size > 0 ? params.block_size : kUsualBlock; }

/// Device memory of a batch, and the launches of one warp.
class Batch {
 public:
  Batch(int64_t pairs, Tvl1Size largest, const Tvl1Params& params, const at::TensorOptions& device) : params_(params) {
    const auto floats = device.dtype(at::kFloat);
    const int64_t unknowns = params.unknowns();
    block_ = block_of(params);
    launch_block_ = std::min(block_, cuda::largest_block(static_cast<int>(unknowns)));
    const int64_t tiles = cuda::tiles_of(largest, static_cast<int>(unknowns), launch_block_);
    u_ = at::empty({2, pairs, unknowns, largest.area()}, floats);
    p_ = at::empty({2, pairs, 2 * unknowns, largest.area()}, floats);
    data_ = at::empty({pairs, 3, largest.area()}, floats);
    gradient_ = at::empty({pairs, 2, largest.area()}, floats);
    flags_ = at::zeros({4, pairs}, device.dtype(at::kInt));
    sums_ = at::empty({pairs, tiles + 1}, device.dtype(at::kDouble));
    int32_t* flags = flags_.mutable_data_ptr<int32_t>();
    work = {u_.mutable_data_ptr<float>(),
            p_.mutable_data_ptr<float>(),
            data_.mutable_data_ptr<float>(),
            gradient_.const_data_ptr<float>(),
            largest.area(),
            flags,
            flags + pairs,
            flags + 2 * pairs,
            reinterpret_cast<uint32_t*>(flags + 3 * pairs),
            sums_.mutable_data_ptr<double>() + pairs,
            tiles,
            sums_.mutable_data_ptr<double>(),
            nullptr,
            nullptr,
            0,
            pairs,
            static_cast<int>(unknowns)};
  }

  /// Slot 0 of the flow or the dual field at a level, as a tensor.
  at::Tensor flow_slot(Tvl1Size size, int64_t slot = 0) const { return view(u_, size, params_.unknowns(), slot); }
  at::Tensor dual_slot(Tvl1Size size, int64_t slot = 0) const { return view(p_, size, 2 * params_.unknowns(), slot); }
  at::Tensor data_at(Tvl1Size size) const {
    return data_.view({-1}).narrow(0, 0, work.pairs * 3 * size.area()).view({work.pairs, 3, size.height, size.width});
  }
  float* gradient() const { return gradient_.mutable_data_ptr<float>(); }
  at::Tensor errors_copy() const { return sums_.view({-1}).narrow(0, 0, work.pairs).clone(); }

  /// `count` inner iterations of the pairs that still run, and the test of their error.
  void advance(Tvl1Size size, int64_t count, double limit) const {
    for (int64_t made = 0; made < count;) {
      const int64_t now = std::min(launch_block_, count - made);
      made += now;
      cuda::launch_iterate(work, size, params_.step, now, made == count, limit, stream());
    }
  }

  /// Launches of `advance`, each of which changes the slot.
  int64_t launches(int64_t count) const { return (count + launch_block_ - 1) / launch_block_; }

  /// One warp with all its iterations. Nothing comes back to the host: pairs that are done skip what is launched.
  void relax(Tvl1Size size) const {
    const double limit = params_.epsilon * params_.epsilon * static_cast<double>(size.area());
    for (int64_t outer = 0; outer < params_.outer_iterations; ++outer) {
      if (params_.median_filter) cuda::launch_median_flow(work, size, stream());
      for (int64_t inner = 0; inner < params_.inner_iterations; inner += block_) {
        advance(size, std::min(block_, params_.inner_iterations - inner), limit);
      }
    }
  }

  cuda::Tvl1Workspace work;

 private:
  at::Tensor view(const at::Tensor& slots, Tvl1Size size, int64_t planes, int64_t slot) const {
    return slots.as_strided({work.pairs, planes, size.height, size.width}, {planes * work.slot_area, size.area(), size.width, 1},
                            slot * work.pairs * planes * work.slot_area);
  }

  const Tvl1Params& params_;
  int64_t block_, launch_block_;
  at::Tensor u_, p_, data_, gradient_, flags_, sums_;
};

class CudaBackend final : public Tvl1Backend {
 public:
  int64_t pairs_at_once(const Tvl1Params& params) const override {
    int64_t pyramid = 0;
    for (const Tvl1Size& size : params.levels) pyramid += 2 * size.area();
    const int64_t state = (6 * params.unknowns() + 5) * params.levels.front().area();
    const int64_t bytes = (pyramid + state) * static_cast<int64_t>(sizeof(float));
    return std::clamp<int64_t>(kBatchBytes / bytes, 1, kMostPairs);
  }

  at::Tensor smooth(const at::Tensor& images, const Tvl1Gaussian& kernel) const override {
    const at::Tensor scratch = at::empty_like(images);
    at::Tensor out = at::empty_like(images);
    cuda::launch_smooth(images.const_data_ptr<float>(), scratch.mutable_data_ptr<float>(), out.mutable_data_ptr<float>(),
                        images.size(0), size_of(images), kernel, stream());
    return out;
  }

  at::Tensor shrink(const at::Tensor& images, Tvl1Size size, const Tvl1Params& params) const override {
    at::Tensor out = at::empty({images.size(0), size.height, size.width}, images.options());
    cuda::launch_shrink(images.const_data_ptr<float>(), size_of(images), out.mutable_data_ptr<float>(), size, images.size(0),
                        params.pyramid, params.scale_factor, params.sampling.a, stream());
    return out;
  }

  at::Tensor enlarge(const at::Tensor& images, Tvl1Size size, float factor, const Tvl1Params& params) const override {
    at::Tensor out = at::empty({images.size(0), size.height, size.width}, images.options());
    cuda::launch_enlarge(images.const_data_ptr<float>(), size_of(images), out.mutable_data_ptr<float>(), size,
                         images.size(0), factor, params.pyramid, params.sampling.a, stream());
    return out;
  }

  void solve(const Tvl1Problem& problem, const Tvl1Params& params) const override {
    const int64_t pairs = problem.flow.size(0);
    const int64_t levels = static_cast<int64_t>(params.levels.size());
    Batch batch(pairs, params.levels.front(), params, problem.flow.options());
    cuda::Tvl1Workspace& work = batch.work;
    work.stat_stride = levels * params.warps;

    batch.flow_slot(params.levels.back()).zero_();
    if (problem.init.defined()) batch.flow_slot(params.levels.back()).narrow(1, 0, 2).copy_(problem.init);
    for (int64_t level = levels - 1; level >= 0; --level) {
      const Tvl1Size size = params.levels[level];
      const float* first = problem.first[level].const_data_ptr<float>();
      const float* second = problem.second[level].const_data_ptr<float>();
      cuda::launch_begin_level(work, size, level < levels - 1, stream());
      cuda::launch_image_gradient(second, batch.gradient(), pairs, size, stream());
      for (int64_t warp = 0; warp < params.warps; ++warp) {
        work.iterations = problem.iterations.mutable_data_ptr<int32_t>() + level * params.warps + warp;
        work.residuals = problem.residuals.mutable_data_ptr<float>() + level * params.warps + warp;
        cuda::launch_warp(work, first, second, size, params.sampling, stream());
        batch.relax(size);
      }
      if (level > 0) {
        cuda::launch_enlarge_flow(work, size, params.levels[level - 1], static_cast<float>(1.0 / params.scale_factor),
                                  params.pyramid, params.sampling.a, stream());
      }
      finish_level(problem, (levels - level) * pairs);
    }
    cuda::launch_collect(work, params.levels.front(), problem.flow.mutable_data_ptr<float>(), stream());
  }

  at::Tensor gradient(const at::Tensor& field) const override {
    const Tvl1Size size = size_of(field);
    at::Tensor out = at::empty({2, field.size(0), size.height, size.width}, field.options());
    cuda::launch_gradient(field.const_data_ptr<float>(), out.mutable_data_ptr<float>(), field.size(0), size, stream());
    return out;
  }

  at::Tensor divergence(const at::Tensor& px, const at::Tensor& py) const override {
    at::Tensor out = at::empty_like(px);
    cuda::launch_divergence(px.const_data_ptr<float>(), py.const_data_ptr<float>(), out.mutable_data_ptr<float>(),
                            px.size(0), size_of(px), stream());
    return out;
  }

  at::Tensor threshold(const at::Tensor& rho, const at::Tensor& ix, const at::Tensor& iy,
                       const Tvl1Step& step) const override {
    at::Tensor out = at::empty_like(rho);
    cuda::launch_threshold(rho.const_data_ptr<float>(), ix.const_data_ptr<float>(), iy.const_data_ptr<float>(),
                           out.mutable_data_ptr<float>(), rho.numel(), step, stream());
    return out;
  }

  at::Tensor median(const at::Tensor& images) const override {
    at::Tensor out = at::empty_like(images);
    cuda::launch_median(images.const_data_ptr<float>(), out.mutable_data_ptr<float>(), images.size(0), size_of(images),
                        stream());
    return out;
  }

  at::Tensor warp(const at::Tensor& first, const at::Tensor& second, const at::Tensor& flow,
                  const Tvl1Params& params) const override {
    const Tvl1Size size = size_of(first);
    const int64_t pairs = first.size(0);
    if (pairs == 0) return at::empty({0, 3, size.height, size.width}, first.options());
    Batch batch(pairs, size, params, first.options());
    const at::Tensor stats = at::zeros({2, pairs}, first.options());
    batch.work.iterations = reinterpret_cast<int32_t*>(stats.mutable_data_ptr<float>());
    batch.work.stat_stride = 1;
    batch.flow_slot(size).copy_(flow);
    cuda::launch_image_gradient(second.const_data_ptr<float>(), batch.gradient(), pairs, size, stream());
    cuda::launch_warp(batch.work, first.const_data_ptr<float>(), second.const_data_ptr<float>(), size, params.sampling,
                      stream());
    return batch.data_at(size).clone();
  }

  at::Tensor iterate(at::Tensor& state, const at::Tensor& data, int64_t iterations,
                     const Tvl1Params& params) const override {
    const Tvl1Size size = size_of(data);
    const int64_t pairs = data.size(0);
    const int64_t unknowns = params.unknowns();
    if (pairs == 0) return at::empty({0}, data.options().dtype(at::kDouble));
    Batch batch(pairs, size, params, data.options());
    const at::Tensor residuals = at::zeros({pairs}, data.options());
    const at::Tensor counts = at::zeros({pairs}, data.options().dtype(at::kInt));
    batch.work.iterations = counts.mutable_data_ptr<int32_t>();
    batch.work.residuals = residuals.mutable_data_ptr<float>();
    batch.work.stat_stride = 1;
    batch.flow_slot(size).copy_(state.narrow(1, 0, unknowns));
    batch.dual_slot(size).copy_(state.narrow(1, unknowns, 2 * unknowns));
    batch.data_at(size).copy_(data);
    batch.advance(size, iterations, -1.0);  // no error is below this limit
    const int64_t slot = batch.launches(iterations) % 2;
    state.narrow(1, 0, unknowns).copy_(batch.flow_slot(size, slot));
    state.narrow(1, unknowns, 2 * unknowns).copy_(batch.dual_slot(size, slot));
    return batch.errors_copy();
  }

 private:
  /// Progress and cancelling need the device to have caught up; without a listener nothing waits, nor while the launches
  /// are captured in a graph, where nothing runs. A graph of the whole solve is the caller's to capture: which levels and
  /// iterations there are follows from the sizes and the options, and whether a pair still runs is known on the device.
  static void finish_level(const Tvl1Problem& problem, int64_t done) {
    if (current_run_context() == nullptr) return;
    cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
    cuda::check_cuda(cudaStreamIsCapturing(stream(), &capture), "asking whether a stream is captured");
    if (capture != cudaStreamCaptureStatusNone) return;
    cuda::check_cuda(cudaStreamSynchronize(stream()), "waiting for a level of TV-L1");
    check_cancelled();
    report_progress("tvl1", problem.levels_before + done, problem.levels_total);
  }
};

const CudaBackend backend;
const bool registered = (register_tvl1_backend(c10::DeviceType::CUDA, &backend), true);

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CUDA, library) { implement_tvl1_ops(library); }

}  // namespace vision_native
