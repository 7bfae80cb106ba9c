#pragma once
// Content-aware upsampling on CUDA: launches. Neither ATen nor c10 is known here.
#include <cuda_runtime.h>

#include <cstdint>

#include "cuda/floating.h"

namespace vision_native::cuda {

struct CauProblem {
  FloatSource features;  ///< `[samples, groups·channels, height, width]`
  FloatSource logits;    ///< `[samples, groups·r²·K², height, width]`
  int64_t samples, groups, channels, height, width;
  int scale, window;
  bool replicate;

  int64_t parts() const { return int64_t{1} * scale * scale; }
  int64_t taps() const { return int64_t{1} * window * window; }
  int64_t places() const { return samples * groups * parts() * taps() * height * width; }
};

/// Whether windows of this size have kernels that keep the weights of an output in registers; others read them from memory.
bool cau_in_registers(const CauProblem& problem);
/// Whether the gradient of the features has such a kernel.
bool cau_gathers_in_registers(const CauProblem& problem);
/// Into how many parts the channels are divided for dL/dweights; each part has sums of its own, `places` long.
int64_t cau_slope_chunks(const CauProblem& problem);

/// Workspaces `weights` and `slopes` are float, double where the features are, in the order of contiguous logits.
template <typename A>
void launch_cau_weights(const CauProblem& problem, A* weights, cudaStream_t stream);
/// `weights` may be null where weights are kept in registers.
template <typename A>
void launch_cau_reassemble(const CauProblem& problem, const A* weights, const FloatTarget& out, cudaStream_t stream);
template <typename A>
void launch_cau_correlate(const CauProblem& problem, const FloatSource& grad, A* slopes, int64_t chunks, cudaStream_t stream);
template <typename A>
void launch_cau_logits(const CauProblem& problem, const A* weights, const A* slopes, int64_t chunks,
                       const FloatTarget& logits_grad, cudaStream_t stream);
template <typename A>
void launch_cau_gather(const CauProblem& problem, const FloatSource& grad, const A* weights,
                       const FloatTarget& features_grad, cudaStream_t stream);

}  // namespace vision_native::cuda
