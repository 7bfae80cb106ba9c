#include "torch/ops/tvl1_flow_checks.h"

#include <ATen/ops/aminmax.h>

#include <cmath>

namespace vision_native {

namespace {

constexpr int64_t kSmallestSide = 3;
constexpr int64_t kSmallestLevelSide = 16;
constexpr int64_t kMostScales = 100;
constexpr int64_t kMostIterations = 1'000'000;
// Float frames are in 0–1. Far outside lie mistakes, such as 0–255 in floating point, and numbers that overflow.
constexpr double kLargestValue = 16.0;

void check_range(const char* name, double value, bool inside, const char* rule) {
  TORCH_CHECK_VALUE(std::isfinite(value) && inside, "tvl1_flow: ", name, " must be ", rule, ", got ", value);
}

void check_count(const char* name, int64_t value, int64_t low, int64_t high) {
  TORCH_CHECK_VALUE(value >= low && value <= high, "tvl1_flow: ", name, " must be ", low, " to ", high, ", got ", value);
}

bool smaller_than(Tvl1Size size, int64_t side) { return size.height < side || size.width < side; }

std::vector<Tvl1Size> lay_out_levels(Tvl1Size size, const Tvl1Params& params, int64_t scales) {
  std::vector<Tvl1Size> levels{size};
  int64_t smallest = kSmallestLevelSide;
  if (params.pyramid == Tvl1Pyramid::kGaussian) {
    // As many levels as bring the diagonal to about 16 px.
    const double diagonal = std::hypot(static_cast<double>(size.width), static_cast<double>(size.height));
    const double fitting = 1.0 + std::log(diagonal / kSmallestLevelSide) / std::log(1.0 / params.scale_factor);
    scales = std::min(scales, std::max<int64_t>(1, static_cast<int64_t>(std::floor(fitting))));
    smallest = kSmallestSide;
  }
  while (static_cast<int64_t>(levels.size()) < scales) {
    const Tvl1Size next = tvl1_next_size(levels.back(), params.pyramid, params.scale_factor);
    if (smaller_than(next, smallest)) break;
    levels.push_back(next);
  }
  return levels;
}

}  // namespace

Tvl1Size tvl1_next_size(Tvl1Size size, Tvl1Pyramid pyramid, double scale_factor) {
  const auto next = [&](int64_t side) -> int64_t {
    switch (pyramid) {
      case Tvl1Pyramid::kBilinear:
        return static_cast<int64_t>(std::nearbyint(static_cast<double>(side) * scale_factor));
      case Tvl1Pyramid::kBinomial:
        return (side + 1) / 2;
      case Tvl1Pyramid::kGaussian:
        return static_cast<int64_t>(std::floor(static_cast<double>(side) * scale_factor + 0.5));
    }
    return side;
  };
  return {next(size.height), next(size.width)};
}

Tvl1Pyramid tvl1_check_pyramid(c10::string_view name, double scale_factor) {
  check_range("scale_factor", scale_factor, scale_factor >= 0.1 && scale_factor < 1.0, "at least 0.1 and below 1");
  if (name == "bilinear") return Tvl1Pyramid::kBilinear;
  if (name == "gaussian") return Tvl1Pyramid::kGaussian;
  TORCH_CHECK_VALUE(name == "binomial", "tvl1_flow: pyramid is 'bilinear', 'binomial' or 'gaussian', got '", name, "'");
  check_range("scale_factor", scale_factor, scale_factor == 0.5, "0.5 for the binomial pyramid");
  return Tvl1Pyramid::kBinomial;
}

Tvl1Params tvl1_check_options(const Tvl1Options& o, int64_t height, int64_t width) {
  check_range("tau", o.tau, o.tau > 0.0 && o.tau <= 100.0, "above 0 and at most 100");
  check_range("lambda", o.lambd, o.lambd > 0.0 && o.lambd <= 1e6, "above 0 and at most 1e6");
  check_range("theta", o.theta, o.theta >= 1e-6 && o.theta <= 1e6, "between 1e-6 and 1e6");
  check_range("epsilon", o.epsilon, o.epsilon >= 0.0, "0 or more");
  check_range("gamma", o.gamma, o.gamma >= 0.0 && o.gamma <= 1e6, "between 0 and 1e6");
  check_range("gradient_floor", o.gradient_floor, o.gradient_floor > 0.0 && o.gradient_floor <= 1e6, "above 0 and at most 1e6");
  check_range("bicubic_a", o.bicubic_a, o.bicubic_a >= -2.0 && o.bicubic_a <= 0.0, "between -2 and 0");
  check_range("presmoothing_sigma", o.presmoothing_sigma, o.presmoothing_sigma >= 0.0 && o.presmoothing_sigma <= 12.0,
              "between 0 and 12 px");
  check_count("scales", o.scales, 1, kMostScales);
  check_count("warps", o.warps, 1, 1000);
  check_count("outer_iterations", o.outer_iterations, 1, 1000);
  check_count("inner_iterations", o.inner_iterations, 1, kMostIterations);
  check_count("coordinate_steps", o.coordinate_steps, 0, 1 << 20);
  check_count("block_size", o.block_size, 0, 8);

  Tvl1Params params{};
  params.step = {static_cast<float>(o.lambd * o.theta), static_cast<float>(o.theta), static_cast<float>(o.tau / o.theta),
                 static_cast<float>(o.gamma), static_cast<float>(o.gradient_floor)};
  params.sampling = {static_cast<float>(o.bicubic_a), o.zero_border, static_cast<int32_t>(o.coordinate_steps)};
  params.pyramid = tvl1_check_pyramid(o.pyramid, o.scale_factor);
  params.scale_factor = o.scale_factor;
  params.epsilon = o.epsilon;
  params.warps = o.warps;
  params.outer_iterations = o.outer_iterations;
  params.inner_iterations = o.inner_iterations;
  params.block_size = o.block_size;
  params.median_filter = o.median_filter;
  params.stretch_input = o.stretch_input;
  params.presmoothing_sigma = o.presmoothing_sigma;
  params.levels = lay_out_levels({height, width}, params, o.scales);
  return params;
}

void tvl1_check_frames(const char* op, const char* name, const at::Tensor& frames) {
  TORCH_CHECK(frames.dim() == 3, op, ": ", name, " must be grey frames [N, H, W], got shape ", frames.sizes());
  TORCH_CHECK_TYPE(frames.scalar_type() == at::kByte || frames.scalar_type() == at::kFloat, op, ": ", name,
                   " must be uint8, or float32 in 0-1, got ", frames.scalar_type());
  TORCH_CHECK(frames.size(1) >= kSmallestSide && frames.size(2) >= kSmallestSide, op, ": ", name, " must be ", kSmallestSide,
              " x ", kSmallestSide, " pixels or larger, got shape ", frames.sizes());
  if (frames.scalar_type() == at::kByte || frames.is_meta() || frames.numel() == 0) return;
  const auto [low, high] = at::aminmax(frames);
  const double lowest = low.item<double>();
  const double highest = high.item<double>();
  TORCH_CHECK_VALUE(std::isfinite(lowest) && std::isfinite(highest), op, ": ", name, " holds NaN or infinity");
  TORCH_CHECK_VALUE(lowest >= -kLargestValue && highest <= kLargestValue, op, ": ", name,
                    " must be in 0-1 when it is float32, but its values go from ", lowest, " to ", highest,
                    "; divide by 255, or pass uint8");
}

void tvl1_check_same(const char* op, const char* name_a, const at::Tensor& a, const char* name_b, const at::Tensor& b) {
  TORCH_CHECK(a.sizes() == b.sizes(), op, ": ", name_a, " and ", name_b, " must have the same shape, got ", a.sizes(),
              " and ", b.sizes());
  TORCH_CHECK_TYPE(a.scalar_type() == b.scalar_type(), op, ": ", name_a, " and ", name_b, " must have the same dtype, got ",
                   a.scalar_type(), " and ", b.scalar_type());
  TORCH_CHECK(a.device() == b.device(), op, ": ", name_a, " and ", name_b, " must be on the same device, got ", a.device(),
              " and ", b.device());
}

at::Tensor tvl1_check_init(const char* op, const std::optional<at::Tensor>& init, at::IntArrayRef sizes,
                           const at::Tensor& frames) {
  if (!init.has_value() || !init->defined()) return {};
  TORCH_CHECK(init->sizes() == sizes, op, ": init must have the shape of the flow, ", sizes, ", got ", init->sizes());
  TORCH_CHECK_TYPE(init->scalar_type() == at::kFloat, op, ": init must be float32, got ", init->scalar_type());
  TORCH_CHECK(init->device() == frames.device(), op, ": init must be on the same device as the frames, ", frames.device(),
              ", got ", init->device());
  if (!init->is_meta() && init->numel() > 0) {
    const auto [low, high] = at::aminmax(*init);
    TORCH_CHECK_VALUE(std::isfinite(low.item<double>()) && std::isfinite(high.item<double>()), op,
                      ": init holds NaN or infinity");
  }
  return *init;
}

Tvl1Gaussian tvl1_gaussian(double sigma) {
  Tvl1Gaussian kernel{};
  kernel.radius = static_cast<int32_t>(5.0 * sigma) + 1;
  TORCH_INTERNAL_ASSERT(kernel.radius <= Tvl1Gaussian::kMaxRadius);
  double weights[Tvl1Gaussian::kMaxRadius + 1];
  double sum = 0.0;
  for (int i = 0; i <= kernel.radius; ++i) {
    weights[i] = std::exp(-0.5 * i * i / (sigma * sigma));
    sum += i == 0 ? weights[i] : 2.0 * weights[i];
  }
  for (int i = 0; i <= kernel.radius; ++i) kernel.weights[i] = static_cast<float>(weights[i] / sum);
  return kernel;
}

}  // namespace vision_native
