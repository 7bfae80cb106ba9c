// upfirdn2d on CUDA: a thread an output, in the order of the result's memory, so that neighbouring threads read neighbouring
// pixels or channels. Only taps that meet a pixel are visited. What bounds it is the memory: long separable filters come in
// two launches, one an axis.
#include "cuda/upfirdn2d.h"

#include "cuda/floating.cuh"
#include "cuda/launch.cuh"

namespace vision_native::cuda {

namespace {

/// Taps of an output that meet the input: the first one, what it meets, and how many there are.
struct Taps {
  int64_t first, input, count;
};

__device__ inline Taps taps_of(const UpfirdnSide& side, int64_t output) {
  const int64_t base = output * side.down - side.before;
  const int64_t input = base > 0 ? (base + side.up - 1) / side.up : 0;
  const int64_t end = base + side.taps - 1;
  const int64_t last = end < 0 ? -1 : min(end / side.up, side.size - 1);
  return {input * side.up - base, input, max(last - input + 1, int64_t{0})};
}

template <typename A>
__device__ inline A weight_of(const A* weights, int64_t tap) {
  return weights == nullptr ? A(1) : __ldg(weights + tap);
}

template <typename A, bool kChannelsFirst>
__global__ void filter(UpfirdnProblem problem, UpfirdnWeights<A> weights, int64_t count) {
  const FloatSource& x = problem.x;
  const UpfirdnSide &vertical = problem.vertical, &horizontal = problem.horizontal;
  VISION_NATIVE_PIXELS(index, count) {
    int64_t n, c, oy, ox;
    if (kChannelsFirst) {
      c = index % problem.channels;
      ox = index / problem.channels % horizontal.out;
      oy = index / problem.channels / horizontal.out % vertical.out;
      n = index / problem.channels / horizontal.out / vertical.out;
    } else {
      ox = index % horizontal.out;
      oy = index / horizontal.out % vertical.out;
      c = index / horizontal.out / vertical.out % problem.channels;
      n = index / horizontal.out / vertical.out / problem.channels;
    }
    const Taps rows = taps_of(vertical, oy), columns = taps_of(horizontal, ox);
    const int64_t start =
        n * x.strides[0] + c * x.strides[1] + rows.input * x.strides[2] + columns.input * x.strides[3];
    A sum = 0;
    for (int64_t i = 0; i < rows.count; ++i) {
      const int64_t row = rows.first + i * vertical.up;
      A line = 0;
      for (int64_t j = 0; j < columns.count; ++j) {
        const int64_t column = columns.first + j * horizontal.up;
        const A weight = weights.full != nullptr ? __ldg(weights.full + row * horizontal.taps + column)
                                                 : weight_of(weights.horizontal, column);
        line = fma(weight, load_as<A>(x.data, x.type, start + i * x.strides[2] + j * x.strides[3]), line);
      }
      sum = fma(weights.full != nullptr ? A(1) : weight_of(weights.vertical, row), line, sum);
    }
    const FloatTarget& out = problem.out;
    store_as(out.data, out.type,
             n * out.strides[0] + c * out.strides[1] + oy * out.strides[2] + ox * out.strides[3],
             sum * static_cast<A>(problem.gain));
  }
}

}  // namespace

template <typename A>
void launch_upfirdn2d(const UpfirdnProblem& problem, const UpfirdnWeights<A>& weights, cudaStream_t stream) {
  const int64_t count = problem.samples * problem.channels * problem.vertical.out * problem.horizontal.out;
  if (problem.out.strides[1] == 1 && problem.channels > 1) {
    filter<A, true><<<blocks_for(count), kThreads, 0, stream>>>(problem, weights, count);
  } else {
    filter<A, false><<<blocks_for(count), kThreads, 0, stream>>>(problem, weights, count);
  }
  check_launch("upfirdn2d");
}

template void launch_upfirdn2d<float>(const UpfirdnProblem&, const UpfirdnWeights<float>&, cudaStream_t);
template void launch_upfirdn2d<double>(const UpfirdnProblem&, const UpfirdnWeights<double>&, cudaStream_t);

}  // namespace vision_native::cuda
