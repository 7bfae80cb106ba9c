// Binary 3D convolution for training: exact sums of signs forward, straight-through estimators backward. Liu et al.,
// "Bi-Real Net", ECCV 2018, for the piecewise quadratic; Rastegari et al., "XNOR-Net", ECCV 2016, for the weight scale.
#include "torch/ops/binary_conv3d_train.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/where.h>

#include "torch/ops/binary_conv3d.h"

namespace vision_native {

namespace {

constexpr char kOp[] = "bin_conv3d";

void check_inputs(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                  const BinConv3dOptions& options) {
  TORCH_CHECK(x.dim() == 5, "bin_conv3d: x is [N, C, T, H, W], got shape ", x.sizes());
  TORCH_CHECK(weight.dim() == 5, "bin_conv3d: weight is [Co, Ci, kt, kh, kw], got shape ", weight.sizes());
  TORCH_CHECK(x.size(1) == weight.size(1), "bin_conv3d: x has ", x.size(1), " channels and the weight ", weight.size(1),
              "; they must be equal, groups are not supported");
  for (const at::Tensor* tensor : {&x, &weight}) {
    TORCH_CHECK_TYPE(tensor->is_floating_point(), "bin_conv3d: expected floating-point numbers, got ",
                     tensor->scalar_type(), "; convert with .to(float32)");
  }
  TORCH_CHECK(x.device() == weight.device(), "bin_conv3d: x is on ", x.device(), " and the weight on ", weight.device(),
              "; move one of them");
  if (bias && bias->defined()) {
    TORCH_CHECK_TYPE(bias->is_floating_point(), "bin_conv3d: expected a floating-point bias, got ", bias->scalar_type());
    TORCH_CHECK(bias->dim() == 1 && bias->size(0) == x.size(1), "bin_conv3d: bias has one number for each of the ",
                x.size(1), " input channels, got shape ", bias->sizes());
    TORCH_CHECK(bias->device() == x.device(), "bin_conv3d: x is on ", x.device(), " and the bias on ", bias->device(),
                "; move one of them");
  }
  TORCH_CHECK_VALUE(options.scale == "mean-abs" || options.scale == "none",
                    "bin_conv3d: scale is 'mean-abs' or 'none', got '", options.scale, "'");
  TORCH_CHECK_VALUE(options.estimator == "quadratic" || options.estimator == "clip",
                    "bin_conv3d: estimator is 'quadratic' or 'clip', got '", options.estimator, "'");
}

BinaryConv3dShape shape_of(const at::Tensor& x, const at::Tensor& weight, const BinConv3dOptions& options) {
  return binary_conv3d_shape(kOp, x.size(0), x.size(1), weight.size(0), {x.size(2), x.size(3), x.size(4)},
                             weight.sizes().slice(2), options.stride, options.padding);
}

/// Mean |w| of each filter, `[Co, 1, 1, 1, 1]`.
at::Tensor scale_of(const at::Tensor& weight) { return weight.abs().mean({1, 2, 3, 4}, /*keepdim=*/true); }

at::Tensor sign_of(const at::Tensor& values) {
  const auto one = [&](double number) { return at::scalar_tensor(number, values.options()); };
  return at::where(values.ge(0), one(1.0), one(-1.0));
}

at::Tensor bin_conv3d(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                      at::IntArrayRef stride, at::IntArrayRef padding, c10::string_view scale,
                      c10::string_view estimator) {
  const BinConv3dOptions options{stride.vec(), padding.vec(), std::string(scale), std::string(estimator)};
  check_inputs(x, weight, bias, options);
  const BinaryConv3dShape shape = shape_of(x, weight, options);
  static const auto pack_x = c10::Dispatcher::singleton()
      .findSchemaOrThrow("vision_native::sign_bias_pack", "")
      .typed<at::Tensor(const at::Tensor&, const std::optional<at::Tensor>&)>();
  static const auto pack_w = c10::Dispatcher::singleton()
      .findSchemaOrThrow("vision_native::pack_weight", "")
      .typed<at::Tensor(const at::Tensor&)>();
  static const auto convolve = c10::Dispatcher::singleton()
      .findSchemaOrThrow("vision_native::bconv3d", "")
      .typed<at::Tensor(const at::Tensor&, const at::Tensor&, int64_t, int64_t, at::IntArrayRef, at::IntArrayRef,
                        at::IntArrayRef)>();
  const at::Tensor sums = convolve.call(pack_x.call(x, bias), pack_w.call(weight), shape.channels, shape.out_channels,
                                        shape.kernel, shape.stride, shape.padding);
  const at::Tensor y = sums.permute({0, 4, 1, 2, 3});
  // On the meta device there is nothing to scale, and LibTorch's abs has no kernel without Python.
  if (options.scale == "none" || x.is_meta()) return y.to(x.scalar_type());
  const auto wide = weight.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return y.to(wide).mul(scale_of(weight.to(wide)).view({1, -1, 1, 1, 1})).to(x.scalar_type());
}

BinConv3dGradients bin_conv3d_backward(const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& weight,
                                       const std::optional<at::Tensor>& bias, at::IntArrayRef stride,
                                       at::IntArrayRef padding, c10::string_view scale, c10::string_view estimator,
                                       std::array<bool, 3> wanted) {
  const BinConv3dOptions options{stride.vec(), padding.vec(), std::string(scale), std::string(estimator)};
  check_inputs(x, weight, bias, options);
  const BinaryConv3dShape shape = shape_of(x, weight, options);
  const std::array<int64_t, 5> expected{shape.batch, shape.out_channels, shape.out[0], shape.out[1], shape.out[2]};
  TORCH_CHECK(gradient.sizes() == at::IntArrayRef(expected), "_bin_conv3d_backward: the gradient has the output's shape ",
              at::IntArrayRef(expected), ", got ", gradient.sizes());
  TORCH_CHECK_TYPE(gradient.is_floating_point(), "_bin_conv3d_backward: expected a floating-point gradient, got ",
                   gradient.scalar_type());
  TORCH_CHECK(gradient.device() == x.device(), "_bin_conv3d_backward: the gradient is on ", gradient.device(),
              " and x on ", x.device(), "; move one of them");
  const auto or_nothing = [&](const at::Tensor& tensor, const at::Tensor& like) {
    return tensor.defined() ? tensor : at::empty({0}, like.options());
  };
  const bool has_bias = bias && bias->defined();
  const at::Tensor& bias_or_x = has_bias ? *bias : x;
  if (x.is_meta()) {
    // Only shapes are asked for, and several operators below have no meta kernel without Python.
    const auto made = [&](bool asked, const at::Tensor& like) {
      return at::empty(asked ? like.sizes() : at::IntArrayRef{0}, like.options());
    };
    return {made(wanted[0], x), made(wanted[1], weight), made(wanted[2] && has_bias, bias_or_x)};
  }
  const auto wide = x.scalar_type() == at::kDouble || weight.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  at::Tensor moved = x.to(x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
  if (has_bias) moved = moved.add(bias->to(moved.scalar_type()).view({1, -1, 1, 1, 1}));
  const at::Tensor wide_weight = weight.to(wide);
  at::Tensor signs = sign_of(wide_weight);
  if (options.scale == "mean-abs") signs = signs.mul(scale_of(wide_weight));
  const bool activations = wanted[0] || (wanted[2] && has_bias);
  auto [da, dw, unused] = at::convolution_backward(
      gradient.to(wide), sign_of(moved).to(wide), signs, std::nullopt, stride, padding, {1, 1, 1},
      /*transposed=*/false, {0, 0, 0}, /*groups=*/1, {activations, wanted[1], false});
  at::Tensor dx, db;
  if (activations) {
    const at::Tensor size = moved.abs();
    const at::Tensor slope = options.estimator == "quadratic" ? size.mul(-2.0).add(2.0) : at::scalar_tensor(1.0, size.options());
    const at::Tensor inside = options.estimator == "quadratic" ? size.lt(1.0) : size.le(1.0);
    // Chosen, not multiplied: an estimator of 0 stays 0 beside NaN.
    const at::Tensor product = at::where(inside, da.mul(slope), at::scalar_tensor(0.0, da.options()));
    if (wanted[0]) dx = product.to(x.scalar_type());
    if (wanted[2] && has_bias) db = product.sum({0, 2, 3, 4}).to(bias->scalar_type());
  }
  if (wanted[1]) dw = at::where(wide_weight.abs().le(1.0), dw, at::scalar_tensor(0.0, dw.options())).to(weight.scalar_type());
  return {or_nothing(dx, x), or_nothing(dw, weight), or_nothing(db, bias_or_x)};
}

#define BIN_CONV3D_OPTIONS \
  "Tensor? bias=None, *, int[] stride=[1, 1, 1], int[] padding=[0, 0, 0], str scale='mean-abs', str estimator='quadratic'"

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def("bin_conv3d(Tensor x, Tensor weight, " BIN_CONV3D_OPTIONS ") -> Tensor");
  library.def("_bin_conv3d_backward(Tensor gradient, Tensor x, Tensor weight, " BIN_CONV3D_OPTIONS
              ", bool[3] wanted) -> (Tensor, Tensor, Tensor)");
}

/// Made of other operators, so one registration serves every device.
TORCH_LIBRARY_IMPL(vision_native, CompositeExplicitAutograd, library) {
  library.impl("bin_conv3d", bin_conv3d);
  library.impl("_bin_conv3d_backward", bin_conv3d_backward);
}

}  // namespace

at::Tensor call_bin_conv3d(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                           const BinConv3dOptions& options) {
  static const auto op = c10::Dispatcher::singleton()
      .findSchemaOrThrow("vision_native::bin_conv3d", "")
      .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, at::IntArrayRef,
                        at::IntArrayRef, c10::string_view, c10::string_view)>();
  return op.call(x, weight, bias, options.stride, options.padding, options.scale, options.estimator);
}

BinConv3dGradients call_bin_conv3d_backward(const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& weight,
                                            const std::optional<at::Tensor>& bias, const BinConv3dOptions& options,
                                            std::array<bool, 3> wanted) {
  static const auto op = c10::Dispatcher::singleton()
      .findSchemaOrThrow("vision_native::_bin_conv3d_backward", "")
      .typed<BinConv3dGradients(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                const std::optional<at::Tensor>&, at::IntArrayRef, at::IntArrayRef, c10::string_view,
                                c10::string_view, std::array<bool, 3>)>();
  return op.call(gradient, x, weight, bias, options.stride, options.padding, options.scale, options.estimator, wanted);
}

}  // namespace vision_native
