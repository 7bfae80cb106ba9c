// Deformable convolution on CUDA: columns of some images at a time, and matrix products of LibTorch's. The kernels are in
// the .cu file.
#include "torch/ops/deform_conv2d.h"

#include <ATen/Context.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <algorithm>

#include "cuda/deform_conv2d.h"
#include "torch/run_context.h"

namespace vision_native {

namespace {

/// Numbers in the columns of the images that are taken together: 256 MiB of float32.
constexpr int64_t kColumns = int64_t{1} << 26;

cudaStream_t stream() { return c10::cuda::getCurrentCUDAStream().stream(); }

int64_t images_together(const DeformShape& shape) {
  return std::clamp<int64_t>(kColumns / (shape.channels * shape.taps() * shape.pixels()), 1, shape.batch);
}

/// The tensors of a call in the dtype that is computed in, contiguous.
template <typename T>
struct Tensors {
  Tensors(const DeformInputs& inputs, const DeformShape& shape)
      : shape(shape), input(plain(inputs.input)), offset(plain(inputs.offset)), mask(plain(inputs.mask)) {
    const at::Tensor filters = plain(inputs.weight);
    weight = filters.view({shape.groups, shape.filters / shape.groups, -1});
  }

  static at::Tensor plain(const at::Tensor& tensor) {
    return tensor.defined() ? tensor.to(c10::CppTypeToScalarType<T>::value).contiguous() : tensor;
  }

  cuda::DeformCall<T> images(int64_t first, int64_t count) const {
    return {shape, first, count, input.const_data_ptr<T>(), offset.const_data_ptr<T>(),
            mask.defined() ? mask.const_data_ptr<T>() : nullptr};
  }

  DeformShape shape;
  at::Tensor input, offset, mask, weight;
};

template <typename T>
at::Tensor convolve(const DeformInputs& inputs, const DeformShape& shape) {
  const c10::cuda::CUDAGuard guard(inputs.input.device());
  const Tensors<T> tensors(inputs, shape);
  const int64_t together = images_together(shape), filters = shape.filters / shape.groups;
  const at::Tensor out =
      at::empty({shape.batch, shape.filters, shape.out[0], shape.out[1]}, tensors.input.options());
  const at::Tensor columns = at::empty({shape.channels * shape.taps() * together * shape.pixels()}, out.options());
  for (int64_t first = 0; first < shape.batch; first += together) {
    check_cancelled();
    const int64_t count = std::min(together, shape.batch - first), wide = count * shape.pixels();
    cuda::launch_deform_columns(tensors.images(first, count), columns.mutable_data_ptr<T>(), stream());
    const at::Tensor rows =
        columns.narrow(0, 0, shape.channels * shape.taps() * wide).view({shape.groups, -1, wide});
    const at::Tensor made = at::empty({shape.filters, wide}, out.options());
    for (int64_t g = 0; g < shape.groups; ++g) {
      at::Tensor to = made.narrow(0, g * filters, filters);
      at::mm_out(to, tensors.weight.select(0, g), rows.select(0, g));
    }
    out.narrow(0, first, count)
        .copy_(made.view({shape.filters, count, shape.out[0], shape.out[1]}).transpose(0, 1));
  }
  if (inputs.bias.defined()) out.add_(inputs.bias.to(out.scalar_type()).view({1, -1, 1, 1}));
  return out.to(inputs.input.scalar_type()).contiguous(deform_format(inputs.input));
}

at::Tensor deform_conv2d(const at::Tensor& input, const at::Tensor& offset, const at::Tensor& weight,
                         const std::optional<at::Tensor>& bias, at::IntArrayRef stride, at::IntArrayRef padding,
                         at::IntArrayRef dilation, const std::optional<at::Tensor>& mask) {
  const DeformInputs inputs = deform_inputs(input, offset, weight, bias, mask);
  deform_check("deform_conv2d", inputs, stride, padding, dilation);
  const DeformShape shape = deform_shape(inputs, stride, padding, dilation);
  const c10::impl::ExcludeDispatchKeyGuard below_autocast(c10::autocast_dispatch_keyset);
  if (shape.batch == 0) {
    return at::empty({0, shape.filters, shape.out[0], shape.out[1]}, input.options(), deform_format(input));
  }
  return input.scalar_type() == at::kDouble ? convolve<double>(inputs, shape) : convolve<float>(inputs, shape);
}

template <typename T>
DeformGradients differentiate(const at::Tensor& grad, const DeformInputs& inputs, const DeformShape& shape,
                              std::array<bool, 5> wanted) {
  const c10::cuda::CUDAGuard guard(inputs.input.device());
  const Tensors<T> tensors(inputs, shape);
  const at::TensorOptions options = tensors.input.options();
  const at::Tensor upstream = Tensors<T>::plain(grad);
  const int64_t filters = shape.filters / shape.groups;
  at::Tensor by_input, by_offset, by_weight, by_bias, by_mask;
  if (wanted[0]) by_input = at::zeros(inputs.input.sizes(), options);
  if (wanted[1]) by_offset = at::zeros(inputs.offset.sizes(), options);
  if (wanted[2]) by_weight = at::zeros(tensors.weight.sizes(), options);
  if (wanted[3]) by_bias = upstream.sum(at::IntArrayRef{0, 2, 3});
  if (wanted[4] && inputs.mask.defined()) by_mask = at::zeros(inputs.mask.sizes(), options);
  const bool positions = by_offset.defined() || by_mask.defined();
  const int64_t together = shape.batch > 0 ? images_together(shape) : 1;
  const bool any = wanted[0] || wanted[2] || positions;
  for (int64_t first = 0; any && first < shape.batch; first += together) {
    check_cancelled();
    const int64_t count = std::min(together, shape.batch - first), wide = count * shape.pixels();
    const cuda::DeformCall<T> call = tensors.images(first, count);
    const at::Tensor slopes = upstream.narrow(0, first, count).transpose(0, 1).reshape({shape.groups, filters, wide});
    const at::Tensor columns = at::empty({shape.groups, tensors.weight.size(2), wide}, options);
    if (wanted[0] || positions) {
      for (int64_t g = 0; g < shape.groups; ++g) {
        at::Tensor to = columns.select(0, g);
        at::mm_out(to, tensors.weight.select(0, g).t(), slopes.select(0, g));
      }
      const T* made = columns.const_data_ptr<T>();
      if (positions) {
        cuda::launch_deform_positions(call, made, by_offset.defined() ? by_offset.mutable_data_ptr<T>() : nullptr,
                                      by_mask.defined() ? by_mask.mutable_data_ptr<T>() : nullptr, stream());
      }
      if (wanted[0]) cuda::launch_deform_input(call, made, by_input.mutable_data_ptr<T>(), stream());
    }
    if (wanted[2]) {
      cuda::launch_deform_columns(call, columns.mutable_data_ptr<T>(), stream());
      for (int64_t g = 0; g < shape.groups; ++g) {
        at::Tensor sum = by_weight.select(0, g);
        at::addmm_out(sum, sum, slopes.select(0, g), columns.select(0, g).t());
      }
    }
  }
  const auto given = [&](const at::Tensor& tensor) {
    return tensor.defined() ? tensor.to(inputs.input.scalar_type()) : tensor;
  };
  if (wanted[0]) by_input = by_input.contiguous(deform_format(inputs.input));
  if (wanted[2]) by_weight = by_weight.view(inputs.weight.sizes());
  return {given(by_input), given(by_offset), given(by_weight), given(by_bias), given(by_mask)};
}

DeformGradients deform_conv2d_backward(const at::Tensor& grad, const at::Tensor& input, const at::Tensor& offset,
                                       const at::Tensor& weight, const std::optional<at::Tensor>& mask,
                                       at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation,
                                       std::array<bool, 5> output_mask) {
  const DeformInputs inputs = deform_inputs(input, offset, weight, {}, mask);
  const auto sizes = deform_check("_deform_conv2d_backward", inputs, stride, padding, dilation);
  deform_check_grad(grad, input, sizes);
  // Taps meet at pixels, and what they add arrives in any order.
  if (output_mask[0]) at::globalContext().alertNotDeterministic("vision_native::_deform_conv2d_backward on CUDA");
  const DeformShape shape = deform_shape(inputs, stride, padding, dilation);
  const c10::impl::ExcludeDispatchKeyGuard below_autocast(c10::autocast_dispatch_keyset);
  return input.scalar_type() == at::kDouble ? differentiate<double>(grad, inputs, shape, output_mask)
                                            : differentiate<float>(grad, inputs, shape, output_mask);
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CUDA, library) {
  library.impl("deform_conv2d", deform_conv2d);
  library.impl("_deform_conv2d_backward", deform_conv2d_backward);
}

}  // namespace vision_native
