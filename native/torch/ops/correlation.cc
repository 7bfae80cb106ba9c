// Correlation of two maps over displacements: schemas, checks and shapes. Dosovitskiy et al., "FlowNet: Learning Optical
// Flow with Convolutional Networks", ICCV 2015.
#include "torch/ops/correlation.h"

#include <ATen/ops/empty.h>
#include <torch/library.h>

namespace vision_native {

namespace {

/// Options beyond this are mistakes, and sizes made of them stay far below 2⁶³.
constexpr int64_t kLargest = 1 << 20;

void read_pair(std::string_view op, const char* name, c10::IntArrayRef values, int64_t least, int64_t (&to)[2]) {
  TORCH_CHECK_VALUE(values.size() == 2, op, ": ", name, " is one number or [height, width], got ", values);
  for (int i = 0; i < 2; ++i) {
    TORCH_CHECK_VALUE(values[i] >= least && values[i] <= kLargest, op, ": ", name, " is ", least, " to ", kLargest,
                      ", got ", values);
    to[i] = values[i];
  }
}

at::Tensor correlation_meta(const at::Tensor& first, const at::Tensor& second, c10::IntArrayRef kernel_size,
                            c10::IntArrayRef patch_size, c10::IntArrayRef stride, c10::IntArrayRef padding,
                            c10::IntArrayRef dilation, c10::IntArrayRef dilation_patch) {
  return correlation_empty_result(first, correlation_check("correlation", first, second, kernel_size, patch_size, stride,
                                                           padding, dilation, dilation_patch));
}

std::tuple<at::Tensor, at::Tensor> backward_meta(const at::Tensor& grad, const at::Tensor& first,
                                                 const at::Tensor& second, c10::IntArrayRef kernel_size,
                                                 c10::IntArrayRef patch_size, c10::IntArrayRef stride,
                                                 c10::IntArrayRef padding, c10::IntArrayRef dilation,
                                                 c10::IntArrayRef dilation_patch, bool first_grad, bool second_grad) {
  correlation_check_grad(grad, first,
                         correlation_check("_correlation_backward", first, second, kernel_size, patch_size, stride,
                                           padding, dilation, dilation_patch));
  return correlation_empty_gradients(first, first_grad, second_grad);
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def(
      "correlation(Tensor first, Tensor second, *, int[2] kernel_size=1, int[2] patch_size=1, int[2] stride=1, "
      "int[2] padding=0, int[2] dilation=1, int[2] dilation_patch=1) -> Tensor");
  library.def(
      "_correlation_backward(Tensor grad, Tensor first, Tensor second, int[2] kernel_size, int[2] patch_size, "
      "int[2] stride, int[2] padding, int[2] dilation, int[2] dilation_patch, bool first_grad, bool second_grad) -> "
      "(Tensor first_grad, Tensor second_grad)");
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) {
  library.impl("correlation", correlation_meta);
  library.impl("_correlation_backward", backward_meta);
}

}  // namespace

CorrelationOptions correlation_check(std::string_view op, const at::Tensor& first, const at::Tensor& second,
                                     c10::IntArrayRef kernel_size, c10::IntArrayRef patch_size, c10::IntArrayRef stride,
                                     c10::IntArrayRef padding, c10::IntArrayRef dilation,
                                     c10::IntArrayRef dilation_patch) {
  const c10::ScalarType type = first.scalar_type();
  TORCH_CHECK_TYPE(type == at::kFloat || type == at::kDouble || type == at::kHalf || type == at::kBFloat16, op,
                   ": maps are float32, float64, float16 or bfloat16, got ", type, "; convert them");
  TORCH_CHECK_TYPE(second.scalar_type() == type, op, ": the maps have one dtype, got ", type, " and ",
                   second.scalar_type(), "; convert one");
  CorrelationOptions options;
  read_pair(op, "kernel_size", kernel_size, 1, options.kernel);
  read_pair(op, "patch_size", patch_size, 1, options.patch);
  read_pair(op, "stride", stride, 1, options.stride);
  read_pair(op, "padding", padding, 0, options.padding);
  read_pair(op, "dilation", dilation, 1, options.dilation);
  read_pair(op, "dilation_patch", dilation_patch, 1, options.dilation_patch);
  TORCH_CHECK(first.dim() == 4, op, ": maps are [B, C, H, W], got shape ", first.sym_sizes());
  TORCH_CHECK(first.sym_sizes() == second.sym_sizes(), op, ": the maps have one shape, got ", first.sym_sizes(), " and ",
              second.sym_sizes());
  TORCH_CHECK(first.device() == second.device(), op, ": the maps are on ", first.device(), " and ", second.device(),
              "; move one");
  for (int axis = 0; axis < 2; ++axis) {
    const int64_t size = first.sym_size(2 + axis).guard_int(__FILE__, __LINE__);
    const int64_t extent = (options.kernel[axis] - 1) * options.dilation[axis] + 1;
    TORCH_CHECK(size + 2 * options.padding[axis] >= extent, op, ": a kernel that spans ", extent,
                " does not fit a side of ", size, " with padding ", options.padding[axis],
                "; pad the maps or take a smaller kernel_size or dilation");
    options.out[axis] = (size + 2 * options.padding[axis] - extent) / options.stride[axis] + 1;
  }
  // No bound on the elements here: the allocation of a result that is too large is refused with its size.
  return options;
}

void correlation_check_grad(const at::Tensor& grad, const at::Tensor& first, const CorrelationOptions& options) {
  constexpr const char* op = "_correlation_backward";
  TORCH_CHECK_TYPE(grad.scalar_type() == first.scalar_type(), op, ": the gradient has the dtype of the maps, ",
                   first.scalar_type(), ", got ", grad.scalar_type());
  TORCH_CHECK(grad.dim() == 5 && grad.sym_size(0) == first.sym_size(0) && grad.sym_size(1) == options.patch[0] &&
                  grad.sym_size(2) == options.patch[1] && grad.sym_size(3) == options.out[0] &&
                  grad.sym_size(4) == options.out[1],
              op, ": the gradient is [B, ", options.patch[0], ", ", options.patch[1], ", ", options.out[0], ", ",
              options.out[1], "], got shape ", grad.sym_sizes());
  TORCH_CHECK(grad.device() == first.device(), op, ": the maps are on ", first.device(), " and the gradient on ",
              grad.device());
}

at::Tensor correlation_empty_result(const at::Tensor& first, const CorrelationOptions& options) {
  return at::empty_symint({first.sym_size(0), options.patch[0], options.patch[1], options.out[0], options.out[1]},
                          first.options());
}

std::tuple<at::Tensor, at::Tensor> correlation_empty_gradients(const at::Tensor& first, bool first_grad,
                                                               bool second_grad) {
  const auto empty_or_none = [&](bool wanted) {
    return wanted ? at::empty_symint(first.sym_sizes(), first.options()) : at::empty({0}, first.options());
  };
  return {empty_or_none(first_grad), empty_or_none(second_grad)};
}

}  // namespace vision_native
