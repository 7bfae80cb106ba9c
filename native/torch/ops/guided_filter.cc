// The guided filter, its coefficients on a grid of their own, and their way to a finer one: schemas, checks, shapes.
#include "torch/ops/guided_filter.h"

#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <cmath>

namespace vision_native {

GuidedMode guided_check_mode(const char* op, c10::string_view mode) {
  if (mode == "gray") return GuidedMode::kGray;
  if (mode == "per_channel") return GuidedMode::kPerChannel;
  TORCH_CHECK_VALUE(mode == "color", op, ": mode is 'gray', 'per_channel' or 'color', got '", mode, "'");
  return GuidedMode::kColor;
}

void guided_check_alike(const char* op, const char* name_a, const at::Tensor& a, const char* name_b, const at::Tensor& b) {
  box_check_input(op, name_a, a);
  box_check_input(op, name_b, b);
  TORCH_CHECK_TYPE(a.scalar_type() == b.scalar_type(), op, ": ", name_a, " is ", a.scalar_type(), ", ", name_b, " ",
                   b.scalar_type(), "; convert one of them");
  TORCH_CHECK_VALUE(a.device() == b.device(), op, ": ", name_a, " is on ", a.device(), ", ", name_b, " on ", b.device(),
                    "; move one of them");
}

void guided_check_pair(const char* op, GuidedMode mode, const at::Tensor& guide, const at::Tensor& input,
                       bool sizes_differ) {
  TORCH_CHECK(guide.dim() == 4 && input.dim() == 4, op, ": guide and input are [B, C, H, W], got shapes ",
              guide.sym_sizes(), " and ", input.sym_sizes());
  TORCH_CHECK(guide.sym_size(0) == input.sym_size(0), op, ": guide ", guide.sym_sizes(), " and input ",
              input.sym_sizes(), " have different batch sizes");
  if (mode == GuidedMode::kPerChannel) {
    TORCH_CHECK(guide.sym_size(1) == input.sym_size(1), op, ": mode 'per_channel' takes as many guides as inputs, got ",
                guide.sym_sizes(), " and ", input.sym_sizes());
  } else {
    TORCH_CHECK(guide.sym_size(1) == guided_guides(mode), op, ": mode '", mode == GuidedMode::kColor ? "color" : "gray",
                "' takes a guide of ", guided_guides(mode), " channels, got shape ", guide.sym_sizes(),
                "; another mode may fit");
  }
  TORCH_CHECK(sizes_differ || (guide.sym_size(2) == input.sym_size(2) && guide.sym_size(3) == input.sym_size(3)), op,
              ": guide ", guide.sym_sizes(), " and input ", input.sym_sizes(), " have different sizes; resize one of them");
}

void guided_check_eps(const char* op, const at::Tensor& eps, const at::Tensor& input) {
  box_check_input(op, "eps", eps);
  TORCH_CHECK(eps.sym_numel() == 1, op, ": eps is one number, got shape ", eps.sym_sizes());
  TORCH_CHECK_VALUE(eps.is_cpu() || input.is_meta() || eps.device() == input.device(), op, ": eps is on ",
                    eps.device(), ", the input on ", input.device(), "; move it there or to the CPU");
}

double guided_eps_value(const char* op, const at::Tensor& eps) {
  const double value = eps.item<double>();
  TORCH_CHECK_VALUE(std::isfinite(value) && value >= 0.0, op, ": eps is a finite number, 0 or more, in squared units of the guide; got ",
                    value);
  return value;
}

namespace {

at::Tensor like(const at::Tensor& tensor) { return at::empty_symint(tensor.sym_sizes(), tensor.options()); }

void check_filter(const char* op, const at::Tensor& guide, const at::Tensor& input, int64_t radius, const at::Tensor& eps,
                  c10::string_view mode, c10::string_view edge) {
  guided_check_alike(op, "the guide", guide, "the input", input);
  guided_check_pair(op, guided_check_mode(op, mode), guide, input);
  guided_check_eps(op, eps, input);
  box_check_radius(op, radius, 1);
  box_check_edge(op, edge);
}

at::Tensor empty_coefficients(const at::Tensor& input, c10::string_view mode) {
  const int64_t fields = guided_guides(guided_check_mode("guided_coefficients", mode)) + 1;
  return at::empty_symint({input.sym_size(0), input.sym_size(1), fields, input.sym_size(2), input.sym_size(3)},
                          input.options());
}

at::Tensor filter_meta(const at::Tensor& guide, const at::Tensor& input, int64_t radius, const at::Tensor& eps,
                       c10::string_view mode, c10::string_view edge) {
  check_filter("guided_filter", guide, input, radius, eps, mode, edge);
  return like(input);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> filter_backward_meta(const at::Tensor& grad, const at::Tensor& guide,
                                                                    const at::Tensor& input, int64_t radius,
                                                                    const at::Tensor& eps, c10::string_view mode,
                                                                    c10::string_view edge) {
  check_filter("_guided_filter_backward", guide, input, radius, eps, mode, edge);
  guided_check_alike("_guided_filter_backward", "the gradient", grad, "the input", input);
  return {like(guide), like(input), like(eps)};
}

at::Tensor coefficients_meta(const at::Tensor& guide, const at::Tensor& input, int64_t radius, const at::Tensor& eps,
                             c10::string_view mode, c10::string_view edge, bool average) {
  check_filter("guided_coefficients", guide, input, radius, eps, mode, edge);
  return empty_coefficients(input, mode);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> coefficients_backward_meta(const at::Tensor& grad, const at::Tensor& guide,
                                                                          const at::Tensor& input, int64_t radius,
                                                                          const at::Tensor& eps, c10::string_view mode,
                                                                          c10::string_view edge, bool average) {
  check_filter("_guided_coefficients_backward", guide, input, radius, eps, mode, edge);
  guided_check_alike("_guided_coefficients_backward", "the gradient", grad, "the input", input);
  return {like(guide), like(input), like(eps)};
}

at::Tensor apply_meta(const at::Tensor& coefficients, const at::Tensor& guide, c10::string_view mode, bool align_corners) {
  guided_check_alike("guided_apply", "the guide", guide, "coefficients", coefficients);
  return at::empty_symint({coefficients.sym_size(0), coefficients.sym_size(1), guide.sym_size(2), guide.sym_size(3)},
                          guide.options());
}

std::tuple<at::Tensor, at::Tensor> apply_backward_meta(const at::Tensor& grad, const at::Tensor& coefficients,
                                                       const at::Tensor& guide, c10::string_view mode, bool align_corners) {
  guided_check_alike("_guided_apply_backward", "the guide", guide, "coefficients", coefficients);
  guided_check_alike("_guided_apply_backward", "the gradient", grad, "the guide", guide);
  return {like(coefficients), like(guide)};
}

at::Tensor downsample_meta(const at::Tensor& input, int64_t factor) {
  box_check_input("area_downsample", "the input", input);
  TORCH_CHECK(input.dim() == 4, "area_downsample: the input is [B, C, H, W], got shape ", input.sym_sizes());
  box_check_radius("area_downsample", factor, 1);
  const auto shrunk = [&](int64_t axis) { return (input.sym_size(axis) + (factor - 1)) / factor; };
  return at::empty_symint({input.sym_size(0), input.sym_size(1), shrunk(2), shrunk(3)}, input.options());
}

at::Tensor downsample_backward_meta(const at::Tensor& grad, c10::SymInt height, c10::SymInt width, int64_t factor) {
  return at::empty_symint({grad.sym_size(0), grad.sym_size(1), std::move(height), std::move(width)}, grad.options());
}

#define GUIDED_OPTIONS "*, str mode='gray', str edge='clip'"

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def("guided_filter(Tensor guide, Tensor input, int radius, Tensor eps, " GUIDED_OPTIONS ") -> Tensor");
  library.def(
      "_guided_filter_backward(Tensor grad, Tensor guide, Tensor input, int radius, Tensor eps, " GUIDED_OPTIONS
      ") -> (Tensor grad_guide, Tensor grad_input, Tensor grad_eps)");
  // Coefficients are `[B, C, guides + 1, H, W]`: a…, then b.
  library.def("guided_coefficients(Tensor guide, Tensor input, int radius, Tensor eps, " GUIDED_OPTIONS
              ", bool average=False) -> Tensor");
  library.def(
      "_guided_coefficients_backward(Tensor grad, Tensor guide, Tensor input, int radius, Tensor eps, " GUIDED_OPTIONS
      ", bool average=False) -> (Tensor grad_guide, Tensor grad_input, Tensor grad_eps)");
  library.def("guided_apply(Tensor coefficients, Tensor guide, *, str mode='gray', bool align_corners=True) -> Tensor");
  library.def(
      "_guided_apply_backward(Tensor grad, Tensor coefficients, Tensor guide, *, str mode='gray', "
      "bool align_corners=True) -> (Tensor grad_coefficients, Tensor grad_guide)");
  library.def("area_downsample(Tensor input, int factor) -> Tensor");
  library.def("_area_downsample_backward(Tensor grad, SymInt height, SymInt width, int factor) -> Tensor");
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) {
  library.impl("guided_filter", filter_meta);
  library.impl("_guided_filter_backward", filter_backward_meta);
  library.impl("guided_coefficients", coefficients_meta);
  library.impl("_guided_coefficients_backward", coefficients_backward_meta);
  library.impl("guided_apply", apply_meta);
  library.impl("_guided_apply_backward", apply_backward_meta);
  library.impl("area_downsample", downsample_meta);
  library.impl("_area_downsample_backward", downsample_backward_meta);
}

}  // namespace

}  // namespace vision_native
