#pragma once
// Binary 3D convolution: what a device has to offer so that the operators of binary_conv3d.cc run on it.
#include <ATen/core/Tensor.h>
#include <torch/library.h>

#include <array>

#include "torch/run_context.h"

namespace vision_native {

using Size3 = std::array<int64_t, 3>;

/// Sizes of one convolution; time, height, width.
struct BinaryConv3dShape {
  int64_t batch, channels, out_channels;
  Size3 in, kernel, stride, padding, out;

  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  /// Words of 64 bits that hold the channels of a pixel.
  int64_t words() const { return (channels + 63) / 64; }
  int64_t out_words() const { return (out_channels + 63) / 64; }
};

/// What follows the sum y: `h = PReLU(scale·y + shift + residual + bias1; slope) + bias2`, bit = `h + next_bias ≥ 0`.
/// Vectors have one contiguous float32 for each output channel.
struct BinaryEpilogue {
  at::Tensor scale, shift, bias1, slope, bias2, next_bias;
  /// `[N, T, H, W, C']` contiguous float32, or undefined. C' divides C: output channel c takes channel c % C'.
  at::Tensor residual;
  at::Tensor output;    ///< `[N, T, H, W, C]` contiguous float32, or undefined where nobody reads h
  at::Tensor bits;      ///< `[N, T, H, W, words]` int64, or undefined where there is no next layer
};

/// Kernels on one kind of device. Packed tensors are contiguous int64.
class VISION_NATIVE_API BinaryConv3dBackend {
 public:
  virtual ~BinaryConv3dBackend();
  /// Bits of `x + bias ≥ 0`, `x` `[N, C, T, H, W]` with any strides, `bias` contiguous or undefined.
  virtual void pack_sign(const at::Tensor& x, const at::Tensor& bias, at::Tensor& bits) const = 0;
  /// `weight` `[Co, Ci, kt, kh, kw]` contiguous, `packed` `[⌈Co/8⌉, taps, words, 8]`.
  virtual void pack_weight(const at::Tensor& weight, at::Tensor& packed) const = 0;
  virtual void convolve(const at::Tensor& bits, const at::Tensor& weight, const BinaryConv3dShape& shape,
                        at::Tensor& out) const = 0;
  virtual void convolve_fused(const at::Tensor& bits, const at::Tensor& weight, const BinaryConv3dShape& shape,
                              const BinaryEpilogue& epilogue) const = 0;
};

/// Makes a device's kernels known. Called while the library that holds them is loaded.
VISION_NATIVE_API void register_binary_conv3d_backend(c10::DeviceType device, const BinaryConv3dBackend* backend);

/// Registers the operators on packed bits for the dispatch key of `library`.
VISION_NATIVE_API void implement_binary_conv3d_ops(torch::Library& library);

/// Output sizes of a convolution after the checks of its options; names `op` in messages.
BinaryConv3dShape binary_conv3d_shape(const char* op, int64_t batch, int64_t channels, int64_t out_channels, Size3 in,
                                      at::IntArrayRef kernel, at::IntArrayRef stride, at::IntArrayRef padding);

}  // namespace vision_native
