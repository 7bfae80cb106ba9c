// RoIAlign on CUDA: tensors to raw pointers. The kernels are in the .cu file. Boxes are not read back, so a region whose
// place is not in the batch gives NaN here.
#include "torch/ops/roi_align.h"

#include <ATen/Context.h>
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "cuda/roi_align.h"

namespace vision_native {

namespace {

cudaStream_t stream() { return c10::cuda::getCurrentCUDAStream().stream(); }

template <typename T>
cuda::RoiCall<T> call_of(const at::Tensor& maps, const at::Tensor& bins, const at::Tensor& boxes,
                         const RoiAlignOptions& options, at::MemoryFormat format) {
  cuda::RoiCall<T> call{boxes.const_data_ptr<T>(),
                        boxes.size(0),
                        maps.size(0),
                        maps.size(1),
                        maps.size(2),
                        maps.size(3),
                        options.pooled_height,
                        options.pooled_width,
                        {},
                        {},
                        static_cast<T>(options.spatial_scale),
                        options.sampling_ratio,
                        options.aligned,
                        format == at::MemoryFormat::ChannelsLast};
  for (int i = 0; i < 4; ++i) {
    call.map[i] = maps.stride(i);
    call.bins[i] = bins.stride(i);
  }
  return call;
}

template <typename T>
at::Tensor pool(const at::Tensor& input, const at::Tensor& boxes, const RoiAlignOptions& options) {
  const c10::cuda::CUDAGuard guard(input.device());
  const c10::ScalarType type = c10::CppTypeToScalarType<T>::value;
  const at::MemoryFormat format = roi_align_format(input);
  const at::Tensor maps = input.to(type), regions = boxes.to(type).contiguous();
  const at::Tensor out = at::empty({boxes.size(0), input.size(1), options.pooled_height, options.pooled_width},
                                   maps.options(), format);
  if (out.numel() > 0) {
    cuda::launch_roi_align(call_of<T>(maps, out, regions, options, format), maps.const_data_ptr<T>(),
                           out.mutable_data_ptr<T>(), stream());
  }
  return out.to(input.scalar_type());
}

at::Tensor roi_align(const at::Tensor& input, const at::Tensor& boxes, at::IntArrayRef output_size,
                     double spatial_scale, int64_t sampling_ratio, bool aligned) {
  const RoiAlignOptions options = roi_align_options("roi_align", output_size, spatial_scale, sampling_ratio, aligned);
  roi_align_check("roi_align", input, boxes);
  return input.scalar_type() == at::kDouble ? pool<double>(input, boxes, options) : pool<float>(input, boxes, options);
}

template <typename T>
at::Tensor spread(const at::Tensor& grad, const at::Tensor& boxes, at::IntArrayRef input_size,
                  const RoiAlignOptions& options, at::MemoryFormat format) {
  const c10::cuda::CUDAGuard guard(grad.device());
  const c10::ScalarType type = c10::CppTypeToScalarType<T>::value;
  const at::Tensor slopes = grad.to(type), regions = boxes.to(type).contiguous();
  at::Tensor out = at::empty(input_size, slopes.options(), format).zero_();
  if (grad.numel() > 0) {
    cuda::launch_roi_align_backward(call_of<T>(out, slopes, regions, options, format), slopes.const_data_ptr<T>(),
                                    out.mutable_data_ptr<T>(), stream());
  }
  return out.to(grad.scalar_type());
}

at::Tensor roi_align_backward(const at::Tensor& grad, const at::Tensor& boxes, at::IntArrayRef input_size,
                              at::IntArrayRef output_size, double spatial_scale, int64_t sampling_ratio, bool aligned,
                              bool channels_last) {
  const RoiAlignOptions options =
      roi_align_options("_roi_align_backward", output_size, spatial_scale, sampling_ratio, aligned);
  roi_align_check_grad(grad, boxes, c10::fromIntArrayRefSlow(input_size), options);
  // Regions overlap, and what they add to a pixel arrives in any order.
  at::globalContext().alertNotDeterministic("vision_native::_roi_align_backward on CUDA");
  const at::MemoryFormat format = channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  return grad.scalar_type() == at::kDouble ? spread<double>(grad, boxes, input_size, options, format)
                                           : spread<float>(grad, boxes, input_size, options, format);
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CUDA, library) {
  library.impl("roi_align", roi_align);
  library.impl("_roi_align_backward", roi_align_backward);
}

}  // namespace vision_native
