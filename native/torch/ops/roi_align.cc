// RoIAlign: schemas, checks and shapes. He et al., "Mask R-CNN", ICCV 2017; torchvision's `roi_align`.
#include "torch/ops/roi_align.h"

#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <cmath>

namespace vision_native {

namespace {

constexpr int64_t kMostBins = 1 << 15;
constexpr int64_t kMostSamples = 1 << 12;

void check_floating(std::string_view op, const char* name, const at::Tensor& tensor) {
  const c10::ScalarType type = tensor.scalar_type();
  TORCH_CHECK_TYPE(type == at::kFloat || type == at::kDouble || type == at::kHalf || type == at::kBFloat16, op, ": ",
                   name, " is float32, float64, float16 or bfloat16, got ", type, "; convert it");
}

at::Tensor roi_align_meta(const at::Tensor& input, const at::Tensor& boxes, at::IntArrayRef output_size,
                          double spatial_scale, int64_t sampling_ratio, bool aligned) {
  roi_align_options("roi_align", output_size, spatial_scale, sampling_ratio, aligned);
  roi_align_check("roi_align", input, boxes);
  return at::empty_symint({boxes.sym_size(0), input.sym_size(1), output_size[0], output_size[1]}, input.options(),
                          roi_align_format(input));
}

at::Tensor backward_meta(const at::Tensor& grad, const at::Tensor& boxes, c10::SymIntArrayRef input_size,
                         at::IntArrayRef output_size, double spatial_scale, int64_t sampling_ratio, bool aligned,
                         bool channels_last) {
  const RoiAlignOptions options =
      roi_align_options("_roi_align_backward", output_size, spatial_scale, sampling_ratio, aligned);
  roi_align_check_grad(grad, boxes, input_size, options);
  return at::empty_symint(input_size, grad.options(),
                          channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def(
      "roi_align(Tensor input, Tensor boxes, int[2] output_size, *, float spatial_scale=1.0, int sampling_ratio=-1, "
      "bool aligned=False) -> Tensor");
  library.def(
      "_roi_align_backward(Tensor grad, Tensor boxes, SymInt[] input_size, int[2] output_size, float spatial_scale, "
      "int sampling_ratio, bool aligned, bool channels_last) -> Tensor");
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) {
  library.impl("roi_align", roi_align_meta);
  library.impl("_roi_align_backward", backward_meta);
}

}  // namespace

RoiAlignOptions roi_align_options(std::string_view op, at::IntArrayRef output_size, double spatial_scale,
                                  int64_t sampling_ratio, bool aligned) {
  TORCH_CHECK_VALUE(output_size.size() == 2 && output_size[0] >= 1 && output_size[1] >= 1 &&
                        output_size[0] <= kMostBins && output_size[1] <= kMostBins,
                    op, ": output_size is two numbers of 1 to ", kMostBins, ", got ", output_size);
  TORCH_CHECK_VALUE(std::isfinite(spatial_scale) && spatial_scale > 0, op,
                    ": spatial_scale is a number above 0, got ", spatial_scale);
  TORCH_CHECK_VALUE(sampling_ratio <= kMostSamples, op, ": sampling_ratio is at most ", kMostSamples,
                    ", or 0 or less to follow the size of the region, got ", sampling_ratio);
  return {output_size[0], output_size[1], spatial_scale, sampling_ratio, aligned};
}

void roi_align_check(std::string_view op, const at::Tensor& input, const at::Tensor& boxes) {
  check_floating(op, "input", input);
  check_floating(op, "boxes", boxes);
  TORCH_CHECK(input.dim() == 4, op, ": input is [N, C, H, W], got shape ", input.sym_sizes());
  TORCH_CHECK(boxes.dim() == 2 && boxes.sym_size(1) == 5, op,
              ": boxes are [K, 5] as (place in the batch, x1, y1, x2, y2), got shape ", boxes.sym_sizes());
  TORCH_CHECK(boxes.sym_size(0) == 0 || (input.sym_size(2) > 0 && input.sym_size(3) > 0), op,
              ": input has at least one pixel, got shape ", input.sym_sizes());
  TORCH_CHECK(boxes.device() == input.device(), op, ": input is on ", input.device(), " and boxes on ",
              boxes.device(), "; move one");
}

void roi_align_check_grad(const at::Tensor& grad, const at::Tensor& boxes, c10::SymIntArrayRef input_size,
                          const RoiAlignOptions& options) {
  constexpr const char* op = "_roi_align_backward";
  check_floating(op, "grad", grad);
  check_floating(op, "boxes", boxes);
  TORCH_CHECK(input_size.size() == 4, op, ": input_size is [N, C, H, W], got ", input_size);
  for (const c10::SymInt& size : input_size) TORCH_CHECK_VALUE(size >= 0, op, ": sizes are 0 or more, got ", input_size);
  TORCH_CHECK(boxes.dim() == 2 && boxes.sym_size(1) == 5, op, ": boxes are [K, 5], got shape ", boxes.sym_sizes());
  TORCH_CHECK(boxes.sym_size(0) == 0 || (input_size[2] > 0 && input_size[3] > 0), op,
              ": the input has at least one pixel, got shape ", input_size);
  TORCH_CHECK(grad.dim() == 4 && grad.sym_size(0) == boxes.sym_size(0) && grad.sym_size(1) == input_size[1] &&
                  grad.sym_size(2) == options.pooled_height && grad.sym_size(3) == options.pooled_width,
              op, ": the gradient is [K, C, PH, PW] for ", boxes.sym_size(0), " boxes and ", input_size[1],
              " channels, got shape ", grad.sym_sizes());
  TORCH_CHECK(boxes.device() == grad.device(), op, ": the gradient is on ", grad.device(), " and boxes on ",
              boxes.device(), "; move one");
}

}  // namespace vision_native
