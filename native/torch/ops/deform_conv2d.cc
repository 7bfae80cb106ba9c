// Deformable convolution: schemas, checks and shapes, as torchvision's `deform_conv2d`. Dai et al., ICCV 2017; with a mask,
// Zhu et al., CVPR 2019.
#include "torch/ops/deform_conv2d.h"

#include <ATen/autocast_mode.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

namespace vision_native {

namespace {

constexpr int64_t kMost = int64_t{1} << 20;

void check_floating(std::string_view op, const char* name, const at::Tensor& tensor, const at::Tensor& input) {
  const c10::ScalarType type = tensor.scalar_type();
  TORCH_CHECK_TYPE(type == at::kFloat || type == at::kDouble || type == at::kHalf || type == at::kBFloat16, op, ": ",
                   name, " is float32, float64, float16 or bfloat16, got ", type, "; convert it");
  TORCH_CHECK_TYPE(type == input.scalar_type(), op, ": all tensors have one dtype; input is ", input.scalar_type(),
                   " and ", name, " ", type, "; convert one");
  TORCH_CHECK(tensor.device() == input.device(), op, ": input is on ", input.device(), " and ", name, " on ",
              tensor.device(), "; move one");
}

void check_pair(std::string_view op, const char* name, at::IntArrayRef values, int64_t least) {
  TORCH_CHECK_VALUE(values.size() == 2 && values[0] >= least && values[1] >= least && values[0] <= kMost &&
                        values[1] <= kMost,
                    op, ": ", name, " is two numbers of ", least, " to ", kMost, ", got ", values);
}

at::Tensor deform_meta(const at::Tensor& input, const at::Tensor& offset, const at::Tensor& weight,
                       const std::optional<at::Tensor>& bias, at::IntArrayRef stride, at::IntArrayRef padding,
                       at::IntArrayRef dilation, const std::optional<at::Tensor>& mask) {
  const auto sizes = deform_check("deform_conv2d", deform_inputs(input, offset, weight, bias, mask), stride, padding,
                                  dilation);
  return at::empty_symint(sizes, input.options(), deform_format(input));
}

DeformGradients backward_meta(const at::Tensor& grad, const at::Tensor& input, const at::Tensor& offset,
                              const at::Tensor& weight, const std::optional<at::Tensor>& mask, at::IntArrayRef stride,
                              at::IntArrayRef padding, at::IntArrayRef dilation, std::array<bool, 5> output_mask) {
  const auto sizes = deform_check("_deform_conv2d_backward", deform_inputs(input, offset, weight, {}, mask), stride,
                                  padding, dilation);
  deform_check_grad(grad, input, sizes);
  const auto like = [](bool wanted, const at::Tensor& tensor, at::MemoryFormat format) {
    return wanted && tensor.defined() ? at::empty_symint(tensor.sym_sizes(), tensor.options(), format) : at::Tensor();
  };
  constexpr auto plain = at::MemoryFormat::Contiguous;
  return {like(output_mask[0], input, deform_format(input)), like(output_mask[1], offset, plain),
          like(output_mask[2], weight, plain),
          output_mask[3] ? at::empty_symint({sizes[1]}, input.options()) : at::Tensor(),
          like(output_mask[4], mask.value_or(at::Tensor()), plain)};
}

/// Computed in float32, as torchvision's.
template <c10::DispatchKey kKey, c10::DeviceType kDevice>
at::Tensor deform_autocast(const at::Tensor& input, const at::Tensor& offset, const at::Tensor& weight,
                           const std::optional<at::Tensor>& bias, at::IntArrayRef stride, at::IntArrayRef padding,
                           at::IntArrayRef dilation, const std::optional<at::Tensor>& mask) {
  const c10::impl::ExcludeDispatchKeyGuard guard(kKey);
  static const auto op =
      c10::Dispatcher::singleton().findSchemaOrThrow("vision_native::deform_conv2d", "").typed<decltype(deform_meta)>();
  const auto widen = [](const at::Tensor& tensor) { return at::autocast::cached_cast(at::kFloat, tensor, kDevice); };
  const auto widen_optional = [&](const std::optional<at::Tensor>& tensor) {
    return tensor && tensor->defined() ? std::optional(widen(*tensor)) : std::nullopt;
  };
  return op
      .call(widen(input), widen(offset), widen(weight), widen_optional(bias), stride, padding, dilation,
            widen_optional(mask))
      .to(input.scalar_type());
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def(
      "deform_conv2d(Tensor input, Tensor offset, Tensor weight, Tensor? bias=None, *, int[2] stride=1, "
      "int[2] padding=0, int[2] dilation=1, Tensor? mask=None) -> Tensor");
  library.def(
      "_deform_conv2d_backward(Tensor grad, Tensor input, Tensor offset, Tensor weight, Tensor? mask, int[2] stride, "
      "int[2] padding, int[2] dilation, bool[5] output_mask) -> (Tensor, Tensor, Tensor, Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) {
  library.impl("deform_conv2d", deform_meta);
  library.impl("_deform_conv2d_backward", backward_meta);
}

TORCH_LIBRARY_IMPL(vision_native, AutocastCPU, library) {
  library.impl("deform_conv2d", deform_autocast<c10::DispatchKey::AutocastCPU, c10::DeviceType::CPU>);
}

TORCH_LIBRARY_IMPL(vision_native, Autocast, library) {
  library.impl("deform_conv2d", deform_autocast<c10::DispatchKey::Autocast, c10::DeviceType::CUDA>);
}

}  // namespace

std::array<c10::SymInt, 4> deform_check(std::string_view op, const DeformInputs& inputs, at::IntArrayRef stride,
                                        at::IntArrayRef padding, at::IntArrayRef dilation) {
  const auto& [input, offset, weight, bias, mask] = inputs;
  check_floating(op, "input", input, input);
  check_floating(op, "offset", offset, input);
  check_floating(op, "weight", weight, input);
  if (bias.defined()) check_floating(op, "bias", bias, input);
  if (mask.defined()) check_floating(op, "mask", mask, input);
  check_pair(op, "stride", stride, 1);
  check_pair(op, "padding", padding, 0);
  check_pair(op, "dilation", dilation, 1);
  TORCH_CHECK(input.dim() == 4, op, ": input is [N, C, H, W], got shape ", input.sym_sizes());
  TORCH_CHECK(weight.dim() == 4, op, ": weight is [filters, C / groups, kH, kW], got shape ", weight.sym_sizes());
  TORCH_CHECK(offset.dim() == 4, op, ": offset is [N, offset groups · 2 · kH · kW, oH, oW], got shape ",
              offset.sym_sizes());
  const c10::SymInt channels = input.sym_size(1), filters = weight.sym_size(0), own = weight.sym_size(1);
  const c10::SymInt taps = weight.sym_size(2) * weight.sym_size(3);
  TORCH_CHECK(taps > 0 && weight.sym_size(2) <= kMost && weight.sym_size(3) <= kMost, op,
              ": a kernel has at least one tap, got weight ", weight.sym_sizes());
  TORCH_CHECK(channels > 0 && own > 0 && filters > 0 && channels % own == 0 && filters % (channels / own) == 0, op,
              ": weight ", weight.sym_sizes(), " is [filters, C / groups, kH, kW] with filters in as many groups as the ",
              channels, " channels of input ", input.sym_sizes());
  std::array<c10::SymInt, 4> sizes{input.sym_size(0), filters, 0, 0};
  for (int i = 0; i < 2; ++i) {
    const c10::SymInt reach = input.sym_size(2 + i) + 2 * padding[i] - (dilation[i] * (weight.sym_size(2 + i) - 1) + 1);
    TORCH_CHECK(input.sym_size(2 + i) > 0 && reach >= 0, op, ": the kernel of weight ", weight.sym_sizes(),
                " with dilation ", dilation, " does not fit into input ", input.sym_sizes(), " with padding ", padding);
    sizes[2 + i] = reach / stride[i] + 1;
  }
  const c10::SymInt offset_groups = offset.sym_size(1) / (2 * taps);
  TORCH_CHECK(offset_groups > 0 && offset.sym_size(1) == 2 * taps * offset_groups && channels % offset_groups == 0 &&
                  offset.sym_size(0) == sizes[0] && offset.sym_size(2) == sizes[2] && offset.sym_size(3) == sizes[3],
              op, ": offset is [", sizes[0], ", offset groups · ", 2 * taps, ", ", sizes[2], ", ", sizes[3],
              "], with offset groups that divide ", channels, " channels, got shape ", offset.sym_sizes());
  if (bias.defined()) {
    TORCH_CHECK(bias.dim() == 1 && bias.sym_size(0) == filters, op, ": bias is [", filters, "], got shape ",
                bias.sym_sizes());
  }
  if (mask.defined()) {
    TORCH_CHECK(mask.dim() == 4 && mask.sym_size(0) == sizes[0] && mask.sym_size(1) == taps * offset_groups &&
                    mask.sym_size(2) == sizes[2] && mask.sym_size(3) == sizes[3],
                op, ": mask is [", sizes[0], ", ", taps * offset_groups, ", ", sizes[2], ", ", sizes[3],
                "] beside offset ", offset.sym_sizes(), ", got shape ", mask.sym_sizes());
  }
  return sizes;
}

DeformShape deform_shape(const DeformInputs& inputs, at::IntArrayRef stride, at::IntArrayRef padding,
                         at::IntArrayRef dilation) {
  const at::Tensor &input = inputs.input, &weight = inputs.weight, &offset = inputs.offset;
  return {input.size(0),
          input.size(1),
          input.size(2),
          input.size(3),
          weight.size(0),
          {weight.size(2), weight.size(3)},
          {stride[0], stride[1]},
          {padding[0], padding[1]},
          {dilation[0], dilation[1]},
          {offset.size(2), offset.size(3)},
          input.size(1) / weight.size(1),
          offset.size(1) / (2 * weight.size(2) * weight.size(3))};
}

void deform_check_grad(const at::Tensor& grad, const at::Tensor& input, c10::SymIntArrayRef sizes) {
  constexpr const char* op = "_deform_conv2d_backward";
  check_floating(op, "grad", grad, input);
  TORCH_CHECK(grad.dim() == 4 && grad.sym_size(0) == sizes[0] && grad.sym_size(1) == sizes[1] &&
                  grad.sym_size(2) == sizes[2] && grad.sym_size(3) == sizes[3],
              op, ": the gradient is ", sizes, ", as the result, got shape ", grad.sym_sizes());
}

}  // namespace vision_native
