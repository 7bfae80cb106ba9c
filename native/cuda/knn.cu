// Nearest neighbours on CUDA: a thread a query, its best keys in registers in order, reference points in shared memory.
// Distances are summed as on the CPU for points of up to 16 dimensions, whose results are the same bits.
#include "cuda/knn.h"
#include "cuda/launch.cuh"
#include "torch/ops/knn_key.h"

namespace vision_native::cuda {

namespace {

constexpr int kQueries = 128;
/// Elements of reference points in shared memory.
constexpr int kTile = 3072;
constexpr int kTargets = 128;
constexpr int kIndices = 2048;

__device__ inline int64_t length_of(const int64_t* lengths, int64_t b, int64_t count) {
  if (lengths == nullptr) return count;
  const int64_t length = lengths[b];
  return length < 0 ? 0 : length > count ? count : length;
}

/// Puts `key` in its place among kCount in order, and drops the last.
template <int kCount, typename Key>
__device__ inline void insert(Key (&best)[kCount], Key key) {
  best[kCount - 1] = key;
#pragma unroll
  for (int j = kCount - 1; j > 0; --j) {
    const Key low = best[j] < best[j - 1] ? best[j] : best[j - 1];
    const Key high = best[j] < best[j - 1] ? best[j - 1] : best[j];
    best[j - 1] = low;
    best[j] = high;
  }
}

/// Finds neighbours `first` to `first + kCount` of each query: of keys above that of the one before them.
template <typename A, int kCount, int kDims>
__global__ void __launch_bounds__(kQueries) find(KnnProblem<A> problem, int64_t first) {
  using Key = typename KeyOf<A>::Key;
  __shared__ A tile[kTile];
  const int64_t dims = kDims > 0 ? kDims : problem.dims;
  // Points that do not fit are read where they are; all threads read the same one.
  const bool shared = dims <= kTile;
  const int64_t step = shared ? kTile / dims : problem.references;
  const int64_t blocks = (problem.queries + kQueries - 1) / kQueries;
  for (int64_t item = blockIdx.x; item < problem.batch * blocks; item += gridDim.x) {
    const int64_t b = item / blocks, i = item % blocks * kQueries + threadIdx.x;
    const int64_t count = length_of(problem.reference_lengths, b, problem.references);
    const bool present = i < problem.queries;
    const bool wanted = present && i < length_of(problem.query_lengths, b, problem.queries);
    const A* query = problem.query + b * dims * problem.queries + (present ? i : 0);
    const A* reference = problem.reference + b * problem.references * dims;
    A point[kDims > 0 ? kDims : 1];
    if constexpr (kDims > 0) {
      for (int d = 0; d < kDims; ++d) point[d] = query[d * problem.queries];
    }
    const int64_t row = (b * problem.queries + i) * problem.k;
    Key best[kCount];
    for (Key& key : best) key = last_key<A>();
    Key after = 0;
    bool exhausted = !wanted;
    if (wanted && first > 0) {
      const int64_t index = problem.indices[row + first - 1];
      exhausted = index < 0;
      after = near_key(problem.distances[row + first - 1], static_cast<uint32_t>(index));
    }
    for (int64_t start = 0; start < count; start += step) {
      const int64_t size = count - start < step ? count - start : step;
      if (shared) {
        __syncthreads();
        for (int64_t j = threadIdx.x; j < size * dims; j += kQueries) tile[j] = reference[start * dims + j];
        __syncthreads();
      }
      if (exhausted) continue;
      const A* from = shared ? tile : reference + start * dims;
      for (int64_t j = 0; j < size; ++j) {
        A sum;
        if constexpr (kDims > 0) {
          A difference = from[j * kDims] - point[0];
          sum = difference * difference;
#pragma unroll
          for (int d = 1; d < kDims; ++d) {
            difference = from[j * kDims + d] - point[d];
            sum += difference * difference;
          }
        } else {
          sum = 0;
          for (int64_t d = 0; d < dims; ++d) {
            const A difference = from[j * dims + d] - query[d * problem.queries];
            sum += difference * difference;
          }
        }
        const Key key = near_key(sum, static_cast<uint32_t>(start + j));
        if (key < best[kCount - 1] && (first == 0 || key > after)) insert(best, key);
      }
    }
    if (!present) continue;
#pragma unroll
    for (int j = 0; j < kCount; ++j) {
      if (first + j >= problem.k) break;
      const bool found = best[j] != last_key<A>();
      problem.distances[row + first + j] =
          found ? distance_of<A>(best[j]) : wanted ? static_cast<A>(INFINITY) : static_cast<A>(0);
      problem.indices[row + first + j] = found ? static_cast<int64_t>(index_of<A>(best[j])) : -1;
    }
  }
}

template <typename A, int kCount>
void find_pass(const KnnProblem<A>& problem, int64_t first, cudaStream_t stream) {
  const int64_t blocks = problem.batch * ((problem.queries + kQueries - 1) / kQueries);
  const unsigned grid = static_cast<unsigned>(std::min(blocks, kMostBlocksX));
  switch (problem.dims) {
    case 2: find<A, kCount, 2><<<grid, kQueries, 0, stream>>>(problem, first); break;
    case 3: find<A, kCount, 3><<<grid, kQueries, 0, stream>>>(problem, first); break;
    default: find<A, kCount, 0><<<grid, kQueries, 0, stream>>>(problem, first);
  }
  check_launch("knn");
}

/// Of the difference of two points; at distance 0 a root has the slope 0.
template <typename A>
__device__ inline A slope_of(const A* a, const A* b, int64_t dims, A grad, bool rooted) {
  if (!rooted) return 2 * grad;
  A sum = 0;
  for (int64_t d = 0; d < dims; ++d) sum += (a[d] - b[d]) * (a[d] - b[d]);
  return sum == 0 ? A(0) : grad / sqrt(sum);
}

template <typename A>
__global__ void by_query(KnnSlopes<A> slopes, A* out) {
  VISION_NATIVE_PIXELS(item, slopes.batch * slopes.queries * slopes.dims) {
    const int64_t d = item % slopes.dims, i = item / slopes.dims, b = i / slopes.queries;
    const A* point = slopes.query + i * slopes.dims;
    A sum = 0;
    for (int64_t j = 0; j < slopes.k; ++j) {
      const int64_t index = slopes.indices[i * slopes.k + j];
      if (index < 0 || index >= slopes.references) continue;
      const A* other = slopes.reference + (b * slopes.references + index) * slopes.dims;
      sum += slope_of(point, other, slopes.dims, slopes.grad[i * slopes.k + j], slopes.rooted) * (point[d] - other[d]);
    }
    out[item] = sum;
  }
}

/// A thread a reference point: all read through the indices together and add what is theirs, in order.
template <typename A>
__global__ void __launch_bounds__(kTargets) by_reference(KnnSlopes<A> slopes, A* out) {
  __shared__ int32_t tile[kIndices];
  const int64_t blocks = (slopes.references + kTargets - 1) / kTargets;
  const int64_t pairs = slopes.queries * slopes.k;
  for (int64_t item = blockIdx.x; item < slopes.batch * blocks; item += gridDim.x) {
    const int64_t b = item / blocks, m = item % blocks * kTargets + threadIdx.x;
    const bool present = m < slopes.references;
    const A* point = slopes.reference + (b * slopes.references + (present ? m : 0)) * slopes.dims;
    A* sums = out + (b * slopes.references + (present ? m : 0)) * slopes.dims;
    if (present) {
      for (int64_t d = 0; d < slopes.dims; ++d) sums[d] = 0;
    }
    for (int64_t start = 0; start < pairs; start += kIndices) {
      const int size = static_cast<int>(pairs - start < kIndices ? pairs - start : kIndices);
      __syncthreads();
      for (int j = threadIdx.x; j < size; j += kTargets) {
        tile[j] = static_cast<int32_t>(slopes.indices[b * pairs + start + j]);
      }
      __syncthreads();
      if (!present) continue;
      for (int j = 0; j < size; ++j) {
        if (tile[j] != m) continue;
        const int64_t pair = b * pairs + start + j;
        const A* other = slopes.query + pair / slopes.k * slopes.dims;
        const A slope = slope_of(point, other, slopes.dims, slopes.grad[pair], slopes.rooted);
        for (int64_t d = 0; d < slopes.dims; ++d) sums[d] += slope * (point[d] - other[d]);
      }
    }
  }
}

}  // namespace

template <typename A>
void launch_knn(const KnnProblem<A>& problem, cudaStream_t stream) {
  if (problem.batch * problem.queries == 0) return;
  if (problem.k == 1) return find_pass<A, 1>(problem, 0, stream);
  if (problem.k <= 8) return find_pass<A, 8>(problem, 0, stream);
  if (problem.k <= 16) return find_pass<A, 16>(problem, 0, stream);
  for (int64_t first = 0; first < problem.k; first += kKnnPass) find_pass<A, kKnnPass>(problem, first, stream);
}

template <typename A>
void launch_knn_backward_query(const KnnSlopes<A>& slopes, A* out, cudaStream_t stream) {
  const int64_t count = slopes.batch * slopes.queries * slopes.dims;
  if (count == 0) return;
  by_query<A><<<blocks_for(count), kThreads, 0, stream>>>(slopes, out);
  check_launch("knn backward by the query");
}

template <typename A>
void launch_knn_backward_reference(const KnnSlopes<A>& slopes, A* out, cudaStream_t stream) {
  const int64_t blocks = slopes.batch * ((slopes.references + kTargets - 1) / kTargets);
  if (blocks == 0) return;
  by_reference<A><<<static_cast<unsigned>(std::min(blocks, kMostBlocksX)), kTargets, 0, stream>>>(slopes, out);
  check_launch("knn backward by the reference");
}

template void launch_knn(const KnnProblem<float>&, cudaStream_t);
template void launch_knn(const KnnProblem<double>&, cudaStream_t);
template void launch_knn_backward_query(const KnnSlopes<float>&, float*, cudaStream_t);
template void launch_knn_backward_query(const KnnSlopes<double>&, double*, cudaStream_t);
template void launch_knn_backward_reference(const KnnSlopes<float>&, float*, cudaStream_t);
template void launch_knn_backward_reference(const KnnSlopes<double>&, double*, cudaStream_t);

}  // namespace vision_native::cuda
