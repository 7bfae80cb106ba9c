#pragma once
// upfirdn2d on CUDA: the launch. Neither ATen nor c10 is known here.
#include <cuda_runtime.h>

#include <cstdint>

#include "cuda/floating.h"

namespace vision_native::cuda {

struct UpfirdnSide {
  int64_t up, down, before, taps, size, out;
};

struct UpfirdnProblem {
  FloatSource x;
  FloatTarget out;
  int64_t samples, channels;
  UpfirdnSide vertical, horizontal;
  double gain;
};

/// Weights as they meet the input: `full` is [vertical taps][horizontal taps]; else their products of `vertical` and
/// `horizontal`, of which null is a single 1.
template <typename A>
struct UpfirdnWeights {
  const A *full, *vertical, *horizontal;
};

template <typename A>
void launch_upfirdn2d(const UpfirdnProblem& problem, const UpfirdnWeights<A>& weights, cudaStream_t stream);

}  // namespace vision_native::cuda
