// The box filter on CUDA: tensors to planes. The kernels are in the .cu file.
#include <torch/library.h>

#include "cuda/guided_filter_planes.h"

namespace vision_native {

namespace {

at::Tensor filter(const char* op, const at::Tensor& input, int64_t radius, c10::string_view edge, bool adjoint) {
  const BoxEntry entry(input);
  box_check_call(op, input, radius);
  const BoxEdge checked_edge = box_check_edge(op, edge);
  const at::Tensor output = at::empty(input.sizes(), input.options().memory_format(c10::MemoryFormat::Contiguous));
  if (input.numel() == 0) return output;
  // The axes before the last two as one; a copy is made only where their strides do not allow it.
  const at::Tensor planes = input.reshape({1, -1, input.size(-2), input.size(-1)});
  cuda::BoxCall call{};
  call.windows = box_windows(planes, 1, planes.size(1), radius, checked_edge);
  call.type = call.output_type = cuda_box_type(input);
  call.input = cuda_planes(planes);
  call.output = cuda_targets(output.view(planes.sizes()));
  call.adjoint = adjoint;
  const BoxWorkspace workspace(call.windows, 1, input);
  cuda::launch_box_filter(call, workspace.data(), cuda_stream());
  return output;
}

at::Tensor box_filter(const at::Tensor& input, int64_t radius, c10::string_view edge) {
  return filter("box_filter", input, radius, edge, false);
}

at::Tensor box_filter_backward(const at::Tensor& grad, int64_t radius, c10::string_view edge) {
  return filter("_box_filter_backward", grad, radius, edge, true);
}

TORCH_LIBRARY_IMPL(vision_native, CUDA, library) {
  library.impl("box_filter", box_filter);
  library.impl("_box_filter_backward", box_filter_backward);
}

}  // namespace

}  // namespace vision_native
