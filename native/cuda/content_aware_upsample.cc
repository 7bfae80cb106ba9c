// Content-aware upsampling on CUDA: memory and order of launches. The kernels are in the .cu file.
#include "torch/ops/content_aware_upsample.h"

#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "cuda/content_aware_upsample.h"
#include "cuda/floating_tensor.h"

namespace vision_native {

namespace {

cudaStream_t stream() { return c10::cuda::getCurrentCUDAStream().stream(); }

cuda::CauProblem problem_of(const at::Tensor& features, const at::Tensor& logits, const CauOptions& options) {
  return {float_source(features),
          float_source(logits),
          features.size(0),
          options.groups,
          features.size(1) / options.groups,
          features.size(2),
          features.size(3),
          static_cast<int>(options.scale),
          static_cast<int>(options.window),
          options.replicate};
}

/// Memory in the order of contiguous logits, of the type that sums are made in.
template <typename A>
at::Tensor workspace(const cuda::CauProblem& problem, int64_t times, const at::Tensor& like) {
  return at::empty({times * problem.places()}, like.options().dtype(c10::CppTypeToScalarType<A>::value));
}

template <typename A>
void upsample(const at::Tensor& features, const at::Tensor& logits, const CauOptions& options, const at::Tensor& out) {
  const cuda::CauProblem problem = problem_of(features, logits, options);
  at::Tensor weights;
  A* data = nullptr;
  if (!cuda::cau_in_registers(problem)) {
    weights = workspace<A>(problem, 1, features);
    data = weights.mutable_data_ptr<A>();
    cuda::launch_cau_weights(problem, data, stream());
  }
  cuda::launch_cau_reassemble(problem, data, float_target(out), stream());
}

template <typename A>
void backward(const at::Tensor& grad, const at::Tensor& features, const at::Tensor& logits, const CauOptions& options,
              const at::Tensor* features_grad, const at::Tensor* logits_grad) {
  const cuda::CauProblem problem = problem_of(features, logits, options);
  const cuda::FloatSource from = float_source(grad);
  const at::Tensor weights = workspace<A>(problem, 1, features);
  cuda::launch_cau_weights(problem, weights.mutable_data_ptr<A>(), stream());
  if (logits_grad != nullptr) {
    const int64_t chunks = cuda::cau_slope_chunks(problem);
    const at::Tensor slopes = workspace<A>(problem, chunks, features);
    cuda::launch_cau_correlate(problem, from, slopes.mutable_data_ptr<A>(), chunks, stream());
    cuda::launch_cau_logits(problem, weights.const_data_ptr<A>(), slopes.const_data_ptr<A>(), chunks,
                            float_target(*logits_grad), stream());
  }
  if (features_grad != nullptr) {
    cuda::launch_cau_gather(problem, from, weights.const_data_ptr<A>(), float_target(*features_grad), stream());
  }
}

at::Tensor content_aware_upsample(const at::Tensor& features, const at::Tensor& logits, int64_t scale, int64_t window,
                                  int64_t groups, c10::string_view border) {
  const CauOptions options = cau_check("content_aware_upsample", features, logits, scale, window, groups, border);
  const c10::cuda::CUDAGuard guard(features.device());
  at::Tensor out = cau_empty_result(features, options);
  if (out.numel() == 0) return out;
  if (features.scalar_type() == at::kDouble) {
    upsample<double>(features, logits, options, out);
  } else {
    upsample<float>(features, logits, options, out);
  }
  return out;
}

std::tuple<at::Tensor, at::Tensor> content_aware_upsample_backward(const at::Tensor& grad, const at::Tensor& features,
                                                                   const at::Tensor& logits, int64_t scale,
                                                                   int64_t window, int64_t groups,
                                                                   c10::string_view border, bool features_grad,
                                                                   bool logits_grad) {
  const CauOptions options =
      cau_check("_content_aware_upsample_backward", features, logits, scale, window, groups, border);
  cau_check_grad(grad, features, options);
  const c10::cuda::CUDAGuard guard(features.device());
  auto [by_features, by_logits] = cau_empty_gradients(features, logits, features_grad, logits_grad);
  if (grad.numel() == 0) {
    // Logits without channels of features have a gradient, which is 0.
    if (logits_grad) by_logits.zero_();
    return {std::move(by_features), std::move(by_logits)};
  }
  const at::Tensor* first = features_grad ? &by_features : nullptr;
  const at::Tensor* second = logits_grad ? &by_logits : nullptr;
  if (features.scalar_type() == at::kDouble) {
    backward<double>(grad, features, logits, options, first, second);
  } else {
    backward<float>(grad, features, logits, options, first, second);
  }
  return {std::move(by_features), std::move(by_logits)};
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CUDA, library) {
  library.impl("content_aware_upsample", content_aware_upsample);
  library.impl("_content_aware_upsample_backward", content_aware_upsample_backward);
}

}  // namespace vision_native
