#pragma once
// Tensors as the kernels of the box and the guided filter want them. For .cc files: ATen is known here.
#include <ATen/ops/empty.h>
#include <ATen/ops/reshape.h>
#include <c10/cuda/CUDAStream.h>

#include "cuda/guided_filter.h"
#include "torch/ops/guided_filter_shapes.h"

namespace vision_native {

inline cudaStream_t cuda_stream() { return c10::cuda::getCurrentCUDAStream().stream(); }

inline cuda::BoxType cuda_box_type(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kDouble: return cuda::BoxType::kDouble;
    case at::kHalf: return cuda::BoxType::kHalf;
    case at::kBFloat16: return cuda::BoxType::kBFloat16;
    default: return cuda::BoxType::kFloat;
  }
}

/// The type that sums and what lies between passes have.
inline at::ScalarType cuda_sum_type(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}
inline cuda::BoxType cuda_sum_box_type(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kDouble ? cuda::BoxType::kDouble : cuda::BoxType::kFloat;
}

/// Planes `[B, C, H, W]` or `[B, C, fields, H, W]` from image `first` on.
inline cuda::BoxPlanes cuda_planes(const at::Tensor& t, int64_t first = 0) {
  const char* data = static_cast<const char*>(t.const_data_ptr()) + first * t.stride(0) * t.element_size();
  return {data, t.stride(0), t.stride(1), t.dim() == 5 ? t.stride(2) : 0, t.stride(-2), t.stride(-1)};
}
inline cuda::BoxTargets cuda_targets(const at::Tensor& t, int64_t first = 0) {
  char* data = static_cast<char*>(t.mutable_data_ptr()) + first * t.stride(0) * t.element_size();
  return {data, t.stride(0), t.stride(1), t.dim() == 5 ? t.stride(2) : 0, t.stride(-2)};
}

inline cuda::BoxWindows box_windows(const at::Tensor& planes, int64_t batch, int64_t channels, int64_t radius, BoxEdge edge) {
  const int64_t height = planes.size(-2), width = planes.size(-1);
  return {{height, radius, edge}, {width, radius, edge}, batch, channels, cuda::box_band_of(radius, height, width)};
}

/// Memory for windows too wide for a block, from LibTorch's allocator: it is free again for what the stream does next.
class BoxWorkspace {
 public:
  BoxWorkspace(const cuda::BoxWindows& windows, int quantities, const at::Tensor& like) {
    const int64_t bytes = cuda::box_workspace(windows, quantities, like.scalar_type() == at::kDouble);
    if (bytes > 0) memory_ = at::empty({bytes}, like.options().dtype(at::kByte).memory_format(c10::MemoryFormat::Contiguous));
  }
  void* data() const { return memory_.defined() ? memory_.mutable_data_ptr() : nullptr; }

 private:
  at::Tensor memory_;
};

}  // namespace vision_native
