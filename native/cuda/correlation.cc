// Correlation on CUDA: tensors to raw pointers. The kernels are in the .cu file.
#include "torch/ops/correlation.h"

#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "cuda/correlation.h"
#include "cuda/floating_tensor.h"

namespace vision_native {

namespace {

cudaStream_t stream() { return c10::cuda::getCurrentCUDAStream().stream(); }

cuda::CorrelationProblem problem_of(const at::Tensor& first, const at::Tensor& second,
                                    const CorrelationOptions& options) {
  cuda::CorrelationProblem problem{float_source(first), float_source(second), first.size(0), first.size(1),
                                   first.size(2),       first.size(3),        {},            {},
                                   {},                  {},                   {},            {},
                                   {}};
  for (int axis = 0; axis < 2; ++axis) {
    problem.kernel[axis] = options.kernel[axis];
    problem.patch[axis] = options.patch[axis];
    problem.stride[axis] = options.stride[axis];
    problem.padding[axis] = options.padding[axis];
    problem.dilation[axis] = options.dilation[axis];
    problem.dilation_patch[axis] = options.dilation_patch[axis];
    problem.out[axis] = options.out[axis];
  }
  return problem;
}

/// Neighbouring threads read neighbouring columns, many times: where those are far apart a copy is cheaper.
at::Tensor with_rows(const at::Tensor& map) { return map.stride(3) == 1 ? map : map.contiguous(); }

at::Tensor rows_of(const at::Tensor& volume) {
  return volume.reshape({volume.size(0), volume.size(1) * volume.size(2), volume.size(3), volume.size(4)});
}

at::Tensor correlation(const at::Tensor& first, const at::Tensor& second, c10::IntArrayRef kernel_size,
                       c10::IntArrayRef patch_size, c10::IntArrayRef stride, c10::IntArrayRef padding,
                       c10::IntArrayRef dilation, c10::IntArrayRef dilation_patch) {
  const CorrelationOptions options =
      correlation_check("correlation", first, second, kernel_size, patch_size, stride, padding, dilation, dilation_patch);
  const c10::cuda::CUDAGuard guard(first.device());
  at::Tensor out = correlation_empty_result(first, options);
  if (out.numel() == 0) return out;
  if (first.numel() == 0) return out.zero_();
  const at::Tensor a = with_rows(first), b = with_rows(second);
  const cuda::CorrelationProblem problem = problem_of(a, b, options);
  const cuda::FloatTarget volume = float_target(rows_of(out));
  if (first.scalar_type() == at::kDouble) {
    cuda::launch_correlation<double>(problem, volume, stream());
  } else {
    cuda::launch_correlation<float>(problem, volume, stream());
  }
  return out;
}

template <typename A>
void differentiate(const cuda::CorrelationProblem& problem, const cuda::FloatSource& grad, const at::Tensor* first_grad,
                   const at::Tensor* second_grad) {
  if (first_grad != nullptr) cuda::launch_correlation_first_grad<A>(problem, grad, float_target(*first_grad), stream());
  if (second_grad != nullptr) {
    cuda::launch_correlation_second_grad<A>(problem, grad, float_target(*second_grad), stream());
  }
}

std::tuple<at::Tensor, at::Tensor> correlation_backward(const at::Tensor& grad, const at::Tensor& first,
                                                        const at::Tensor& second, c10::IntArrayRef kernel_size,
                                                        c10::IntArrayRef patch_size, c10::IntArrayRef stride,
                                                        c10::IntArrayRef padding, c10::IntArrayRef dilation,
                                                        c10::IntArrayRef dilation_patch, bool first_grad,
                                                        bool second_grad) {
  const CorrelationOptions options = correlation_check("_correlation_backward", first, second, kernel_size, patch_size,
                                                       stride, padding, dilation, dilation_patch);
  correlation_check_grad(grad, first, options);
  const c10::cuda::CUDAGuard guard(first.device());
  auto [by_first, by_second] = correlation_empty_gradients(first, first_grad, second_grad);
  if (first.numel() == 0) return {std::move(by_first), std::move(by_second)};
  const at::Tensor a = with_rows(first), b = with_rows(second), volume = rows_of(grad);
  const cuda::CorrelationProblem problem = problem_of(a, b, options);
  const at::Tensor* one = first_grad ? &by_first : nullptr;
  const at::Tensor* other = second_grad ? &by_second : nullptr;
  if (first.scalar_type() == at::kDouble) {
    differentiate<double>(problem, float_source(volume), one, other);
  } else {
    differentiate<float>(problem, float_source(volume), one, other);
  }
  return {std::move(by_first), std::move(by_second)};
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CUDA, library) {
  library.impl("correlation", correlation);
  library.impl("_correlation_backward", correlation_backward);
}

}  // namespace vision_native
