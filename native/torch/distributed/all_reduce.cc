// The sum over the processes of a group as an operator that waits, with a gradient: the sum of gradients.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "torch/distributed/collectives.h"

namespace vision_native::distributed {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class AllReduceSum : public torch::autograd::Function<AllReduceSum> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const std::string& group) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    context->saved_data["group"] = group;
    return all_reduce_sum(input, group);
  }
  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    return {AllReduceSum::apply(grads[0], context->saved_data["group"].toStringRef()), at::Tensor()};
  }
};

at::Tensor all_reduce_sum_with_gradient(const at::Tensor& input, c10::string_view group) {
  return AllReduceSum::apply(input, std::string(group));
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(vision_native_distributed, library) {
  library.def("all_reduce_sum(Tensor input, str group) -> Tensor");
  // As _c10d_functional::wait_tensor, whose schema does not say that the tensor is written to meanwhile.
  library.def("wait_tensor(Tensor(a!) input) -> Tensor(a!)");
}
TORCH_LIBRARY_IMPL(vision_native_distributed, CompositeExplicitAutograd, library) {
  library.impl("wait_tensor", [](at::Tensor& input) -> at::Tensor& {
    wait(input);
    return input;
  });
  library.impl("all_reduce_sum", [](const at::Tensor& input, c10::string_view group) {
    return all_reduce_sum(input, std::string(group));
  });
}
TORCH_LIBRARY_IMPL(vision_native_distributed, Autograd, library) {
  library.impl("all_reduce_sum", all_reduce_sum_with_gradient);
}

}  // namespace vision_native::distributed
