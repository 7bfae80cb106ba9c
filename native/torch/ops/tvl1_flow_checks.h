#pragma once
// Checks of the TV-L1 operators, made once for all devices.
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/Tensor.h>
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include <optional>

#include "torch/ops/tvl1_flow.h"

namespace vision_native {

/// The options of the schema, in its order.
struct Tvl1Options {
  double tau, lambd, theta;
  int64_t scales;
  double scale_factor;
  int64_t warps;
  double epsilon;
  int64_t outer_iterations, inner_iterations;
  bool median_filter;
  double gamma, gradient_floor, bicubic_a;
  bool zero_border;
  int64_t coordinate_steps;
  c10::string_view pyramid;
  bool stretch_input;
  double presmoothing_sigma;
  int64_t block_size;
};

/// Checks the options and lays out the levels for images of this size.
Tvl1Params tvl1_check_options(const Tvl1Options& options, int64_t height, int64_t width);

/// Frames are `[N, H, W]`, uint8, or float32 in 0–1, 3 × 3 or larger.
void tvl1_check_frames(const char* op, const char* name, const at::Tensor& frames);

void tvl1_check_same(const char* op, const char* name_a, const at::Tensor& a, const char* name_b, const at::Tensor& b);

/// The initial flow, checked, or an undefined tensor.
at::Tensor tvl1_check_init(const char* op, const std::optional<at::Tensor>& init, at::IntArrayRef sizes,
                           const at::Tensor& frames);

Tvl1Pyramid tvl1_check_pyramid(c10::string_view name, double scale_factor);

/// Size of the level above one of this size.
Tvl1Size tvl1_next_size(Tvl1Size size, Tvl1Pyramid pyramid, double scale_factor);

/// A Gaussian cut off beyond five standard deviations.
Tvl1Gaussian tvl1_gaussian(double sigma);

const Tvl1Backend& tvl1_backend_of(const at::Tensor& tensor);

/// The level of size `size` above these images `[N, H, W]`.
at::Tensor tvl1_next_level(const at::Tensor& images, Tvl1Size size, const Tvl1Params& params);

/// What every kernel needs while it runs: no autograd bookkeeping inside, and the tensors' own device.
struct Tvl1Entry {
  at::AutoDispatchBelowADInplaceOrView guard;
  c10::OptionalDeviceGuard device;
  explicit Tvl1Entry(const at::Tensor& tensor) : device(tensor.device()) {}
};

/// Registers the kernels of the building blocks (tvl1_flow_steps.cc).
void implement_tvl1_steps(torch::Library& library);

}  // namespace vision_native
