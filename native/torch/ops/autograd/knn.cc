// Gradients of distances of nearest neighbours and of the Chamfer distance. Indices have none.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

namespace vision_native {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;
using OptionalTensor = std::optional<at::Tensor>;

template <class Signature>
c10::TypedOperatorHandle<Signature> find(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").template typed<Signature>();
}

void refuse_second_order(const char* op, const variable_list& grads) {
  for (const at::Tensor& grad : grads) {
    TORCH_CHECK_NOT_IMPLEMENTED(!(at::GradMode::is_enabled() && grad.defined() && grad.requires_grad()), op,
                                ": has no second derivative; call grad() without createGraph");
  }
}

// ---- Nearest neighbours ---------------------------------------------------------------------------------------------

using Pair = std::tuple<at::Tensor, at::Tensor>;
using Knn = Pair(const at::Tensor&, const at::Tensor&, int64_t, const OptionalTensor&, const OptionalTensor&);
using KnnBackward = Pair(const at::Tensor&, const at::Tensor&, const at::Tensor&, const at::Tensor&, bool, bool);

struct KnnFunction : Function<KnnFunction> {
  static variable_list forward(AutogradContext* context, const at::Tensor& query, const at::Tensor& reference, int64_t k,
                               const OptionalTensor& query_lengths, const OptionalTensor& reference_lengths) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    static const auto op = find<Knn>("vision_native::knn");
    const auto [distances, indices] = op.call(query, reference, k, query_lengths, reference_lengths);
    context->save_for_backward({query, reference, indices});
    context->mark_non_differentiable({indices});
    context->set_materialize_grads(false);
    return {distances, indices};
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    variable_list result(5);
    if (!grads[0].defined()) return result;
    refuse_second_order("knn", grads);
    static const auto op = find<KnnBackward>("vision_native::_knn_backward");
    const variable_list saved = context->get_saved_variables();
    const bool first = context->needs_input_grad(0), second = context->needs_input_grad(1);
    const auto [by_query, by_reference] = op.call(grads[0], saved[0], saved[1], saved[2], first, second);
    if (first) result[0] = by_query;
    if (second) result[1] = by_reference;
    return result;
  }
};

Pair knn(const at::Tensor& query, const at::Tensor& reference, int64_t k, const OptionalTensor& query_lengths,
         const OptionalTensor& reference_lengths) {
  const variable_list results = KnnFunction::apply(query, reference, k, query_lengths, reference_lengths);
  return {results[0], results[1]};
}

// ---- Chamfer distance -----------------------------------------------------------------------------------------------

using Four = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor>;
using Chamfer = Four(const at::Tensor&, const at::Tensor&, const OptionalTensor&, const OptionalTensor&, bool);
using ChamferBackward = Pair(const at::Tensor&, const at::Tensor&, const at::Tensor&, const at::Tensor&,
                             const at::Tensor&, const at::Tensor&, bool);

struct ChamferFunction : Function<ChamferFunction> {
  static variable_list forward(AutogradContext* context, const at::Tensor& first, const at::Tensor& second,
                               const OptionalTensor& first_lengths, const OptionalTensor& second_lengths, bool squared) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    static const auto op = find<Chamfer>("vision_native::chamfer_distance");
    const auto [near, far, near_at, far_at] = op.call(first, second, first_lengths, second_lengths, squared);
    context->save_for_backward({first, second, near_at, far_at});
    context->saved_data["squared"] = squared;
    context->mark_non_differentiable({near_at, far_at});
    return {near, far, near_at, far_at};
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    refuse_second_order("chamfer_distance", {grads[0], grads[1]});
    static const auto op = find<ChamferBackward>("vision_native::_chamfer_distance_backward");
    const variable_list saved = context->get_saved_variables();
    const auto [by_first, by_second] = op.call(grads[0], grads[1], saved[0], saved[1], saved[2], saved[3],
                                               context->saved_data["squared"].toBool());
    return {by_first, by_second, {}, {}, {}};
  }
};

Four chamfer_distance(const at::Tensor& first, const at::Tensor& second, const OptionalTensor& first_lengths,
                      const OptionalTensor& second_lengths, bool squared) {
  const variable_list results = ChamferFunction::apply(first, second, first_lengths, second_lengths, squared);
  return {results[0], results[1], results[2], results[3]};
}

TORCH_LIBRARY_IMPL(vision_native, Autograd, library) {
  library.impl("knn", knn);
  library.impl("chamfer_distance", chamfer_distance);
}

}  // namespace

}  // namespace vision_native
