// TV-L1 optical flow: schemas, checks, pyramids and batches. Zach, Pock, Bischof, DAGM 2007; Sánchez, Meinhardt-Llopis,
// Facciolo, IPOL 2013; the median filter is from Wedel et al. 2009.
#include "torch/ops/tvl1_flow.h"

#include <ATen/ops/aminmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/where.h>

#include "torch/ops/tvl1_flow_checks.h"

namespace vision_native {

namespace {

constexpr int kDeviceTypes = static_cast<int>(c10::DeviceType::COMPILE_TIME_MAX_DEVICE_TYPES);

const Tvl1Backend*& backend_slot(c10::DeviceType device) {
  static const Tvl1Backend* backends[kDeviceTypes] = {};
  return backends[static_cast<int>(device)];
}

const Tvl1Backend& backend_of(const at::Tensor& tensor) {
  const Tvl1Backend* backend = backend_slot(tensor.device().type());
  TORCH_CHECK(backend != nullptr, "tvl1_flow: no kernels for device ", tensor.device());
  return *backend;
}

using Levels = std::vector<at::Tensor>;

/// Frames on the 0–255 scale that λ is tuned for.
at::Tensor to_grey_levels(const at::Tensor& frames) {
  const at::Tensor values = frames.to(at::kFloat);
  return (frames.scalar_type() == at::kByte ? values : values.mul(255.0)).contiguous();
}

Levels build_pyramid(const at::Tensor& grey, const Tvl1Params& params) {
  Levels levels{params.presmoothing_sigma > 0.0
                    ? backend_of(grey).smooth(grey, tvl1_gaussian(params.presmoothing_sigma))
                    : grey};
  for (size_t i = 1; i < params.levels.size(); ++i) {
    check_cancelled();
    levels.push_back(tvl1_next_level(levels.back(), params.levels[i], params));
  }
  return levels;
}

/// Stretches the two images of every pair to 0–255 by their common lowest and highest value.
void stretch(at::Tensor& first, at::Tensor& second) {
  const at::Tensor low = at::minimum(first.amin({1, 2}, true), second.amin({1, 2}, true));
  const at::Tensor range = at::maximum(first.amax({1, 2}, true), second.amax({1, 2}, true)).sub(low);
  const at::Tensor factor = at::where(range.gt(0.0), range.reciprocal().mul(255.0), 1.0);
  first = first.sub(low).mul(factor);
  second = second.sub(low).mul(factor);
}

Levels slice(const Levels& levels, int64_t start, int64_t count) {
  Levels parts;
  for (const at::Tensor& level : levels) parts.push_back(level.narrow(0, start, count));
  return parts;
}

/// The initial flow at the coarsest level: shrunk as the images are, and scaled with them.
at::Tensor shrink_init(const at::Tensor& init, const Tvl1Params& params) {
  if (!init.defined()) return init;
  const Tvl1Size full = params.levels.front();
  at::Tensor flow = init.contiguous().view({-1, full.height, full.width});
  for (size_t i = 1; i < params.levels.size(); ++i) {
    flow = tvl1_next_level(flow, params.levels[i], params).mul_(params.scale_factor);
  }
  const Tvl1Size coarsest = params.levels.back();
  return flow.view({-1, 2, coarsest.height, coarsest.width});
}

struct Outputs {
  at::Tensor flow, iterations, residuals;
  Outputs(at::IntArrayRef batch, const at::Tensor& frames, const Tvl1Params& params) {
    const int64_t levels = static_cast<int64_t>(params.levels.size());
    const Tvl1Size size = params.levels.front();
    const auto shape = [&](std::initializer_list<int64_t> rest) {
      std::vector<int64_t> sizes = batch.vec();
      sizes.insert(sizes.end(), rest);
      return sizes;
    };
    flow = at::empty(shape({2, size.height, size.width}), frames.options().dtype(at::kFloat));
    iterations = at::empty(shape({levels, params.warps}), frames.options().dtype(at::kInt));
    residuals = at::empty(shape({levels, params.warps}), frames.options().dtype(at::kFloat));
  }
  Outputs part(int64_t direction) const { return {flow[direction], iterations[direction], residuals[direction]}; }

 private:
  Outputs(at::Tensor f, at::Tensor i, at::Tensor r) : flow(std::move(f)), iterations(std::move(i)), residuals(std::move(r)) {}
};

struct Progress {
  int64_t done = 0;
  int64_t total;
};

void solve(const Levels& first, const Levels& second, const at::Tensor& init, const Outputs& out, int64_t start,
           const Tvl1Params& params, Progress& progress) {
  const int64_t count = first.front().size(0);
  const Tvl1Problem problem{first,
                            second,
                            shrink_init(init, params),
                            out.flow.narrow(0, start, count),
                            out.iterations.narrow(0, start, count),
                            out.residuals.narrow(0, start, count),
                            progress.done,
                            progress.total};
  backend_of(out.flow).solve(problem, params);
  progress.done += count * static_cast<int64_t>(params.levels.size());
}

void solve_pairs(const at::Tensor& first, const at::Tensor& second, const at::Tensor& init, const Outputs& out,
                 int64_t start, const Tvl1Params& params, Progress& progress) {
  at::Tensor grey_first = to_grey_levels(first);
  at::Tensor grey_second = to_grey_levels(second);
  if (params.stretch_input) stretch(grey_first, grey_second);
  solve(build_pyramid(grey_first, params), build_pyramid(grey_second, params), init, out, start, params, progress);
}

// ---- Operators --------------------------------------------------------------------------------------------------

#define TVL1_OPTIONS                                                                                                    \
  double tau, double lambd, double theta, int64_t scales, double scale_factor, int64_t warps, double epsilon,           \
      int64_t outer_iterations, int64_t inner_iterations, bool median_filter, double gamma, double gradient_floor,      \
      double bicubic_a, bool zero_border, int64_t coordinate_steps, c10::string_view pyramid, bool stretch_input,       \
      double presmoothing_sigma, int64_t block_size
#define TVL1_CHECKED_OPTIONS                                                                                            \
  {tau,   lambd,          theta,     scales,      scale_factor,     warps,   epsilon,       outer_iterations,           \
   inner_iterations, median_filter, gamma, gradient_floor, bicubic_a, zero_border, coordinate_steps, pyramid,           \
   stretch_input, presmoothing_sigma, block_size}
#define TVL1_OPTION_SCHEMA                                                                                              \
  "float tau=0.25, float lambd=0.15, float theta=0.3, int scales=5, float scale_factor=0.8, int warps=5, "              \
  "float epsilon=0.01, int outer_iterations=10, int inner_iterations=30, bool median_filter=True, float gamma=0.0, "    \
  "float gradient_floor=1.1920928955078125e-07, float bicubic_a=-0.5, bool zero_border=False, "                         \
  "int coordinate_steps=0, str pyramid='bilinear', bool stretch_input=False, float presmoothing_sigma=0.0, "            \
  "int block_size=0"

using Result = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

Result tvl1_flow(const at::Tensor& first, const at::Tensor& second, const std::optional<at::Tensor>& init, TVL1_OPTIONS) {
  const Tvl1Entry entry(first);
  tvl1_check_frames("tvl1_flow", "first", first);
  tvl1_check_frames("tvl1_flow", "second", second);
  tvl1_check_same("tvl1_flow", "first", first, "second", second);
  const Tvl1Params params = tvl1_check_options(TVL1_CHECKED_OPTIONS, first.size(1), first.size(2));
  const at::Tensor start = tvl1_check_init("tvl1_flow", init, {first.size(0), 2, first.size(1), first.size(2)}, first);

  const int64_t pairs = first.size(0);
  const Outputs out({pairs}, first, params);
  if (first.is_meta()) return {out.flow, out.iterations, out.residuals};
  Progress progress{0, pairs * static_cast<int64_t>(params.levels.size())};
  const int64_t batch = backend_of(first).pairs_at_once(params);
  for (int64_t at = 0; at < pairs; at += batch) {
    check_cancelled();
    const int64_t count = std::min(batch, pairs - at);
    solve_pairs(first.narrow(0, at, count), second.narrow(0, at, count),
                start.defined() ? start.narrow(0, at, count) : start, out, at, params, progress);
  }
  return {out.flow, out.iterations, out.residuals};
}

Result tvl1_flow_clip(const at::Tensor& frames, const std::optional<at::Tensor>& init, c10::string_view direction,
                      TVL1_OPTIONS) {
  const Tvl1Entry entry(frames);
  tvl1_check_frames("tvl1_flow_clip", "frames", frames);
  const int64_t pairs = frames.size(0) - 1;
  TORCH_CHECK(pairs >= 1, "tvl1_flow_clip: a clip needs 2 frames or more, got shape ", frames.sizes());
  const bool forward = direction == "forward" || direction == "both";
  const bool backward = direction == "backward" || direction == "both";
  TORCH_CHECK_VALUE(forward || backward, "tvl1_flow_clip: direction is 'forward', 'backward' or 'both', got '", direction, "'");
  const Tvl1Params params = tvl1_check_options(TVL1_CHECKED_OPTIONS, frames.size(1), frames.size(2));
  const int64_t directions = forward && backward ? 2 : 1;
  const at::Tensor start =
      tvl1_check_init("tvl1_flow_clip", init, {directions, pairs, 2, frames.size(1), frames.size(2)}, frames);

  const Outputs out({directions, pairs}, frames, params);
  if (frames.is_meta()) return {out.flow, out.iterations, out.residuals};
  Progress progress{0, directions * pairs * static_cast<int64_t>(params.levels.size())};
  const int64_t batch = backend_of(frames).pairs_at_once(params);
  for (int64_t at = 0; at < pairs; at += batch) {
    check_cancelled();
    const int64_t count = std::min(batch, pairs - at);
    Levels levels;
    // Each frame's pyramid serves as first and as second image, unless stretching makes a frame differ between pairs.
    if (!params.stretch_input) levels = build_pyramid(to_grey_levels(frames.narrow(0, at, count + 1)), params);
    for (int64_t d = 0; d < directions; ++d) {
      const int64_t from = backward && d == directions - 1 ? 1 : 0;
      const at::Tensor part = start.defined() ? start[d].narrow(0, at, count) : start;
      if (params.stretch_input) {
        solve_pairs(frames.narrow(0, at + from, count), frames.narrow(0, at + 1 - from, count), part, out.part(d), at,
                    params, progress);
      } else {
        solve(slice(levels, from, count), slice(levels, 1 - from, count), part, out.part(d), at, params, progress);
      }
    }
  }
  return {out.flow, out.iterations, out.residuals};
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def(
      "tvl1_flow(Tensor first, Tensor second, *, Tensor? init=None, " TVL1_OPTION_SCHEMA
      ") -> (Tensor flow, Tensor iterations, Tensor residuals)");
  library.def(
      "tvl1_flow_clip(Tensor frames, *, Tensor? init=None, str direction='forward', " TVL1_OPTION_SCHEMA
      ") -> (Tensor flow, Tensor iterations, Tensor residuals)");
}

// The solver is used for its result only; inputs that require gradients give results that do not.
TORCH_LIBRARY_IMPL(vision_native, Autograd, library) {
  library.impl("tvl1_flow", torch::CppFunction::makeFallthrough());
  library.impl("tvl1_flow_clip", torch::CppFunction::makeFallthrough());
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) { implement_tvl1_ops(library); }

}  // namespace

Tvl1Backend::~Tvl1Backend() = default;

void register_tvl1_backend(c10::DeviceType device, const Tvl1Backend* backend) { backend_slot(device) = backend; }

const Tvl1Backend& tvl1_backend_of(const at::Tensor& tensor) { return backend_of(tensor); }

at::Tensor tvl1_next_level(const at::Tensor& images, Tvl1Size size, const Tvl1Params& params) {
  const Tvl1Backend& backend = backend_of(images);
  if (params.pyramid != Tvl1Pyramid::kGaussian) return backend.shrink(images, size, params);
  const double eta = params.scale_factor;
  const Tvl1Gaussian kernel = tvl1_gaussian(0.6 * std::sqrt(1.0 / (eta * eta) - 1.0));
  return backend.shrink(backend.smooth(images, kernel), size, params);
}

void implement_tvl1_ops(torch::Library& library) {
  library.impl("tvl1_flow", tvl1_flow);
  library.impl("tvl1_flow_clip", tvl1_flow_clip);
  implement_tvl1_steps(library);
}

}  // namespace vision_native
