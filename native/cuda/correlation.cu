// Correlation on CUDA. A block makes a row of up to 32 outputs for the displacements of one row of the patch: it brings some
// channels of both rows to shared memory, and each thread keeps several displacements of one output in registers, so that
// an element of the first map is read once for all of them. Gradients are gathered: every sum has one thread and a fixed
// order, so that results are the same from run to run.
#include "cuda/correlation.h"

#include "cuda/floating.cuh"
#include "cuda/launch.cuh"

namespace vision_native::cuda {

namespace {

constexpr int kBlockX = 32;
constexpr int kBlockY = 8;
constexpr int kBlock = kBlockX * kBlockY;
/// Displacements of a thread; a block makes kShifts · kBlockY of a row of the patch.
constexpr int kShifts = 3;
/// Channels in shared memory at a time, and the widest row that fits there.
constexpr int kStaged = 8;
constexpr int64_t kMostColumns = 512;
/// Channels whose gradients a thread makes.
constexpr int kChannels = 8;

__device__ inline int64_t offset_of(const int64_t* strides, int64_t n, int64_t c, int64_t y, int64_t x) {
  return n * strides[0] + c * strides[1] + y * strides[2] + x * strides[3];
}

__device__ inline bool within(int64_t x, int64_t size) { return x >= 0 && x < size; }

/// The displacement of a place in the patch along an axis.
__device__ inline int64_t shift_of(const CorrelationProblem& problem, int axis, int64_t place) {
  return (place - (problem.patch[axis] - 1) / 2) * problem.dilation_patch[axis];
}

/// Columns of the first map that a block's outputs need, and of the second.
__host__ __device__ inline int64_t first_columns(const CorrelationProblem& problem) {
  return (kBlockX - 1) * problem.stride[1] + (problem.kernel[1] - 1) * problem.dilation[1] + 1;
}
__host__ __device__ inline int64_t second_columns(const CorrelationProblem& problem) {
  const int64_t shifts =
      problem.patch[1] < kShifts * kBlockY ? problem.patch[1] : int64_t{kShifts * kBlockY};
  return first_columns(problem) + (shifts - 1) * problem.dilation_patch[1];
}

template <typename A>
__device__ void stage_row(const FloatSource& from, const CorrelationProblem& problem, int64_t n, int64_t c, int64_t y,
                          int64_t left, int columns, int thread, A* to) {
  for (int item = thread; item < kStaged * columns; item += kBlock) {
    const int64_t channel = c + item / columns, x = left + item % columns;
    const bool there = channel < problem.channels && within(x, problem.width);
    to[item] = there ? load_as<A>(from.data, from.type, offset_of(from.strides, n, channel, y, x)) : A(0);
  }
}

template <typename A>
__global__ void __launch_bounds__(kBlock) correlate_rows(CorrelationProblem problem, FloatTarget volume, int64_t tiles,
                                                        int64_t shift_groups, int64_t items) {
  __shared__ A first[kStaged * kMostColumns * sizeof(float) / sizeof(A)];
  __shared__ A second[kStaged * kMostColumns * sizeof(float) / sizeof(A)];
  const int thread = threadIdx.y * kBlockX + threadIdx.x;
  const int columns = static_cast<int>(first_columns(problem)), wide = static_cast<int>(second_columns(problem));
  const int stride = static_cast<int>(problem.stride[1]), dilation = static_cast<int>(problem.dilation[1]);
  const int step = static_cast<int>(problem.dilation_patch[1]), kernel = static_cast<int>(problem.kernel[1]);
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    int64_t rest = item;
    const int64_t w0 = rest % tiles * kBlockX;
    rest /= tiles;
    const int64_t group = rest % shift_groups * (kShifts * kBlockY);
    rest /= shift_groups;
    const int64_t h = rest % problem.out[0];
    rest /= problem.out[0];
    const int64_t row = rest % problem.patch[0], n = rest / problem.patch[0];
    const int64_t left = w0 * problem.stride[1] - problem.padding[1];
    A sums[kShifts] = {};
    for (int64_t i = 0; i < problem.kernel[0]; ++i) {
      const int64_t y = h * problem.stride[0] - problem.padding[0] + i * problem.dilation[0];
      const int64_t other = y + shift_of(problem, 0, row);
      // The same for all threads of the block.
      if (!within(y, problem.height) || !within(other, problem.height)) continue;
      for (int64_t c = 0; c < problem.channels; c += kStaged) {
        __syncthreads();
        stage_row(problem.first, problem, n, c, y, left, columns, thread, first);
        stage_row(problem.second, problem, n, c, other, left + shift_of(problem, 1, group), wide, thread, second);
        __syncthreads();
#pragma unroll
        for (int k = 0; k < kStaged; ++k) {
          const A* a = first + k * columns + threadIdx.x * stride;
          const A* b = second + k * wide + threadIdx.x * stride;
          for (int j = 0; j < kernel; ++j) {
            const A value = a[j * dilation];
#pragma unroll
            for (int s = 0; s < kShifts; ++s) {
              const int place = s * kBlockY + threadIdx.y;
              if (group + place < problem.patch[1]) sums[s] = fma(value, b[j * dilation + place * step], sums[s]);
            }
          }
        }
      }
    }
    if (w0 + threadIdx.x >= problem.out[1]) continue;
#pragma unroll
    for (int s = 0; s < kShifts; ++s) {
      const int64_t place = group + s * kBlockY + threadIdx.y;
      if (place >= problem.patch[1]) continue;
      store_as(volume.data, volume.type,
               offset_of(volume.strides, n, row * problem.patch[1] + place, h, w0 + threadIdx.x), sums[s]);
    }
  }
}

/// Geometries whose rows do not fit shared memory: a thread an output.
template <typename A>
__global__ void correlate_any(CorrelationProblem problem, FloatTarget volume, int64_t count) {
  VISION_NATIVE_PIXELS(index, count) {
    const int64_t w = index % problem.out[1], h = index / problem.out[1] % problem.out[0];
    const int64_t place = index / problem.out[1] / problem.out[0];
    const int64_t p = place % (problem.patch[0] * problem.patch[1]), n = place / (problem.patch[0] * problem.patch[1]);
    const int64_t dy = shift_of(problem, 0, p / problem.patch[1]), dx = shift_of(problem, 1, p % problem.patch[1]);
    A sum = 0;
    for (int64_t i = 0; i < problem.kernel[0]; ++i) {
      const int64_t y = h * problem.stride[0] - problem.padding[0] + i * problem.dilation[0];
      if (!within(y, problem.height) || !within(y + dy, problem.height)) continue;
      for (int64_t j = 0; j < problem.kernel[1]; ++j) {
        const int64_t x = w * problem.stride[1] - problem.padding[1] + j * problem.dilation[1];
        if (!within(x, problem.width) || !within(x + dx, problem.width)) continue;
        const int64_t one = offset_of(problem.first.strides, n, 0, y, x);
        const int64_t other = offset_of(problem.second.strides, n, 0, y + dy, x + dx);
        for (int64_t c = 0; c < problem.channels; ++c) {
          sum = fma(load_as<A>(problem.first.data, problem.first.type, one + c * problem.first.strides[1]),
                    load_as<A>(problem.second.data, problem.second.type, other + c * problem.second.strides[1]), sum);
        }
      }
    }
    store_as(volume.data, volume.type, offset_of(volume.strides, n, p, h, w), sum);
  }
}

/// dL/dproduct at (y, x) of the first map: the sum over the outputs whose window has it.
template <typename A>
__device__ A product_grad(const CorrelationProblem& problem, const FloatSource& grad, int64_t n, int64_t p, int64_t y,
                          int64_t x) {
  A sum = 0;
  for (int64_t i = 0; i < problem.kernel[0]; ++i) {
    const int64_t h = y + problem.padding[0] - i * problem.dilation[0];
    if (h < 0 || h % problem.stride[0] != 0 || h / problem.stride[0] >= problem.out[0]) continue;
    for (int64_t j = 0; j < problem.kernel[1]; ++j) {
      const int64_t w = x + problem.padding[1] - j * problem.dilation[1];
      if (w < 0 || w % problem.stride[1] != 0 || w / problem.stride[1] >= problem.out[1]) continue;
      sum += load_as<A>(grad.data, grad.type,
                        offset_of(grad.strides, n, p, h / problem.stride[0], w / problem.stride[1]));
    }
  }
  return sum;
}

/// Gradient of one map from the other, `maps`: of the first with the sign 1, of the second with −1.
template <typename A, int kSign>
__global__ void gather(CorrelationProblem problem, FloatSource grad, FloatSource maps, FloatTarget out,
                       int64_t channel_groups, int64_t count) {
  VISION_NATIVE_PIXELS(index, count) {
    const int64_t x = index % problem.width, y = index / problem.width % problem.height;
    const int64_t rest = index / problem.width / problem.height;
    const int64_t c = rest % channel_groups * kChannels, n = rest / channel_groups;
    A sums[kChannels] = {};
    for (int64_t row = 0; row < problem.patch[0]; ++row) {
      const int64_t other_y = y + kSign * shift_of(problem, 0, row);
      if (!within(other_y, problem.height)) continue;
      for (int64_t place = 0; place < problem.patch[1]; ++place) {
        const int64_t other_x = x + kSign * shift_of(problem, 1, place);
        if (!within(other_x, problem.width)) continue;
        const A slope = product_grad<A>(problem, grad, n, row * problem.patch[1] + place, kSign > 0 ? y : other_y,
                                        kSign > 0 ? x : other_x);
        const int64_t from = offset_of(maps.strides, n, c, other_y, other_x);
#pragma unroll
        for (int k = 0; k < kChannels; ++k) {
          if (c + k < problem.channels) {
            sums[k] = fma(slope, load_as<A>(maps.data, maps.type, from + k * maps.strides[1]), sums[k]);
          }
        }
      }
    }
#pragma unroll
    for (int k = 0; k < kChannels; ++k) {
      if (c + k < problem.channels) {
        store_as(out.data, out.type, offset_of(out.strides, n, c + k, y, x), sums[k]);
      }
    }
  }
}

template <typename A, int kSign>
void launch_gather(const CorrelationProblem& problem, const FloatSource& grad, const FloatSource& maps,
                   const FloatTarget& out, cudaStream_t stream) {
  const int64_t groups = (problem.channels + kChannels - 1) / kChannels;
  const int64_t count = problem.samples * groups * problem.height * problem.width;
  gather<A, kSign><<<blocks_for(count), kThreads, 0, stream>>>(problem, grad, maps, out, groups, count);
  check_launch("gradient of correlation");
}

}  // namespace

template <typename A>
void launch_correlation(const CorrelationProblem& problem, const FloatTarget& volume, cudaStream_t stream) {
  const int64_t most = kMostColumns * static_cast<int64_t>(sizeof(float)) / static_cast<int64_t>(sizeof(A));
  if (second_columns(problem) <= std::min(most, kMostColumns)) {
    const int64_t tiles = (problem.out[1] + kBlockX - 1) / kBlockX;
    const int64_t groups = (problem.patch[1] + kShifts * kBlockY - 1) / (kShifts * kBlockY);
    const int64_t items = problem.samples * problem.patch[0] * problem.out[0] * groups * tiles;
    const unsigned grid = static_cast<unsigned>(std::min(items, kMostBlocksX));
    correlate_rows<A><<<grid, dim3(kBlockX, kBlockY), 0, stream>>>(problem, volume, tiles, groups, items);
  } else {
    const int64_t count =
        problem.samples * problem.patch[0] * problem.patch[1] * problem.out[0] * problem.out[1];
    correlate_any<A><<<blocks_for(count), kThreads, 0, stream>>>(problem, volume, count);
  }
  check_launch("correlation");
}

template <typename A>
void launch_correlation_first_grad(const CorrelationProblem& problem, const FloatSource& grad, const FloatTarget& out,
                                   cudaStream_t stream) {
  launch_gather<A, 1>(problem, grad, problem.second, out, stream);
}

template <typename A>
void launch_correlation_second_grad(const CorrelationProblem& problem, const FloatSource& grad, const FloatTarget& out,
                                    cudaStream_t stream) {
  launch_gather<A, -1>(problem, grad, problem.first, out, stream);
}

template void launch_correlation<float>(const CorrelationProblem&, const FloatTarget&, cudaStream_t);
template void launch_correlation<double>(const CorrelationProblem&, const FloatTarget&, cudaStream_t);
template void launch_correlation_first_grad<float>(const CorrelationProblem&, const FloatSource&, const FloatTarget&,
                                                   cudaStream_t);
template void launch_correlation_first_grad<double>(const CorrelationProblem&, const FloatSource&, const FloatTarget&,
                                                    cudaStream_t);
template void launch_correlation_second_grad<float>(const CorrelationProblem&, const FloatSource&, const FloatTarget&,
                                                    cudaStream_t);
template void launch_correlation_second_grad<double>(const CorrelationProblem&, const FloatSource&, const FloatTarget&,
                                                     cudaStream_t);

}  // namespace vision_native::cuda
