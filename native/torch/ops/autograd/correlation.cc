// Gradient of correlation, and its autocast.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

namespace vision_native {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;
using Sizes = c10::IntArrayRef;

using Signature = at::Tensor(const at::Tensor&, const at::Tensor&, Sizes, Sizes, Sizes, Sizes, Sizes, Sizes);
using BackwardSignature = std::tuple<at::Tensor, at::Tensor>(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                                             Sizes, Sizes, Sizes, Sizes, Sizes, Sizes, bool, bool);

at::Tensor call_correlation(const at::Tensor& first, const at::Tensor& second, Sizes kernel_size, Sizes patch_size,
                            Sizes stride, Sizes padding, Sizes dilation, Sizes dilation_patch) {
  static const auto op =
      c10::Dispatcher::singleton().findSchemaOrThrow("vision_native::correlation", "").typed<Signature>();
  return op.call(first, second, kernel_size, patch_size, stride, padding, dilation, dilation_patch);
}

class Correlation : public torch::autograd::Function<Correlation> {
 public:
  static Variable forward(AutogradContext* context, const at::Tensor& first, const at::Tensor& second, Sizes kernel_size,
                          Sizes patch_size, Sizes stride, Sizes padding, Sizes dilation, Sizes dilation_patch) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    context->save_for_backward({first, second});
    context->saved_data["kernel_size"] = kernel_size;
    context->saved_data["patch_size"] = patch_size;
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    context->saved_data["dilation"] = dilation;
    context->saved_data["dilation_patch"] = dilation_patch;
    return call_correlation(first, second, kernel_size, patch_size, stride, padding, dilation, dilation_patch);
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    variable_list result(8);
    if (!grads[0].defined()) return result;
    TORCH_CHECK_NOT_IMPLEMENTED(!(at::GradMode::is_enabled() && grads[0].requires_grad()),
                                "correlation: has no second derivative; call grad() without createGraph");
    static const auto op = c10::Dispatcher::singleton()
                               .findSchemaOrThrow("vision_native::_correlation_backward", "")
                               .typed<BackwardSignature>();
    const auto sizes = [&](const char* name) { return context->saved_data[name].toIntVector(); };
    auto [first, second] =
        op.call(grads[0], saved[0], saved[1], sizes("kernel_size"), sizes("patch_size"), sizes("stride"),
                sizes("padding"), sizes("dilation"), sizes("dilation_patch"), context->needs_input_grad(0),
                context->needs_input_grad(1));
    if (context->needs_input_grad(0)) result[0] = first;
    if (context->needs_input_grad(1)) result[1] = second;
    return result;
  }
};

at::Tensor correlation(const at::Tensor& first, const at::Tensor& second, Sizes kernel_size, Sizes patch_size,
                       Sizes stride, Sizes padding, Sizes dilation, Sizes dilation_patch) {
  return Correlation::apply(first, second, kernel_size, patch_size, stride, padding, dilation, dilation_patch);
}

/// Maps may come from layers of different precision: the wider type wins.
template <c10::DispatchKey key>
at::Tensor correlation_autocast(const at::Tensor& first, const at::Tensor& second, Sizes kernel_size, Sizes patch_size,
                                Sizes stride, Sizes padding, Sizes dilation, Sizes dilation_patch) {
  const c10::impl::ExcludeDispatchKeyGuard guard(key);
  const c10::ScalarType type = c10::promoteTypes(first.scalar_type(), second.scalar_type());
  return call_correlation(first.to(type), second.to(type), kernel_size, patch_size, stride, padding, dilation,
                          dilation_patch);
}

TORCH_LIBRARY_IMPL(vision_native, Autograd, library) { library.impl("correlation", correlation); }
TORCH_LIBRARY_IMPL(vision_native, AutocastCPU, library) {
  library.impl("correlation", correlation_autocast<c10::DispatchKey::AutocastCPU>);
}
TORCH_LIBRARY_IMPL(vision_native, AutocastCUDA, library) {
  library.impl("correlation", correlation_autocast<c10::DispatchKey::AutocastCUDA>);
}

}  // namespace

}  // namespace vision_native
