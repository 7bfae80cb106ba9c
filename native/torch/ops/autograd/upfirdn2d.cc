// Gradient of upfirdn2d: an upfirdn2d itself, with up and down exchanged and the filter turned about, so that it has
// gradients of every order.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

namespace vision_native {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;
using Sizes = c10::IntArrayRef;
using Filter = std::optional<at::Tensor>;

using Signature = at::Tensor(const at::Tensor&, const Filter&, Sizes, Sizes, Sizes, bool, double);

at::Tensor call_upfirdn2d(const at::Tensor& x, const Filter& f, Sizes up, Sizes down, Sizes padding, bool flip_filter,
                          double gain) {
  static const auto op =
      c10::Dispatcher::singleton().findSchemaOrThrow("vision_native::upfirdn2d", "").typed<Signature>();
  return op.call(x, f, up, down, padding, flip_filter, gain);
}

class Upfirdn2d : public torch::autograd::Function<Upfirdn2d> {
 public:
  static Variable forward(AutogradContext* context, const at::Tensor& x, const Filter& f, Sizes up, Sizes down,
                          Sizes padding, bool flip_filter, double gain) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    // First, since it checks what is read below.
    at::Tensor out = call_upfirdn2d(x, f, up, down, padding, flip_filter, gain);
    context->save_for_backward({f.value_or(at::Tensor())});
    context->saved_data["up"] = up;
    context->saved_data["down"] = down;
    context->saved_data["padding"] = padding;
    context->saved_data["size"] = std::vector<int64_t>{x.sym_size(3).guard_int(__FILE__, __LINE__),
                                                       x.sym_size(2).guard_int(__FILE__, __LINE__)};
    context->saved_data["flip_filter"] = flip_filter;
    context->saved_data["gain"] = gain;
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    variable_list result(7);
    if (!grads[0].defined()) return result;
    const at::Tensor f = context->get_saved_variables()[0];
    const auto ints = [&](const char* name) { return context->saved_data[name].toIntVector(); };
    const std::vector<int64_t> up = ints("up"), down = ints("down"), padding = ints("padding"), size = ints("size");
    std::vector<int64_t> transposed(4);
    for (int axis = 0; axis < 2; ++axis) {  // x, then y
      const int64_t taps = f.defined() ? f.sym_size(axis == 0 ? -1 : 0).guard_int(__FILE__, __LINE__) : 1;
      const int64_t out = grads[0].sym_size(3 - axis).guard_int(__FILE__, __LINE__);
      transposed[2 * axis] = taps - padding[2 * axis] - 1;
      transposed[2 * axis + 1] = size[axis] * up[axis] - out * down[axis] + padding[2 * axis] - up[axis] + 1;
    }
    result[0] = call_upfirdn2d(grads[0], f.defined() ? Filter(f) : std::nullopt, down, up, transposed,
                               !context->saved_data["flip_filter"].toBool(), context->saved_data["gain"].toDouble());
    return result;
  }
};

at::Tensor upfirdn2d(const at::Tensor& x, const Filter& f, Sizes up, Sizes down, Sizes padding, bool flip_filter,
                     double gain) {
  TORCH_CHECK_NOT_IMPLEMENTED(!(f.has_value() && f->defined() && f->requires_grad() && at::GradMode::is_enabled()),
                              "upfirdn2d: the filter has no gradient; pass it detached");
  return Upfirdn2d::apply(x, f, up, down, padding, flip_filter, gain);
}

TORCH_LIBRARY_IMPL(vision_native, Autograd, library) { library.impl("upfirdn2d", upfirdn2d); }

}  // namespace

}  // namespace vision_native
