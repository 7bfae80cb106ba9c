// Binary 3D convolution on packed bits (±1 by ±1): schemas and checks. Rastegari et al., "XNOR-Net", ECCV 2016; "Binary
// Neural Network for Video Action Recognition", MMM 2023.
#include "torch/ops/binary_conv3d.h"

#include <ATen/ops/empty.h>

namespace vision_native {

namespace {

constexpr int kDeviceTypes = static_cast<int>(c10::DeviceType::COMPILE_TIME_MAX_DEVICE_TYPES);
constexpr int64_t kLargestExtent = int64_t{1} << 20;
/// Sums are int32, and float32 holds them exactly.
constexpr int64_t kLargestSum = int64_t{1} << 24;

const BinaryConv3dBackend*& backend_slot(c10::DeviceType device) {
  static const BinaryConv3dBackend* backends[kDeviceTypes] = {};
  return backends[static_cast<int>(device)];
}

const BinaryConv3dBackend& backend_of(const at::Tensor& tensor) {
  const BinaryConv3dBackend* backend = backend_slot(tensor.device().type());
  TORCH_CHECK(backend != nullptr, "binary convolution: no kernels for device ", tensor.device());
  return *backend;
}

Size3 three(const char* op, const char* name, at::IntArrayRef values, int64_t lowest) {
  TORCH_CHECK_VALUE(values.size() == 3, op, ": ", name, " has one number each for time, height and width, got ", values);
  for (const int64_t value : values) {
    TORCH_CHECK_VALUE(value >= lowest && value <= kLargestExtent, op, ": ", name, " must be ", lowest, " to ",
                      kLargestExtent, ", got ", values);
  }
  return {values[0], values[1], values[2]};
}

/// The number of elements, checked before anything is allocated.
void check_size(const char* op, at::IntArrayRef sizes, int64_t element_bytes) {
  int64_t bytes = element_bytes;
  bool empty = false;
  for (const int64_t size : sizes) empty = empty || size == 0;
  for (const int64_t size : sizes) {
    TORCH_CHECK_VALUE(empty || !__builtin_mul_overflow(bytes, size, &bytes), op, ": a result of shape ", sizes,
                      " is larger than any memory");
  }
}

at::Tensor make(const char* op, at::IntArrayRef sizes, const at::TensorOptions& options) {
  check_size(op, sizes, static_cast<int64_t>(options.dtype().itemsize()));
  return at::empty(sizes, options);
}

void check_channels(const char* op, const char* name, int64_t count) {
  TORCH_CHECK_VALUE(count >= 1 && count <= kLargestSum, op, ": ", name, " must be 1 to ", kLargestSum, ", got ", count);
}

at::Tensor sign_bias_pack(const at::Tensor& x, const std::optional<at::Tensor>& bias) {
  TORCH_CHECK(x.dim() == 5, "sign_bias_pack: expected [N, C, T, H, W], got shape ", x.sizes());
  TORCH_CHECK_TYPE(x.is_floating_point(), "sign_bias_pack: expected floating-point numbers, got ", x.scalar_type(),
                   "; convert with .to(float32)");
  const int64_t channels = x.size(1);
  check_channels("sign_bias_pack", "the number of channels", channels);
  at::Tensor values;
  if (bias && bias->defined()) {
    TORCH_CHECK_TYPE(bias->is_floating_point(), "sign_bias_pack: expected a floating-point bias, got ", bias->scalar_type());
    TORCH_CHECK(bias->dim() == 1 && bias->size(0) == channels, "sign_bias_pack: bias has one number for each of the ",
                channels, " channels, got shape ", bias->sizes());
    TORCH_CHECK(bias->device() == x.device(), "sign_bias_pack: x is on ", x.device(), " and bias on ", bias->device(),
                "; move one of them");
    values = bias->to(x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat).contiguous();
  }
  const Size3 in{x.size(2), x.size(3), x.size(4)};
  at::Tensor bits = make("sign_bias_pack", {x.size(0), in[0], in[1], in[2], (channels + 63) / 64}, x.options().dtype(at::kLong));
  if (!x.is_meta() && bits.numel() > 0) backend_of(x).pack_sign(x, values, bits);
  return bits;
}

at::Tensor pack_weight(const at::Tensor& weight) {
  TORCH_CHECK(weight.dim() == 5, "pack_weight: expected [Co, Ci, kt, kh, kw], got shape ", weight.sizes());
  TORCH_CHECK_TYPE(weight.is_floating_point(), "pack_weight: expected floating-point numbers, got ", weight.scalar_type(),
                   "; convert with .to(float32)");
  check_channels("pack_weight", "the number of input channels", weight.size(1));
  const int64_t taps = weight.size(2) * weight.size(3) * weight.size(4);
  TORCH_CHECK(taps > 0, "pack_weight: the kernel is empty, got shape ", weight.sizes());
  at::Tensor packed = make("pack_weight", {(weight.size(0) + 7) / 8, taps, (weight.size(1) + 63) / 64, 8},
                           weight.options().dtype(at::kLong));
  if (!weight.is_meta() && packed.numel() > 0) backend_of(weight).pack_weight(weight.contiguous(), packed);
  return packed;
}

struct Packed {
  at::Tensor bits, weight;
  BinaryConv3dShape shape;
};

Packed check_packed(const char* op, const at::Tensor& bits, const at::Tensor& weight, int64_t in_channels,
                    int64_t out_channels, at::IntArrayRef kernel, at::IntArrayRef stride, at::IntArrayRef padding) {
  TORCH_CHECK(bits.dim() == 5, op, ": bits are [N, T, H, W, words], got shape ", bits.sizes());
  TORCH_CHECK_TYPE(bits.scalar_type() == at::kLong, op, ": bits are int64 words of sign_bias_pack, got ", bits.scalar_type());
  TORCH_CHECK_TYPE(weight.scalar_type() == at::kLong, op, ": the weight is int64 words of pack_weight, got ",
                   weight.scalar_type());
  TORCH_CHECK(bits.device() == weight.device(), op, ": bits are on ", bits.device(), " and the weight on ",
              weight.device(), "; move one of them");
  const Size3 in{bits.size(1), bits.size(2), bits.size(3)};
  const BinaryConv3dShape shape =
      binary_conv3d_shape(op, bits.size(0), in_channels, out_channels, in, kernel, stride, padding);
  TORCH_CHECK(bits.size(4) == shape.words(), op, ": ", in_channels, " channels are ", shape.words(),
              " words a pixel, got bits of shape ", bits.sizes());
  const std::array<int64_t, 4> expected{(out_channels + 7) / 8, shape.taps(), shape.words(), 8};
  TORCH_CHECK(weight.sizes() == at::IntArrayRef(expected), op, ": a kernel ", kernel, " from ", in_channels, " to ",
              out_channels, " channels is packed as ", at::IntArrayRef(expected), ", got shape ", weight.sizes(),
              "; use pack_weight");
  return {bits.contiguous(), weight.contiguous(), shape};
}

at::Tensor bconv3d(const at::Tensor& bits, const at::Tensor& weight, int64_t in_channels, int64_t out_channels,
                   at::IntArrayRef kernel_size, at::IntArrayRef stride, at::IntArrayRef padding) {
  const auto [input, packed, shape] =
      check_packed("bconv3d", bits, weight, in_channels, out_channels, kernel_size, stride, padding);
  at::Tensor out = make("bconv3d", {shape.batch, shape.out[0], shape.out[1], shape.out[2], out_channels},
                        bits.options().dtype(at::kInt));
  if (!bits.is_meta() && out.numel() > 0) backend_of(bits).convolve(input, packed, shape, out);
  return out;
}

/// A vector of the epilogue as the kernels read it, or undefined.
at::Tensor channel_vector(const char* name, const std::optional<at::Tensor>& given, int64_t channels, c10::Device device) {
  if (!given || !given->defined()) return {};
  TORCH_CHECK_TYPE(given->is_floating_point(), "bconv3d_fused: ", name, " holds floating-point numbers, got ",
                   given->scalar_type());
  TORCH_CHECK(given->dim() == 1 && given->size(0) == channels, "bconv3d_fused: ", name, " has one number for each of the ",
              channels, " output channels, got shape ", given->sizes());
  TORCH_CHECK(given->device() == device, "bconv3d_fused: bits are on ", device, " and ", name, " on ", given->device(),
              "; move one of them");
  return given->to(at::kFloat).contiguous();
}

std::tuple<at::Tensor, at::Tensor> bconv3d_fused(
    const at::Tensor& bits, const at::Tensor& weight, const at::Tensor& scale, const at::Tensor& shift,
    int64_t in_channels, int64_t out_channels, at::IntArrayRef kernel_size, at::IntArrayRef stride,
    at::IntArrayRef padding, const std::optional<at::Tensor>& residual, const std::optional<at::Tensor>& bias1,
    const std::optional<at::Tensor>& slope, const std::optional<at::Tensor>& bias2,
    const std::optional<at::Tensor>& next_bias, bool output, bool pack) {
  const auto [input, packed, shape] =
      check_packed("bconv3d_fused", bits, weight, in_channels, out_channels, kernel_size, stride, padding);
  TORCH_CHECK_VALUE(output || pack, "bconv3d_fused: neither output nor pack is asked for; ask for one of them");
  TORCH_CHECK_VALUE(pack || !(next_bias && next_bias->defined()),
                    "bconv3d_fused: next_bias is given, but no packed bits are asked for; pass pack=True");
  const auto vector = [&](const char* name, const std::optional<at::Tensor>& given) {
    return channel_vector(name, given, out_channels, bits.device());
  };
  BinaryEpilogue epilogue{vector("scale", scale), vector("shift", shift), vector("bias1", bias1), vector("slope", slope),
                          vector("bias2", bias2), vector("next_bias", next_bias), {}, {}, {}};
  TORCH_CHECK(epilogue.scale.defined() && epilogue.shift.defined(), "bconv3d_fused: scale and shift are needed");
  const auto [t, h, w] = shape.out;
  if (residual && residual->defined()) {
    TORCH_CHECK_TYPE(residual->is_floating_point(), "bconv3d_fused: the residual holds floating-point numbers, got ",
                     residual->scalar_type());
    const std::array<int64_t, 5> expected{shape.batch, out_channels, t, h, w};
    std::array<int64_t, 5> given = expected;
    if (residual->dim() == 5 && residual->size(1) > 0 && out_channels % residual->size(1) == 0) given[1] = residual->size(1);
    TORCH_CHECK(residual->sizes() == at::IntArrayRef(given), "bconv3d_fused: the residual has the shape of the output, ",
                at::IntArrayRef(expected), ", or a part of its channels that repeats, got ", residual->sizes());
    TORCH_CHECK(residual->device() == bits.device(), "bconv3d_fused: bits are on ", bits.device(),
                " and the residual on ", residual->device(), "; move one of them");
    epilogue.residual = residual->permute({0, 2, 3, 4, 1}).to(at::kFloat).contiguous();
  }
  const auto floats = bits.options().dtype(at::kFloat);
  at::Tensor values = output ? make("bconv3d_fused", {shape.batch, t, h, w, out_channels}, floats)
                             : at::empty({0, 0, 0, 0, 0}, floats);
  at::Tensor words = pack ? make("bconv3d_fused", {shape.batch, t, h, w, shape.out_words()}, bits.options())
                          : at::empty({0, 0, 0, 0, 0}, bits.options());
  if (output) epilogue.output = values;
  if (pack) epilogue.bits = words;
  if (!bits.is_meta() && shape.batch * t * h * w > 0) {
    backend_of(bits).convolve_fused(input, packed, shape, epilogue);
  }
  return {values.permute({0, 4, 1, 2, 3}), words};
}

#define BINARY_GEOMETRY "int in_channels, int out_channels, int[] kernel_size, int[] stride=[1, 1, 1], int[] padding=[0, 0, 0]"

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def("sign_bias_pack(Tensor x, Tensor? bias=None) -> Tensor");
  library.def("pack_weight(Tensor weight) -> Tensor");
  library.def("bconv3d(Tensor bits, Tensor weight, *, " BINARY_GEOMETRY ") -> Tensor");
  library.def("bconv3d_fused(Tensor bits, Tensor weight, Tensor scale, Tensor shift, *, " BINARY_GEOMETRY
              ", Tensor? residual=None, Tensor? bias1=None, Tensor? slope=None, Tensor? bias2=None, "
              "Tensor? next_bias=None, bool output=True, bool pack=False) -> (Tensor output, Tensor bits)");
}

// These are for inference; bin_conv3d is what is trained.
TORCH_LIBRARY_IMPL(vision_native, Autograd, library) {
  for (const char* name : {"sign_bias_pack", "pack_weight", "bconv3d", "bconv3d_fused"}) {
    library.impl(name, torch::CppFunction::makeFallthrough());
  }
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) { implement_binary_conv3d_ops(library); }

}  // namespace

BinaryConv3dBackend::~BinaryConv3dBackend() = default;

void register_binary_conv3d_backend(c10::DeviceType device, const BinaryConv3dBackend* backend) {
  backend_slot(device) = backend;
}

void implement_binary_conv3d_ops(torch::Library& library) {
  library.impl("sign_bias_pack", sign_bias_pack);
  library.impl("pack_weight", pack_weight);
  library.impl("bconv3d", bconv3d);
  library.impl("bconv3d_fused", bconv3d_fused);
}

BinaryConv3dShape binary_conv3d_shape(const char* op, int64_t batch, int64_t channels, int64_t out_channels, Size3 in,
                                      at::IntArrayRef kernel, at::IntArrayRef stride, at::IntArrayRef padding) {
  check_channels(op, "the number of input channels", channels);
  check_channels(op, "the number of output channels", out_channels);
  BinaryConv3dShape shape{batch, channels, out_channels, in, three(op, "kernel_size", kernel, 1),
                          three(op, "stride", stride, 1), three(op, "padding", padding, 0), {}};
  int64_t sum = channels;
  for (const int64_t size : shape.kernel) {
    TORCH_CHECK_VALUE(!__builtin_mul_overflow(sum, size, &sum) && sum <= kLargestSum, op, ": ", channels,
                      " channels under a kernel ", kernel, " give sums above ", kLargestSum, "; use a smaller kernel");
  }
  for (int i = 0; i < 3; ++i) {
    const int64_t room = in[i] + 2 * shape.padding[i] - shape.kernel[i];
    TORCH_CHECK(room >= 0, op, ": a kernel ", kernel, " is larger than an input of size [", in[0], ", ", in[1], ", ",
                in[2], "] with padding ", padding, "; pad more or use a smaller kernel");
    shape.out[i] = room / shape.stride[i] + 1;
  }
  return shape;
}

}  // namespace vision_native
