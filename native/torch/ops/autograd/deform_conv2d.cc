// Gradients of deformable convolution by all its tensors; samples are taken again.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "torch/ops/deform_conv2d.h"

namespace vision_native {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;
using MaybeTensor = std::optional<at::Tensor>;

using Signature = at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, const MaybeTensor&,
                             at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, const MaybeTensor&);
using BackwardSignature = DeformGradients(const at::Tensor&, const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                          const MaybeTensor&, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef,
                                          std::array<bool, 5>);

class DeformConv2d : public torch::autograd::Function<DeformConv2d> {
 public:
  static Variable forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& offset,
                          const at::Tensor& weight, const MaybeTensor& bias, const MaybeTensor& mask,
                          const std::vector<int64_t>& stride, const std::vector<int64_t>& padding,
                          const std::vector<int64_t>& dilation) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    static const auto op =
        c10::Dispatcher::singleton().findSchemaOrThrow("vision_native::deform_conv2d", "").typed<Signature>();
    context->save_for_backward({input, offset, weight, mask.value_or(at::Tensor())});
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    context->saved_data["dilation"] = dilation;
    context->saved_data["bias"] = bias && bias->defined() && bias->requires_grad();
    context->saved_data["mask"] = mask && mask->defined() && mask->requires_grad();
    return op.call(input, offset, weight, bias, stride, padding, dilation, mask);
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    variable_list result(8);
    if (!grads[0].defined()) return result;
    TORCH_CHECK_NOT_IMPLEMENTED(!(at::GradMode::is_enabled() && grads[0].requires_grad()),
                                "deform_conv2d: has no second derivative; call grad() without createGraph");
    static const auto op = c10::Dispatcher::singleton()
                               .findSchemaOrThrow("vision_native::_deform_conv2d_backward", "")
                               .typed<BackwardSignature>();
    const variable_list saved = context->get_saved_variables();
    const MaybeTensor mask = saved[3].defined() ? MaybeTensor(saved[3]) : std::nullopt;
    const std::array<bool, 5> wanted{context->needs_input_grad(0), context->needs_input_grad(1),
                                     context->needs_input_grad(2), context->saved_data["bias"].toBool(),
                                     context->saved_data["mask"].toBool()};
    std::tie(result[0], result[1], result[2], result[3], result[4]) =
        op.call(grads[0], saved[0], saved[1], saved[2], mask, context->saved_data["stride"].toIntVector(),
                context->saved_data["padding"].toIntVector(), context->saved_data["dilation"].toIntVector(), wanted);
    return result;
  }
};

at::Tensor deform_conv2d(const at::Tensor& input, const at::Tensor& offset, const at::Tensor& weight,
                         const MaybeTensor& bias, at::IntArrayRef stride, at::IntArrayRef padding,
                         at::IntArrayRef dilation, const MaybeTensor& mask) {
  return DeformConv2d::apply(input, offset, weight, bias, mask, stride.vec(), padding.vec(), dilation.vec());
}

TORCH_LIBRARY_IMPL(vision_native, Autograd, library) { library.impl("deform_conv2d", deform_conv2d); }

}  // namespace

}  // namespace vision_native
