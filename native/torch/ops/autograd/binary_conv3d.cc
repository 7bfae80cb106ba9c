// Gradients of binary 3D convolution.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "torch/ops/binary_conv3d_train.h"

namespace vision_native {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

std::optional<at::Tensor> optional(const at::Tensor& tensor) {
  return tensor.defined() ? std::optional(tensor) : std::nullopt;
}

at::Tensor or_undefined(const std::optional<at::Tensor>& tensor) { return tensor ? *tensor : at::Tensor(); }

void save(AutogradContext* context, const BinConv3dOptions& options) {
  context->saved_data["stride"] = options.stride;
  context->saved_data["padding"] = options.padding;
  context->saved_data["scale"] = options.scale;
  context->saved_data["estimator"] = options.estimator;
}

BinConv3dOptions saved_options(AutogradContext* context) {
  return {context->saved_data["stride"].toIntVector(), context->saved_data["padding"].toIntVector(),
          context->saved_data["scale"].toStringRef(), context->saved_data["estimator"].toStringRef()};
}

struct Forward : torch::autograd::Function<Forward> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias, const BinConv3dOptions& options) {
    context->save_for_backward({x, weight, or_undefined(bias)});
    save(context, options);
    const at::AutoDispatchBelowADInplaceOrView below;
    return call_bin_conv3d(x, weight, bias, options);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const std::array<bool, 3> wanted{context->needs_input_grad(0), context->needs_input_grad(1),
                                     saved[2].defined() && context->needs_input_grad(2)};
    const auto [dx, dw, db] = call_bin_conv3d_backward(gradients[0], saved[0], saved[1], optional(saved[2]),
                                                       saved_options(context), wanted);
    return {wanted[0] ? dx : Variable(), wanted[1] ? dw : Variable(), wanted[2] ? db : Variable(), Variable()};
  }
};

struct Backward : torch::autograd::Function<Backward> {
  static variable_list forward(AutogradContext*, const at::Tensor& gradient, const at::Tensor& x,
                               const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                               const BinConv3dOptions& options, std::array<bool, 3> wanted) {
    const at::AutoDispatchBelowADInplaceOrView below;
    const auto [dx, dw, db] = call_bin_conv3d_backward(gradient, x, weight, bias, options, wanted);
    return {dx, dw, db};
  }

  static variable_list backward(AutogradContext*, const variable_list&) {
    TORCH_CHECK_NOT_IMPLEMENTED(false, "bin_conv3d: a second derivative was asked for; its estimators have none, so use "
                                       "gradients of first order only");
  }
};

at::Tensor bin_conv3d(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                      at::IntArrayRef stride, at::IntArrayRef padding, c10::string_view scale,
                      c10::string_view estimator) {
  const BinConv3dOptions options{stride.vec(), padding.vec(), std::string(scale), std::string(estimator)};
  return Forward::apply(x, weight, bias, options);
}

BinConv3dGradients bin_conv3d_backward(const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& weight,
                                       const std::optional<at::Tensor>& bias, at::IntArrayRef stride,
                                       at::IntArrayRef padding, c10::string_view scale, c10::string_view estimator,
                                       std::array<bool, 3> wanted) {
  const BinConv3dOptions options{stride.vec(), padding.vec(), std::string(scale), std::string(estimator)};
  const variable_list gradients = Backward::apply(gradient, x, weight, bias, options, wanted);
  return {gradients[0], gradients[1], gradients[2]};
}

TORCH_LIBRARY_IMPL(vision_native, Autograd, library) {
  library.impl("bin_conv3d", bin_conv3d);
  library.impl("_bin_conv3d_backward", bin_conv3d_backward);
}

}  // namespace

}  // namespace vision_native
