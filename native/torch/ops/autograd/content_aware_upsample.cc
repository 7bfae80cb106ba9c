// Gradient of content-aware upsampling; the softmax is recomputed.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

namespace vision_native {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

using Signature = at::Tensor(const at::Tensor&, const at::Tensor&, int64_t, int64_t, int64_t, c10::string_view);
using BackwardSignature = std::tuple<at::Tensor, at::Tensor>(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                                             int64_t, int64_t, int64_t, c10::string_view, bool, bool);

class ContentAwareUpsample : public torch::autograd::Function<ContentAwareUpsample> {
 public:
  static Variable forward(AutogradContext* context, const at::Tensor& features, const at::Tensor& logits, int64_t scale,
                          int64_t window, int64_t groups, const std::string& border) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    static const auto op = c10::Dispatcher::singleton()
                               .findSchemaOrThrow("vision_native::content_aware_upsample", "")
                               .typed<Signature>();
    context->save_for_backward({features, logits});
    context->saved_data["scale"] = scale;
    context->saved_data["window"] = window;
    context->saved_data["groups"] = groups;
    context->saved_data["border"] = border;
    return op.call(features, logits, scale, window, groups, border);
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    variable_list result(6);
    if (!grads[0].defined()) return result;
    TORCH_CHECK_NOT_IMPLEMENTED(!(at::GradMode::is_enabled() && grads[0].requires_grad()),
                                "content_aware_upsample: has no second derivative; call grad() without createGraph");
    static const auto op = c10::Dispatcher::singleton()
                               .findSchemaOrThrow("vision_native::_content_aware_upsample_backward", "")
                               .typed<BackwardSignature>();
    const bool first = context->needs_input_grad(0);
    const bool second = context->needs_input_grad(1);
    auto [features_grad, logits_grad] =
        op.call(grads[0], saved[0], saved[1], context->saved_data["scale"].toInt(),
                context->saved_data["window"].toInt(), context->saved_data["groups"].toInt(),
                context->saved_data["border"].toStringRef(), first, second);
    if (first) result[0] = features_grad;
    if (second) result[1] = logits_grad;
    return result;
  }
};

at::Tensor content_aware_upsample(const at::Tensor& features, const at::Tensor& logits, int64_t scale, int64_t window,
                                  int64_t groups, c10::string_view border) {
  return ContentAwareUpsample::apply(features, logits, scale, window, groups, std::string(border));
}

TORCH_LIBRARY_IMPL(vision_native, Autograd, library) {
  library.impl("content_aware_upsample", content_aware_upsample);
}

}  // namespace

}  // namespace vision_native
