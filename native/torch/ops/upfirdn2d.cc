// Upsampling, FIR filter and downsampling in one: schema, checks and shapes. Karras et al., "Analyzing and Improving the
// Image Quality of StyleGAN", CVPR 2020, and the operator of that name in its published code.
#include "torch/ops/upfirdn2d.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/ones.h>
#include <torch/library.h>

#include <cmath>

namespace vision_native {

namespace {

constexpr const char* kOp = "upfirdn2d";
/// Options beyond this are mistakes, and sizes made of them stay far below 2⁶³.
constexpr int64_t kLargest = 1 << 20;

UpfirdnAxis axis_of(const char* name, int64_t size, int64_t taps, int64_t up, int64_t down, int64_t before,
                    int64_t after) {
  const int64_t padded = size * up + before + after;
  TORCH_CHECK(padded >= taps, kOp, ": a filter of ", taps, " taps does not fit a ", name, " of ", size, " times ", up,
              " with padding ", before, " and ", after, "; pad more or take a shorter filter");
  return {up, down, before, after, taps, size, (padded - taps) / down + 1};
}

at::Tensor upfirdn2d_meta(const at::Tensor& x, const std::optional<at::Tensor>& f, c10::IntArrayRef up,
                          c10::IntArrayRef down, c10::IntArrayRef padding, bool flip_filter, double gain) {
  return upfirdn2d_empty_result(x, upfirdn2d_check(x, f, up, down, padding, flip_filter, gain));
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def(
      "upfirdn2d(Tensor x, Tensor? f=None, *, int[2] up=1, int[2] down=1, int[4] padding=0, bool flip_filter=False, "
      "float gain=1) -> Tensor");
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) { library.impl("upfirdn2d", upfirdn2d_meta); }

// The filter stays in float32 and sums are made in it whatever the input is: nothing is to be cast.
TORCH_LIBRARY_IMPL(vision_native, AutocastCPU, library) {
  library.impl("upfirdn2d", torch::CppFunction::makeFallthrough());
}
TORCH_LIBRARY_IMPL(vision_native, AutocastCUDA, library) {
  library.impl("upfirdn2d", torch::CppFunction::makeFallthrough());
}

}  // namespace

UpfirdnOptions upfirdn2d_check(const at::Tensor& x, const std::optional<at::Tensor>& f, c10::IntArrayRef up,
                               c10::IntArrayRef down, c10::IntArrayRef padding, bool flip_filter, double gain) {
  const c10::ScalarType type = x.scalar_type();
  TORCH_CHECK_TYPE(type == at::kFloat || type == at::kDouble || type == at::kHalf || type == at::kBFloat16, kOp,
                   ": images are float32, float64, float16 or bfloat16, got ", type, "; convert them");
  TORCH_CHECK_VALUE(up.size() == 2 && down.size() == 2 && padding.size() == 4, kOp,
                    ": up and down are [x, y] and padding is [left, right, top, bottom], got ", up, ", ", down, " and ",
                    padding);
  for (int i = 0; i < 2; ++i) {
    TORCH_CHECK_VALUE(up[i] >= 1 && up[i] <= kLargest, kOp, ": up is 1 to ", kLargest, ", got ", up);
    TORCH_CHECK_VALUE(down[i] >= 1 && down[i] <= kLargest, kOp, ": down is 1 to ", kLargest, ", got ", down);
  }
  for (const int64_t side : padding) {
    TORCH_CHECK_VALUE(side >= -(kLargest * kLargest) && side <= kLargest * kLargest, kOp, ": padding is too large: ",
                      padding);
  }
  TORCH_CHECK_VALUE(std::isfinite(gain), kOp, ": gain is a finite number, got ", gain);
  TORCH_CHECK(x.dim() == 4, kOp, ": images are [N, C, H, W], got shape ", x.sym_sizes());
  int64_t taps_y = 1, taps_x = 1;
  bool separable = true;
  if (f.has_value() && f->defined()) {
    const c10::ScalarType filter = f->scalar_type();
    TORCH_CHECK_TYPE(filter == at::kFloat || filter == at::kDouble, kOp, ": the filter is float32 or float64, got ", filter,
                     "; convert it");
    TORCH_CHECK(f->dim() == 1 || f->dim() == 2, kOp, ": the filter is [taps] or [height, width], got shape ",
                f->sym_sizes());
    TORCH_CHECK(f->device() == x.device(), kOp, ": the images are on ", x.device(), " and the filter on ", f->device(),
                "; move one");
    separable = f->dim() == 1;
    taps_x = f->sym_size(-1).guard_int(__FILE__, __LINE__);
    taps_y = f->sym_size(0).guard_int(__FILE__, __LINE__);
    TORCH_CHECK(taps_x >= 1 && taps_y >= 1 && taps_x <= kLargest && taps_y <= kLargest, kOp,
                ": the filter has 1 to ", kLargest, " taps along an axis, got shape ", f->sym_sizes());
  }
  const int64_t height = x.sym_size(2).guard_int(__FILE__, __LINE__), width = x.sym_size(3).guard_int(__FILE__, __LINE__);
  return {axis_of("height", height, taps_y, up[1], down[1], padding[2], padding[3]),
          axis_of("width", width, taps_x, up[0], down[0], padding[0], padding[1]), separable, flip_filter, gain};
}

at::Tensor upfirdn2d_empty_result(const at::Tensor& x, const UpfirdnOptions& options) {
  return at::empty_symint({x.sym_size(0), x.sym_size(1), options.y.out, options.x.out}, x.options(),
                          x.suggest_memory_format());
}

at::Tensor upfirdn2d_weights(const at::Tensor& x, const std::optional<at::Tensor>& f, const UpfirdnOptions& options,
                             c10::ScalarType type) {
  if (!f.has_value() || !f->defined()) return at::ones({1}, x.options().dtype(type));
  const at::Tensor weights = f->to(type);
  if (options.flip_filter) return weights.contiguous();
  return options.separable ? at::flip(weights, {0}) : at::flip(weights, {0, 1});
}

}  // namespace vision_native
