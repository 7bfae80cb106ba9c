// Gradients of the capsule operators. The backward passes are operators of their own, and recompute from the votes.
#include <ATen/autocast_mode.h>
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

/// Without one, nothing is kept for a backward pass.
bool needs_gradient(std::initializer_list<at::Tensor> inputs) {
  if (!at::GradMode::is_enabled()) return false;
  return std::any_of(inputs.begin(), inputs.end(),
                     [](const at::Tensor& input) { return input.defined() && input.requires_grad(); });
}

using RoutingSignature = Pair(const at::Tensor&, const std::optional<at::Tensor>&, int64_t, double, bool, bool);
using RoutingForwardSignature = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor>(
    const at::Tensor&, const std::optional<at::Tensor>&, int64_t, double, bool);
using RoutingBackwardSignature = Pair(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                                      const at::Tensor&, const at::Tensor&, int64_t, double, bool);

class CapsuleRouting : public torch::autograd::Function<CapsuleRouting> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& votes, const std::optional<at::Tensor>& bias,
                               int64_t iterations, double kappa, bool detach, bool return_couplings) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    static const auto op = find<RoutingForwardSignature>("vision_native::_capsule_routing_forward");
    auto [capsules, couplings, logits, statistics] = op.call(votes, bias, iterations, kappa, return_couplings);
    context->save_for_backward({votes, bias.value_or(at::Tensor()), logits, statistics});
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
        op.call(grads[0], saved[0], bias, saved[2], saved[3], context->saved_data["iterations"].toInt(),
                context->saved_data["kappa"].toDouble(), context->saved_data["detach"].toBool());
    if (context->needs_input_grad(0)) result[0] = votes_grad;
    if (bias && context->needs_input_grad(1)) result[1] = bias_grad;
    return result;
  }
};

Pair capsule_routing(const at::Tensor& votes, const std::optional<at::Tensor>& bias, int64_t iterations, double kappa,
                     bool detach, bool return_couplings) {
  if (!needs_gradient({votes, bias.value_or(at::Tensor())})) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    static const auto op = find<RoutingSignature>("vision_native::capsule_routing");
    return op.call(votes, bias, iterations, kappa, detach, return_couplings);
  }
  const variable_list out = CapsuleRouting::apply(votes, bias, iterations, kappa, detach, return_couplings);
  return {out[0], out[1]};
}

using DenseSignature = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, int64_t, double,
                                  bool);
using DenseForwardSignature = Pair(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, int64_t,
                                   double);
using DenseBackwardSignature = std::tuple<at::Tensor, at::Tensor, at::Tensor>(
    const at::Tensor&, const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, const at::Tensor&, int64_t,
    double, bool);

class CapsuleRoutingDense : public torch::autograd::Function<CapsuleRoutingDense> {
 public:
  static Variable forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                          const std::optional<at::Tensor>& bias, int64_t iterations, double kappa, bool detach) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    static const auto op = find<DenseForwardSignature>("vision_native::_capsule_routing_dense_forward");
    auto [capsules, sums] = op.call(input, weight, bias, iterations, kappa);
    context->save_for_backward({input, weight, bias.value_or(at::Tensor()), sums});
    context->saved_data["iterations"] = iterations;
    context->saved_data["kappa"] = kappa;
    context->saved_data["detach"] = detach;
    return capsules;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    variable_list result(6);
    if (!grads[0].defined()) return result;
    refuse_second_order("capsule_routing_dense", grads[0]);
    static const auto op = find<DenseBackwardSignature>("vision_native::_capsule_routing_dense_backward");
    const std::optional<at::Tensor> bias = saved[2].defined() ? std::optional(saved[2]) : std::nullopt;
    auto [input_grad, weight_grad, bias_grad] =
        op.call(grads[0], saved[0], saved[1], bias, saved[3], context->saved_data["iterations"].toInt(),
                context->saved_data["kappa"].toDouble(), context->saved_data["detach"].toBool());
    if (context->needs_input_grad(0)) result[0] = input_grad;
    if (context->needs_input_grad(1)) result[1] = weight_grad;
    if (bias && context->needs_input_grad(2)) result[2] = bias_grad;
    return result;
  }
};

at::Tensor capsule_routing_dense(const at::Tensor& input, const at::Tensor& weight,
                                 const std::optional<at::Tensor>& bias, int64_t iterations, double kappa, bool detach) {
  if (!needs_gradient({input, weight, bias.value_or(at::Tensor())})) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    static const auto op = find<DenseSignature>("vision_native::capsule_routing_dense");
    return op.call(input, weight, bias, iterations, kappa, detach);
  }
  return CapsuleRoutingDense::apply(input, weight, bias, iterations, kappa, detach);
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
  library.impl("capsule_routing_dense", capsule_routing_dense);
  library.impl("squash", squash);
}

// ---- Autocast -------------------------------------------------------------------------------------------------------
// Routing takes votes as their layer made them, of half the digits too, and sums in float32. Dense routing makes its votes
// itself, as a matrix product does: input and weights get autocast's type.

template <c10::DeviceType device, c10::DispatchKey key>
at::Tensor autocast_dense(const at::Tensor& input, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                          int64_t iterations, double kappa, bool detach) {
  c10::impl::ExcludeDispatchKeyGuard guard(key);
  static const auto op = find<DenseSignature>("vision_native::capsule_routing_dense");
  const at::ScalarType type = at::autocast::get_autocast_dtype(device);
  return op.call(at::autocast::cached_cast(type, input, device), at::autocast::cached_cast(type, weight, device), bias,
                 iterations, kappa, detach);
}

TORCH_LIBRARY_IMPL(vision_native, AutocastCPU, library) {
  library.impl("capsule_routing_dense", autocast_dense<c10::DeviceType::CPU, c10::DispatchKey::AutocastCPU>);
}

TORCH_LIBRARY_IMPL(vision_native, AutocastCUDA, library) {
  library.impl("capsule_routing_dense", autocast_dense<c10::DeviceType::CUDA, c10::DispatchKey::AutocastCUDA>);
}

}  // namespace

}  // namespace vision_native
