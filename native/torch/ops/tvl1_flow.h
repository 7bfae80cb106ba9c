#pragma once
// TV-L1 optical flow: what a device has to offer so that the operators of tvl1_flow.cc run on it.
#include <ATen/core/Tensor.h>
#include <torch/library.h>

#include <vector>

#include "torch/ops/tvl1_flow_params.h"
#include "torch/run_context.h"

namespace vision_native {

/// A batch of pairs, ready to be solved.
struct Tvl1Problem {
  std::vector<at::Tensor> first;   ///< levels of the first images, finest first, `[N, h, w]` float32 on the 0–255 scale
  std::vector<at::Tensor> second;  ///< the same of the second images
  at::Tensor init;                 ///< flow at the coarsest level `[N, 2, h, w]`, or undefined for zero
  at::Tensor flow;                 ///< result `[N, 2, H, W]`
  at::Tensor iterations;           ///< result `[N, levels, warps]` int32
  at::Tensor residuals;            ///< result `[N, levels, warps]` float32: mean |Δu|² of the last tested iteration
  int64_t levels_before;           ///< for progress: levels of pairs already solved by this call …
  int64_t levels_total;            ///< … and of all its pairs
};

/// Solver and building blocks on one kind of device. Images are contiguous float32; outputs are new tensors.
class VISION_NATIVE_API Tvl1Backend {
 public:
  virtual ~Tvl1Backend();

  /// Pairs whose pyramids and solver state may be held at the same time.
  virtual int64_t pairs_at_once(const Tvl1Params& params) const = 0;
  /// Separable convolution of `[N, H, W]`, borders replicated.
  virtual at::Tensor smooth(const at::Tensor& images, const Tvl1Gaussian& kernel) const = 0;
  /// The next coarser level of `[N, H, W]`; for the Gaussian pyramid without the smoothing before it.
  virtual at::Tensor shrink(const at::Tensor& images, Tvl1Size size, const Tvl1Params& params) const = 0;
  /// `[N, H, W]` resized to `size` and multiplied by `factor`.
  virtual at::Tensor enlarge(const at::Tensor& images, Tvl1Size size, float factor, const Tvl1Params& params) const = 0;
  virtual void solve(const Tvl1Problem& problem, const Tvl1Params& params) const = 0;

  /// Forward differences in x and y as `[2, N, H, W]`.
  virtual at::Tensor gradient(const at::Tensor& field) const = 0;
  virtual at::Tensor divergence(const at::Tensor& px, const at::Tensor& py) const = 0;
  /// The step s of the threshold, see `tvl1_threshold`.
  virtual at::Tensor threshold(const at::Tensor& rho, const at::Tensor& ix, const at::Tensor& iy,
                               const Tvl1Step& step) const = 0;
  virtual at::Tensor median(const at::Tensor& images) const = 0;
  /// Data term `[N, 3, H, W]` (Ix, Iy, ρ_c) at the flow `[N, 2, H, W]`.
  virtual at::Tensor warp(const at::Tensor& first, const at::Tensor& second, const at::Tensor& flow,
                          const Tvl1Params& params) const = 0;
  /// Runs inner iterations on `state` `[N, 3·unknowns, H, W]` (u…, then pˣ, pʸ of each unknown) in place and returns the
  /// error Σ|Δu|² of the last one, `[N]` float64.
  virtual at::Tensor iterate(at::Tensor& state, const at::Tensor& data, int64_t iterations,
                             const Tvl1Params& params) const = 0;
};

/// Makes a device's backend known. Called while the library that holds it is loaded.
VISION_NATIVE_API void register_tvl1_backend(c10::DeviceType device, const Tvl1Backend* backend);

/// Registers the kernels of all TV-L1 operators for the dispatch key of `library`.
VISION_NATIVE_API void implement_tvl1_ops(torch::Library& library);

}  // namespace vision_native
