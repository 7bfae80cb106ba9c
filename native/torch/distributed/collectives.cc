#include "torch/distributed/collectives.h"

#include <ATen/core/dispatch/Dispatcher.h>

namespace vision_native::distributed {

namespace {

template <typename Signature>
auto op_named(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

}  // namespace

at::Tensor wait(const at::Tensor& issued) {
  static const auto op = op_named<at::Tensor(const at::Tensor&)>("_c10d_functional::wait_tensor");
  return op.call(issued);
}

at::Tensor all_reduce_sum(const at::Tensor& input, const std::string& group) {
  static const auto op =
      op_named<at::Tensor(const at::Tensor&, std::string, std::string)>("_c10d_functional::all_reduce");
  return wait(op.call(input.contiguous(), "sum", group));
}

at::Tensor all_gather(const at::Tensor& input, const std::string& group, int64_t world_size) {
  static const auto op =
      op_named<at::Tensor(const at::Tensor&, int64_t, std::string)>("_c10d_functional::all_gather_into_tensor");
  return wait(op.call(input.contiguous(), world_size, group));
}

}  // namespace vision_native::distributed
