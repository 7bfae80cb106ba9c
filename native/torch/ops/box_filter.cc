// Means over square windows and their transpose: schemas, checks, shapes.
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include "torch/ops/guided_filter.h"

namespace vision_native {

BoxEdge box_check_edge(const char* op, c10::string_view edge) {
  if (edge == "clip") return BoxEdge::kClip;
  TORCH_CHECK_VALUE(edge == "reflect", op, ": edge is 'clip' or 'reflect', got '", edge, "'");
  return BoxEdge::kReflect;
}

void box_check_input(const char* op, const char* name, const at::Tensor& input) {
  const at::ScalarType type = input.scalar_type();
  TORCH_CHECK_TYPE(type == at::kFloat || type == at::kDouble || type == at::kHalf || type == at::kBFloat16, op, ": ", name,
                   " is float16, bfloat16, float32 or float64, got ", type, "; convert it, bytes to 0–1");
  TORCH_CHECK_VALUE(input.layout() == c10::kStrided, op, ": ", name, " is a dense tensor, got ", input.layout(),
                    "; call toDense() on it");
}

void box_check_radius(const char* op, int64_t radius, int64_t least) {
  TORCH_CHECK_VALUE(radius >= least && radius <= (int64_t{1} << 31) - 1, op, ": radius is a whole number of pixels from ",
                    least, " to 2147483647, got ", radius);
}

namespace {

at::Tensor meta(const char* op, const at::Tensor& input, int64_t radius, c10::string_view edge) {
  box_check_input(op, "the input", input);
  TORCH_CHECK(input.dim() >= 2, op, ": the input is […, H, W], got shape ", input.sym_sizes());
  box_check_radius(op, radius, 0);
  box_check_edge(op, edge);
  return at::empty_symint(input.sym_sizes(), input.options());
}

at::Tensor box_filter_meta(const at::Tensor& input, int64_t radius, c10::string_view edge) {
  return meta("box_filter", input, radius, edge);
}

at::Tensor box_filter_backward_meta(const at::Tensor& grad, int64_t radius, c10::string_view edge) {
  return meta("_box_filter_backward", grad, radius, edge);
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def("box_filter(Tensor input, int radius, *, str edge='clip') -> Tensor");
  library.def("_box_filter_backward(Tensor grad, int radius, *, str edge='clip') -> Tensor");
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) {
  library.impl("box_filter", box_filter_meta);
  library.impl("_box_filter_backward", box_filter_backward_meta);
}

}  // namespace

}  // namespace vision_native
