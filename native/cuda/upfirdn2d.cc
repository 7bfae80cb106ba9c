// upfirdn2d on CUDA: one launch, or one an axis. The kernel is in the .cu file.
#include "torch/ops/upfirdn2d.h"

#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "cuda/floating_tensor.h"
#include "cuda/upfirdn2d.h"

namespace vision_native {

namespace {

/// Taps that meet an output, above which two launches read less than one.
constexpr int64_t kMostTaps = 16;

cuda::UpfirdnSide side_of(const UpfirdnAxis& axis) {
  return {axis.up, axis.down, axis.before, axis.taps, axis.size, axis.out};
}

cuda::UpfirdnSide unfiltered(int64_t size) { return {1, 1, 0, 1, size, size}; }

int64_t meeting(const UpfirdnAxis& axis) { return (axis.taps + axis.up - 1) / axis.up; }

template <typename A>
void filter(const at::Tensor& x, const std::optional<at::Tensor>& f, const UpfirdnOptions& options,
            const at::Tensor& out) {
  constexpr c10::ScalarType type = c10::CppTypeToScalarType<A>::value;
  const at::Tensor weights = upfirdn2d_weights(x, f, options, type);
  const A* taps = weights.const_data_ptr<A>();
  const cudaStream_t stream = c10::cuda::getCurrentCUDAStream().stream();
  const cuda::UpfirdnSide vertical = side_of(options.y), horizontal = side_of(options.x);
  const auto problem = [&](const at::Tensor& from, const at::Tensor& to, const cuda::UpfirdnSide& rows,
                           const cuda::UpfirdnSide& columns, double gain) {
    return cuda::UpfirdnProblem{float_source(from), float_target(to), x.size(0), x.size(1), rows, columns, gain};
  };
  if (!options.separable) {
    cuda::launch_upfirdn2d<A>(problem(x, out, vertical, horizontal, options.gain), {taps, nullptr, nullptr}, stream);
  } else if (meeting(options.y) * meeting(options.x) <= kMostTaps) {
    cuda::launch_upfirdn2d<A>(problem(x, out, vertical, horizontal, options.gain), {nullptr, taps, taps}, stream);
  } else {
    const at::Tensor between = at::empty({x.size(0), x.size(1), x.size(2), options.x.out}, x.options().dtype(type),
                                         x.suggest_memory_format());
    cuda::launch_upfirdn2d<A>(problem(x, between, unfiltered(x.size(2)), horizontal, 1), {nullptr, nullptr, taps}, stream);
    cuda::launch_upfirdn2d<A>(problem(between, out, vertical, unfiltered(options.x.out), options.gain),
                              {nullptr, taps, nullptr}, stream);
  }
}

at::Tensor upfirdn2d(const at::Tensor& x, const std::optional<at::Tensor>& f, c10::IntArrayRef up, c10::IntArrayRef down,
                     c10::IntArrayRef padding, bool flip_filter, double gain) {
  const UpfirdnOptions options = upfirdn2d_check(x, f, up, down, padding, flip_filter, gain);
  const c10::cuda::CUDAGuard guard(x.device());
  at::Tensor out = upfirdn2d_empty_result(x, options);
  if (out.numel() == 0) return out;
  if (x.numel() == 0) return out.zero_();
  if (x.scalar_type() == at::kDouble) {
    filter<double>(x, f, options, out);
  } else {
    filter<float>(x, f, options, out);
  }
  return out;
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CUDA, library) { library.impl("upfirdn2d", upfirdn2d); }

}  // namespace vision_native
