#pragma once
// Binary 3D convolution for training: what its autograd registration calls.
#include <ATen/core/Tensor.h>

#include <array>
#include <tuple>

namespace vision_native {

struct BinConv3dOptions {
  std::vector<int64_t> stride, padding;
  std::string scale, estimator;
};

using BinConv3dGradients = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

at::Tensor call_bin_conv3d(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                           const BinConv3dOptions& options);

/// Gradients of x, weight and bias; undefined where `wanted` says so.
BinConv3dGradients call_bin_conv3d_backward(const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& weight,
                                            const std::optional<at::Tensor>& bias, const BinConv3dOptions& options,
                                            std::array<bool, 3> wanted);

}  // namespace vision_native
