// Gradients of the capsule operators. The backward passes are operators of their own, and recompute from the votes.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

namespace vision_native {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;
using Pair = std::tuple<at::Tensor, at::Tensor>;

template <typename Signature>
c10::TypedOperatorHandle<Signature> find(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

void refuse_second_order(const char* op, const at::Tensor& grad) {
  TORCH_CHECK_NOT_IMPLEMENTED(!(at::GradMode::is_enabled() && grad.requires_grad()), op,
                              ": has no second derivative; call grad() without createGraph");
}

using RoutingSignature = Pair(const at::Tensor&, const std::optional<at::Tensor>&, int64_t, double, bool, bool);
using RoutingBackwardSignature = Pair(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, int64_t,
                                      double, bool);

class CapsuleRouting : public torch::autograd::Function<CapsuleRouting> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& votes, const std::optional<at::Tensor>& bias,
                               int64_t iterations, double kappa, bool detach, bool return_couplings) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    static const auto op = find<RoutingSignature>("vision_native::capsule_routing");
    auto [capsules, couplings] = op.call(votes, bias, iterations, kappa, detach, return_couplings);
    context->save_for_backward({votes, bias.value_or(at::Tensor())});
    context->saved_data["iterations"] = iterations;
    context->saved_data["kappa"] = kappa;
    context->saved_data["detach"] = detach;
    context->mark_non_differentiable({couplings});
    return {capsules, couplings};
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    variable_list result(6);
    if (!grads[0].defined()) return result;
    refuse_second_order("capsule_routing", grads[0]);
    static const auto op = find<RoutingBackwardSignature>("vision_native::_capsule_routing_backward");
    const std::optional<at::Tensor> bias = saved[1].defined() ? std::optional(saved[1]) : std::nullopt;
    auto [votes_grad, bias_grad] =
        op.call(grads[0], saved[0], bias, context->saved_data["iterations"].toInt(),
                context->saved_data["kappa"].toDouble(), context->saved_data["detach"].toBool());
    if (context->needs_input_grad(0)) result[0] = votes_grad;
    if (bias && context->needs_input_grad(1)) result[1] = bias_grad;
    return result;
  }
};

Pair capsule_routing(const at::Tensor& votes, const std::optional<at::Tensor>& bias, int64_t iterations, double kappa,
                     bool detach, bool return_couplings) {
  const variable_list out = CapsuleRouting::apply(votes, bias, iterations, kappa, detach, return_couplings);
  return {out[0], out[1]};
}

using SquashSignature = at::Tensor(const at::Tensor&, double, int64_t);
using SquashBackwardSignature = at::Tensor(const at::Tensor&, const at::Tensor&, double, int64_t);

class Squash : public torch::autograd::Function<Squash> {
 public:
  static Variable forward(AutogradContext* context, const at::Tensor& input, double kappa, int64_t dim) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    static const auto op = find<SquashSignature>("vision_native::squash");
    context->save_for_backward({input});
    context->saved_data["kappa"] = kappa;
    context->saved_data["dim"] = dim;
    return op.call(input, kappa, dim);
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    if (!grads[0].defined()) return variable_list(3);
    refuse_second_order("squash", grads[0]);
    static const auto op = find<SquashBackwardSignature>("vision_native::_squash_backward");
    return {op.call(grads[0], saved[0], context->saved_data["kappa"].toDouble(), context->saved_data["dim"].toInt()),
            Variable(), Variable()};
  }
};

at::Tensor squash(const at::Tensor& input, double kappa, int64_t dim) { return Squash::apply(input, kappa, dim); }

TORCH_LIBRARY_IMPL(vision_native, Autograd, library) {
  library.impl("capsule_routing", capsule_routing);
  library.impl("squash", squash);
}

}  // namespace

}  // namespace vision_native
