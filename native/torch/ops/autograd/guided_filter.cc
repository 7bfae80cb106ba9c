// Gradients of the box filter and the guided filter. Backwards are operators; those of the guided filter have no
// gradients themselves, the box filter is linear and has all.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "torch/ops/guided_filter.h"

namespace vision_native {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;
using Triple = std::tuple<at::Tensor, at::Tensor, at::Tensor>;
using View = c10::string_view;

template <class Signature>
c10::TypedOperatorHandle<Signature> find(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").template typed<Signature>();
}

std::string text(AutogradContext* context, const char* name) { return context->saved_data[name].toStringRef(); }

// ---- Box filter -----------------------------------------------------------------------------------------------------

using Box = at::Tensor(const at::Tensor&, int64_t, View);

at::Tensor call_box(bool adjoint, const at::Tensor& input, int64_t radius, View edge) {
  static const auto mean = find<Box>("vision_native::box_filter");
  static const auto transposed = find<Box>("vision_native::_box_filter_backward");
  return (adjoint ? transposed : mean).call(input, radius, edge);
}

struct BoxFunction : Function<BoxFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, int64_t radius, const std::string& edge,
                            bool adjoint) {
    context->saved_data["radius"] = radius;
    context->saved_data["edge"] = edge;
    context->saved_data["adjoint"] = adjoint;
    at::AutoDispatchBelowADInplaceOrView guard;
    return call_box(adjoint, input, radius, edge);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const std::string edge = text(context, "edge");
    return {call_box(!context->saved_data["adjoint"].toBool(), grads[0], context->saved_data["radius"].toInt(), edge), {}, {}, {}};
  }
};

at::Tensor box_filter(const at::Tensor& input, int64_t radius, View edge) {
  return BoxFunction::apply(input, radius, std::string(edge), false);
}

at::Tensor box_filter_backward(const at::Tensor& grad, int64_t radius, View edge) {
  return BoxFunction::apply(grad, radius, std::string(edge), true);
}

// ---- Guided filter --------------------------------------------------------------------------------------------------

void refuse_second_order(const char* op, std::initializer_list<at::Tensor> tensors) {
  if (!at::GradMode::is_enabled()) return;
  for (const at::Tensor& tensor : tensors) {
    TORCH_CHECK_NOT_IMPLEMENTED(!tensor.requires_grad(), op, " has no gradient: second derivatives of the guided filter are not "
                                "implemented; call backward without createGraph");
  }
}

using Filter = at::Tensor(const at::Tensor&, const at::Tensor&, int64_t, const at::Tensor&, View, View);
using FilterBackward = Triple(const at::Tensor&, const at::Tensor&, const at::Tensor&, int64_t, const at::Tensor&, View, View);

struct FilterFunction : Function<FilterFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& guide, const at::Tensor& input, int64_t radius,
                            const at::Tensor& eps, const std::string& mode, const std::string& edge) {
    context->save_for_backward({guide, input, eps});
    context->saved_data["radius"] = radius;
    context->saved_data["mode"] = mode;
    context->saved_data["edge"] = edge;
    at::AutoDispatchBelowADInplaceOrView guard;
    static const auto op = find<Filter>("vision_native::guided_filter");
    return op.call(guide, input, radius, eps, mode, edge);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    static const auto op = find<FilterBackward>("vision_native::_guided_filter_backward");
    const variable_list saved = context->get_saved_variables();
    const std::string mode = text(context, "mode"), edge = text(context, "edge");
    const auto [guide, input, eps] =
        op.call(grads[0], saved[0], saved[1], context->saved_data["radius"].toInt(), saved[2], mode, edge);
    return {guide, input, {}, eps, {}, {}};
  }
};

at::Tensor guided_filter(const at::Tensor& guide, const at::Tensor& input, int64_t radius, const at::Tensor& eps, View mode,
                         View edge) {
  return FilterFunction::apply(guide, input, radius, eps, std::string(mode), std::string(edge));
}

Triple guided_filter_backward(const at::Tensor& grad, const at::Tensor& guide, const at::Tensor& input, int64_t radius,
                              const at::Tensor& eps, View mode, View edge) {
  refuse_second_order("_guided_filter_backward", {grad, guide, input, eps});
  static const auto op = find<FilterBackward>("vision_native::_guided_filter_backward");
  at::AutoDispatchBelowADInplaceOrView guard;
  return op.call(grad, guide, input, radius, eps, mode, edge);
}

// ---- Coefficients ---------------------------------------------------------------------------------------------------

using Coefficients = at::Tensor(const at::Tensor&, const at::Tensor&, int64_t, const at::Tensor&, View, View, bool);
using CoefficientsBackward =
    Triple(const at::Tensor&, const at::Tensor&, const at::Tensor&, int64_t, const at::Tensor&, View, View, bool);

struct CoefficientsFunction : Function<CoefficientsFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& guide, const at::Tensor& input, int64_t radius,
                            const at::Tensor& eps, const std::string& mode, const std::string& edge, bool average) {
    context->save_for_backward({guide, input, eps});
    context->saved_data["radius"] = radius;
    context->saved_data["mode"] = mode;
    context->saved_data["edge"] = edge;
    context->saved_data["average"] = average;
    at::AutoDispatchBelowADInplaceOrView guard;
    static const auto op = find<Coefficients>("vision_native::guided_coefficients");
    return op.call(guide, input, radius, eps, mode, edge, average);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    static const auto op = find<CoefficientsBackward>("vision_native::_guided_coefficients_backward");
    const variable_list saved = context->get_saved_variables();
    const std::string mode = text(context, "mode"), edge = text(context, "edge");
    const auto [guide, input, eps] = op.call(grads[0], saved[0], saved[1], context->saved_data["radius"].toInt(), saved[2],
                                             mode, edge, context->saved_data["average"].toBool());
    return {guide, input, {}, eps, {}, {}, {}};
  }
};

at::Tensor guided_coefficients(const at::Tensor& guide, const at::Tensor& input, int64_t radius, const at::Tensor& eps,
                               View mode, View edge, bool average) {
  return CoefficientsFunction::apply(guide, input, radius, eps, std::string(mode), std::string(edge), average);
}

Triple guided_coefficients_backward(const at::Tensor& grad, const at::Tensor& guide, const at::Tensor& input, int64_t radius,
                                    const at::Tensor& eps, View mode, View edge, bool average) {
  refuse_second_order("_guided_coefficients_backward", {grad, guide, input, eps});
  static const auto op = find<CoefficientsBackward>("vision_native::_guided_coefficients_backward");
  at::AutoDispatchBelowADInplaceOrView guard;
  return op.call(grad, guide, input, radius, eps, mode, edge, average);
}

// ---- Between grids --------------------------------------------------------------------------------------------------

using Apply = at::Tensor(const at::Tensor&, const at::Tensor&, View, bool);
using ApplyBackward =
    std::tuple<at::Tensor, at::Tensor>(const at::Tensor&, const at::Tensor&, const at::Tensor&, View, bool);

struct ApplyFunction : Function<ApplyFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& coefficients, const at::Tensor& guide,
                            const std::string& mode, bool align_corners) {
    context->save_for_backward({coefficients, guide});
    context->saved_data["mode"] = mode;
    context->saved_data["align_corners"] = align_corners;
    at::AutoDispatchBelowADInplaceOrView guard;
    static const auto op = find<Apply>("vision_native::guided_apply");
    return op.call(coefficients, guide, mode, align_corners);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    static const auto op = find<ApplyBackward>("vision_native::_guided_apply_backward");
    const variable_list saved = context->get_saved_variables();
    const std::string mode = text(context, "mode");
    const auto [coefficients, guide] =
        op.call(grads[0], saved[0], saved[1], mode, context->saved_data["align_corners"].toBool());
    return {coefficients, guide, {}, {}};
  }
};

at::Tensor guided_apply(const at::Tensor& coefficients, const at::Tensor& guide, View mode, bool align_corners) {
  return ApplyFunction::apply(coefficients, guide, std::string(mode), align_corners);
}

std::tuple<at::Tensor, at::Tensor> guided_apply_backward(const at::Tensor& grad, const at::Tensor& coefficients,
                                                         const at::Tensor& guide, View mode, bool align_corners) {
  refuse_second_order("_guided_apply_backward", {grad, coefficients, guide});
  static const auto op = find<ApplyBackward>("vision_native::_guided_apply_backward");
  at::AutoDispatchBelowADInplaceOrView guard;
  return op.call(grad, coefficients, guide, mode, align_corners);
}

using Shrink = at::Tensor(const at::Tensor&, int64_t);
using ShrinkBackward = at::Tensor(const at::Tensor&, c10::SymInt, c10::SymInt, int64_t);

struct ShrinkBackwardFunction : Function<ShrinkBackwardFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& grad, const c10::SymInt& height,
                            const c10::SymInt& width, int64_t factor) {
    context->saved_data["factor"] = factor;
    at::AutoDispatchBelowADInplaceOrView guard;
    static const auto op = find<ShrinkBackward>("vision_native::_area_downsample_backward");
    return op.call(grad, height, width, factor);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    static const auto op = find<Shrink>("vision_native::area_downsample");
    // The cell mean of a gradient divided by the cell's size is the transpose of dividing and spreading it.
    return {op.call(grads[0], context->saved_data["factor"].toInt()), {}, {}, {}};
  }
};

at::Tensor shrink_backward(const at::Tensor& grad, c10::SymInt height, c10::SymInt width, int64_t factor) {
  return ShrinkBackwardFunction::apply(grad, height, width, factor);
}

struct ShrinkFunction : Function<ShrinkFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, int64_t factor) {
    context->saved_data["factor"] = factor;
    context->saved_data["height"] = input.sym_size(2);
    context->saved_data["width"] = input.sym_size(3);
    at::AutoDispatchBelowADInplaceOrView guard;
    static const auto op = find<Shrink>("vision_native::area_downsample");
    return op.call(input, factor);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    static const auto op = find<ShrinkBackward>("vision_native::_area_downsample_backward");
    return {op.call(grads[0], context->saved_data["height"].toSymInt(), context->saved_data["width"].toSymInt(),
                    context->saved_data["factor"].toInt()),
            {}};
  }
};

at::Tensor shrink(const at::Tensor& input, int64_t factor) {
  TORCH_CHECK(input.dim() == 4, "area_downsample: the input is [B, C, H, W], got shape ", input.sym_sizes());
  return ShrinkFunction::apply(input, factor);
}

TORCH_LIBRARY_IMPL(vision_native, Autograd, library) {
  library.impl("box_filter", box_filter);
  library.impl("_box_filter_backward", box_filter_backward);
  library.impl("guided_filter", guided_filter);
  library.impl("_guided_filter_backward", guided_filter_backward);
  library.impl("guided_coefficients", guided_coefficients);
  library.impl("_guided_coefficients_backward", guided_coefficients_backward);
  library.impl("guided_apply", guided_apply);
  library.impl("_guided_apply_backward", guided_apply_backward);
  library.impl("area_downsample", shrink);
  library.impl("_area_downsample_backward", shrink_backward);
}

// ---- Autocast -------------------------------------------------------------------------------------------------------
// Under autocast what comes from a layer may have half the digits of the image that guides it: the wider type wins.

template <c10::DispatchKey key>
struct Autocast {
  static std::pair<at::Tensor, at::Tensor> widened(const at::Tensor& a, const at::Tensor& b) {
    const bool same = a.scalar_type() == b.scalar_type();
    return {same ? a : a.to(c10::promoteTypes(a.scalar_type(), b.scalar_type())),
            same ? b : b.to(c10::promoteTypes(a.scalar_type(), b.scalar_type()))};
  }
  static at::Tensor filter(const at::Tensor& guide, const at::Tensor& input, int64_t radius, const at::Tensor& eps, View mode,
                           View edge) {
    c10::impl::ExcludeDispatchKeyGuard guard(key);
    static const auto op = find<Filter>("vision_native::guided_filter");
    const auto [g, p] = widened(guide, input);
    return op.call(g, p, radius, eps, mode, edge);
  }
  static at::Tensor coefficients(const at::Tensor& guide, const at::Tensor& input, int64_t radius, const at::Tensor& eps,
                                 View mode, View edge, bool average) {
    c10::impl::ExcludeDispatchKeyGuard guard(key);
    static const auto op = find<Coefficients>("vision_native::guided_coefficients");
    const auto [g, p] = widened(guide, input);
    return op.call(g, p, radius, eps, mode, edge, average);
  }
  static at::Tensor apply(const at::Tensor& coefficients, const at::Tensor& guide, View mode, bool align_corners) {
    c10::impl::ExcludeDispatchKeyGuard guard(key);
    static const auto op = find<Apply>("vision_native::guided_apply");
    const auto [c, g] = widened(coefficients, guide);
    return op.call(c, g, mode, align_corners);
  }
  static void register_in(torch::Library& library) {
    library.impl("guided_filter", filter);
    library.impl("guided_coefficients", coefficients);
    library.impl("guided_apply", apply);
  }
};

TORCH_LIBRARY_IMPL(vision_native, AutocastCPU, library) { Autocast<c10::DispatchKey::AutocastCPU>::register_in(library); }
TORCH_LIBRARY_IMPL(vision_native, AutocastCUDA, library) { Autocast<c10::DispatchKey::AutocastCUDA>::register_in(library); }

}  // namespace

}  // namespace vision_native
