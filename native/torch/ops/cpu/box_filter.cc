// The box filter on the CPU.
#include <torch/library.h>

#include "torch/cpu_isa.h"
#include "torch/ops/cpu/box_filter_jobs.h"
#include "torch/ops/guided_filter_shapes.h"

namespace vision_native {

const BoxSweeps& box_sweeps() { return for_cpu_isa(kBoxSweepsScalar, kBoxSweepsAvx2, kBoxSweepsAvx512); }

const BoxSweeps& box_sweeps(BoxType type) { return type == BoxType::kDouble ? kBoxSweepsScalar : box_sweeps(); }

namespace {

at::Tensor filter(const char* op, const at::Tensor& input, int64_t radius, c10::string_view edge, bool adjoint) {
  const BoxEntry entry(input);
  box_check_call(op, input, radius);
  const BoxEdge checked_edge = box_check_edge(op, edge);
  const at::Tensor output = at::empty(input.sizes(), input.options().memory_format(c10::MemoryFormat::Contiguous));
  if (input.numel() == 0) return output;
  const int64_t height = input.size(-2), width = input.size(-1);
  const int64_t images = input.numel() / (height * width);
  // The axes before the last two, as one count: offsets follow their strides.
  const auto offset = [&](int64_t image) {
    int64_t sum = 0;
    for (int64_t d = input.dim() - 3; d >= 0; --d) {
      sum += image % input.size(d) * input.stride(d);
      image /= input.size(d);
    }
    return sum;
  };
  const BoxType type = box_type(input);
  const auto* cancelled = box_cancel_flag();
  box_for_pieces(images, height, radius, [&](int64_t image, int64_t y0, int64_t y1) {
    BoxFilterJob job{};
    job.rows = {height, radius, checked_edge};
    job.columns = {width, radius, checked_edge};
    job.type = type;
    job.y0 = y0;
    job.y1 = y1;
    job.cancelled = cancelled;
    job.input = box_plane(input, offset(image));
    job.output = box_target(output, image * height * width);
    job.adjoint = adjoint;
    const BoxSweeps& sweeps = box_sweeps(type);
    const BoxScratch scratch(sweeps.box_filter_bytes(job));
    job.scratch = scratch.data();
    sweeps.box_filter(job);
  });
  return output;
}

at::Tensor box_filter(const at::Tensor& input, int64_t radius, c10::string_view edge) {
  return filter("box_filter", input, radius, edge, false);
}

at::Tensor box_filter_backward(const at::Tensor& grad, int64_t radius, c10::string_view edge) {
  return filter("_box_filter_backward", grad, radius, edge, true);
}

TORCH_LIBRARY_IMPL(vision_native, CPU, library) {
  library.impl("box_filter", box_filter);
  library.impl("_box_filter_backward", box_filter_backward);
}

}  // namespace

}  // namespace vision_native
