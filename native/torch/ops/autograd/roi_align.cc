// Gradient of RoIAlign by its input; boxes have none, as in torchvision.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

namespace vision_native {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

using Signature = at::Tensor(const at::Tensor&, const at::Tensor&, at::IntArrayRef, double, int64_t, bool);
using BackwardSignature = at::Tensor(const at::Tensor&, const at::Tensor&, c10::SymIntArrayRef, at::IntArrayRef, double,
                                     int64_t, bool, bool);

class RoiAlign : public torch::autograd::Function<RoiAlign> {
 public:
  static Variable forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& boxes,
                          const std::vector<int64_t>& output_size, double spatial_scale, int64_t sampling_ratio,
                          bool aligned) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    static const auto op =
        c10::Dispatcher::singleton().findSchemaOrThrow("vision_native::roi_align", "").typed<Signature>();
    at::Tensor result = op.call(input, boxes, output_size, spatial_scale, sampling_ratio, aligned);
    context->save_for_backward({boxes});
    context->saved_data["input_size"] = input.sym_sizes();
    context->saved_data["output_size"] = output_size;
    context->saved_data["spatial_scale"] = spatial_scale;
    context->saved_data["sampling_ratio"] = sampling_ratio;
    context->saved_data["aligned"] = aligned;
    context->saved_data["channels_last"] = input.suggest_memory_format() == at::MemoryFormat::ChannelsLast;
    return result;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    variable_list result(6);
    if (!grads[0].defined()) return result;
    TORCH_CHECK_NOT_IMPLEMENTED(!(at::GradMode::is_enabled() && grads[0].requires_grad()),
                                "roi_align: has no second derivative; call grad() without createGraph");
    static const auto op = c10::Dispatcher::singleton()
                               .findSchemaOrThrow("vision_native::_roi_align_backward", "")
                               .typed<BackwardSignature>();
    const c10::List<c10::IValue> sizes = context->saved_data["input_size"].toList();
    const std::vector<c10::SymInt> input_size{sizes.get(0).toSymInt(), sizes.get(1).toSymInt(),
                                              sizes.get(2).toSymInt(), sizes.get(3).toSymInt()};
    result[0] = op.call(grads[0], context->get_saved_variables()[0], input_size,
                        context->saved_data["output_size"].toIntVector(), context->saved_data["spatial_scale"].toDouble(),
                        context->saved_data["sampling_ratio"].toInt(), context->saved_data["aligned"].toBool(),
                        context->saved_data["channels_last"].toBool());
    return result;
  }
};

at::Tensor roi_align(const at::Tensor& input, const at::Tensor& boxes, at::IntArrayRef output_size,
                     double spatial_scale, int64_t sampling_ratio, bool aligned) {
  return RoiAlign::apply(input, boxes, output_size.vec(), spatial_scale, sampling_ratio, aligned);
}

TORCH_LIBRARY_IMPL(vision_native, Autograd, library) { library.impl("roi_align", roi_align); }

}  // namespace

}  // namespace vision_native
