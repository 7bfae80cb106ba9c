// The steps of TV-L1 flow as operators of their own, for tests and for experiments with the method.
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include "torch/ops/cpu/tvl1_flow_images.h"
#include "torch/ops/tvl1_flow_checks.h"

namespace vision_native {

namespace {

void check_planes(const char* op, const char* name, const at::Tensor& tensor, int64_t rank) {
  TORCH_CHECK(tensor.dim() == rank, op, ": ", name, " must have ", rank, " dimensions, got shape ", tensor.sizes());
  TORCH_CHECK_TYPE(tensor.scalar_type() == at::kFloat, op, ": ", name, " must be float32, got ", tensor.scalar_type());
  TORCH_CHECK(tensor.size(-1) >= 1 && tensor.size(-2) >= 1, op, ": ", name, " has no pixels: ", tensor.sizes());
}

void check_channels(const char* op, const char* name, const at::Tensor& tensor, const at::Tensor& images, int64_t channels) {
  check_planes(op, name, tensor, 4);
  const int64_t expected[] = {images.size(0), channels, images.size(-2), images.size(-1)};
  TORCH_CHECK(tensor.sizes() == at::IntArrayRef(expected), op, ": ", name, " must have shape ", at::IntArrayRef(expected),
              ", got ", tensor.sizes());
  TORCH_CHECK(tensor.device() == images.device(), op, ": ", name, " must be on ", images.device(), ", got ", tensor.device());
}

/// Parameters of a single step: those that it does not use have any valid value.
Tvl1Params step_params(const at::Tensor& images, Tvl1Options options) {
  return tvl1_check_options(options, images.size(-2), images.size(-1));
}

Tvl1Options default_options() {
  return {0.25, 0.15, 0.3, 1, 0.8, 1, 0.01, 1, 1, false, 0.0, 1.1920928955078125e-07, -0.5, false, 0, "bilinear", false, 0.0, 1};
}

std::tuple<at::Tensor, at::Tensor> gradient(const at::Tensor& field) {
  const Tvl1Entry entry(field);
  check_planes("_tvl1_gradient", "field", field, 3);
  if (field.is_meta()) return {at::empty_like(field), at::empty_like(field)};
  const at::Tensor both = tvl1_backend_of(field).gradient(field.contiguous());
  return {both[0].clone(), both[1].clone()};
}

at::Tensor divergence(const at::Tensor& px, const at::Tensor& py) {
  const Tvl1Entry entry(px);
  check_planes("_tvl1_divergence", "px", px, 3);
  tvl1_check_same("_tvl1_divergence", "px", px, "py", py);
  if (px.is_meta()) return at::empty_like(px);
  return tvl1_backend_of(px).divergence(px.contiguous(), py.contiguous());
}

at::Tensor threshold(const at::Tensor& rho, const at::Tensor& ix, const at::Tensor& iy, double lambd, double theta,
                     double gradient_floor) {
  const Tvl1Entry entry(rho);
  check_planes("_tvl1_threshold", "rho", rho, 3);
  tvl1_check_same("_tvl1_threshold", "rho", rho, "ix", ix);
  tvl1_check_same("_tvl1_threshold", "rho", rho, "iy", iy);
  Tvl1Options options = default_options();
  options.lambd = lambd;
  options.theta = theta;
  options.gradient_floor = gradient_floor;
  const Tvl1Params params = step_params(rho, options);
  if (rho.is_meta()) return at::empty_like(rho);
  return tvl1_backend_of(rho).threshold(rho.contiguous(), ix.contiguous(), iy.contiguous(), params.step);
}

at::Tensor median(const at::Tensor& images) {
  const Tvl1Entry entry(images);
  check_planes("_median_filter_5x5", "images", images, 3);
  if (images.is_meta()) return at::empty_like(images);
  return tvl1_backend_of(images).median(images.contiguous());
}

at::Tensor warp(const at::Tensor& first, const at::Tensor& second, const at::Tensor& flow, double bicubic_a,
                bool zero_border, int64_t coordinate_steps) {
  const Tvl1Entry entry(first);
  check_planes("_tvl1_warp", "first", first, 3);
  tvl1_check_same("_tvl1_warp", "first", first, "second", second);
  check_channels("_tvl1_warp", "flow", flow, first, 2);
  Tvl1Options options = default_options();
  options.bicubic_a = bicubic_a;
  options.zero_border = zero_border;
  options.coordinate_steps = coordinate_steps;
  const Tvl1Params params = step_params(first, options);
  if (first.is_meta()) return at::empty({first.size(0), 3, first.size(1), first.size(2)}, first.options());
  return tvl1_backend_of(first).warp(first.contiguous(), second.contiguous(), flow.contiguous(), params);
}

std::tuple<at::Tensor, at::Tensor> iterate(const at::Tensor& state, const at::Tensor& data, int64_t iterations, double tau,
                                           double lambd, double theta, double gamma, double gradient_floor,
                                           int64_t block_size) {
  const Tvl1Entry entry(data);
  Tvl1Options options = default_options();
  options.tau = tau;
  options.lambd = lambd;
  options.theta = theta;
  options.gamma = gamma;
  options.gradient_floor = gradient_floor;
  options.block_size = block_size;
  options.inner_iterations = iterations;
  check_planes("_tvl1_iterate", "data", data, 4);
  const Tvl1Params params = step_params(data, options);
  check_channels("_tvl1_iterate", "data", data, data, 3);
  check_channels("_tvl1_iterate", "state", state, data, 3 * params.unknowns());
  if (data.is_meta()) return {at::empty_like(state), at::empty({data.size(0)}, data.options().dtype(at::kDouble))};
  at::Tensor next = state.clone(at::MemoryFormat::Contiguous);
  at::Tensor errors = tvl1_backend_of(data).iterate(next, data.contiguous(), iterations, params);
  return {next, errors};
}

at::Tensor pyramid_level(const at::Tensor& images, c10::string_view pyramid, double scale_factor, double bicubic_a) {
  const Tvl1Entry entry(images);
  check_planes("_tvl1_pyramid_level", "images", images, 3);
  Tvl1Options options = default_options();
  options.pyramid = pyramid;
  options.scale_factor = scale_factor;
  options.bicubic_a = bicubic_a;
  const Tvl1Params params = step_params(images, options);
  const Tvl1Size next = tvl1_next_size({images.size(1), images.size(2)}, params.pyramid, scale_factor);
  TORCH_CHECK(std::min(images.size(1), images.size(2)) >= 3 && std::min(next.height, next.width) >= 1,
              "_tvl1_pyramid_level: images of shape ", images.sizes(), " are too small to shrink");
  if (images.is_meta()) return at::empty({images.size(0), next.height, next.width}, images.options());
  return tvl1_next_level(images.contiguous(), next, params);
}

at::Tensor upsample(const at::Tensor& images, int64_t height, int64_t width, double factor, c10::string_view pyramid,
                    double scale_factor, double bicubic_a) {
  const Tvl1Entry entry(images);
  check_planes("_tvl1_upsample", "images", images, 3);
  TORCH_CHECK(height >= 1 && width >= 1 && height <= (1 << 20) && width <= (1 << 20), "_tvl1_upsample: size must be 1 to ",
              1 << 20, ", got ", height, " x ", width);
  Tvl1Options options = default_options();
  options.pyramid = pyramid;
  options.scale_factor = scale_factor;
  options.bicubic_a = bicubic_a;
  const Tvl1Params params = step_params(images, options);
  if (images.is_meta()) return at::empty({images.size(0), height, width}, images.options());
  return tvl1_backend_of(images).enlarge(images.contiguous(), {height, width}, static_cast<float>(factor), params);
}

int64_t threads_of_last_call() { return Tvl1Call::threads_of_last_call(); }

}  // namespace

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def("_tvl1_gradient(Tensor field) -> (Tensor dx, Tensor dy)");
  library.def("_tvl1_divergence(Tensor px, Tensor py) -> Tensor");
  library.def(
      "_tvl1_threshold(Tensor rho, Tensor ix, Tensor iy, *, float lambd=0.15, float theta=0.3, "
      "float gradient_floor=1.1920928955078125e-07) -> Tensor");
  library.def("_median_filter_5x5(Tensor images) -> Tensor");
  library.def(
      "_tvl1_warp(Tensor first, Tensor second, Tensor flow, *, float bicubic_a=-0.5, bool zero_border=False, "
      "int coordinate_steps=0) -> Tensor");
  library.def(
      "_tvl1_iterate(Tensor state, Tensor data, int iterations, *, float tau=0.25, float lambd=0.15, float theta=0.3, "
      "float gamma=0.0, float gradient_floor=1.1920928955078125e-07, int block_size=0) -> (Tensor state, Tensor error)");
  library.def(
      "_tvl1_pyramid_level(Tensor images, *, str pyramid='bilinear', float scale_factor=0.8, float bicubic_a=-0.5) -> "
      "Tensor");
  library.def(
      "_tvl1_upsample(Tensor images, int height, int width, *, float factor=1.0, str pyramid='bilinear', "
      "float scale_factor=0.8, float bicubic_a=-0.5) -> Tensor");
  library.def("_tvl1_threads_of_last_call() -> int", threads_of_last_call);
}

void implement_tvl1_steps(torch::Library& library) {
  library.impl("_tvl1_gradient", gradient);
  library.impl("_tvl1_divergence", divergence);
  library.impl("_tvl1_threshold", threshold);
  library.impl("_median_filter_5x5", median);
  library.impl("_tvl1_warp", warp);
  library.impl("_tvl1_iterate", iterate);
  library.impl("_tvl1_pyramid_level", pyramid_level);
  library.impl("_tvl1_upsample", upsample);
}

TORCH_LIBRARY_IMPL(vision_native, Autograd, library) {
  for (const char* name : {"_tvl1_gradient", "_tvl1_divergence", "_tvl1_threshold", "_median_filter_5x5", "_tvl1_warp",
                           "_tvl1_iterate", "_tvl1_pyramid_level", "_tvl1_upsample"}) {
    library.impl(name, torch::CppFunction::makeFallthrough());
  }
}

}  // namespace vision_native
