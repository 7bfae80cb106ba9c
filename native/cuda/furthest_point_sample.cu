// Furthest point sampling on CUDA: a block a cloud; the distances to the set stay where the next step reads them.
#include "cuda/knn.h"
#include "cuda/launch.cuh"
#include "torch/ops/knn_key.h"

namespace vision_native::cuda {

namespace {

constexpr int kSamplers = 512;
constexpr int kWarps = kSamplers / 32;

__device__ inline uint64_t shuffled_down(uint64_t key, int by) {
  return __shfl_down_sync(0xffffffffu, static_cast<unsigned long long>(key), by);
}
__device__ inline unsigned __int128 shuffled_down(unsigned __int128 key, int by) {
  const uint64_t high = shuffled_down(static_cast<uint64_t>(key >> 64), by);
  return static_cast<unsigned __int128>(high) << 64 | shuffled_down(static_cast<uint64_t>(key), by);
}

template <typename A>
__global__ void __launch_bounds__(kSamplers)
    sample(const A* points, int64_t batch, int64_t count, int64_t dims, int64_t samples, const int64_t* start,
           const int64_t* lengths, A* distances, int64_t* indices) {
  using Key = typename KeyOf<A>::Key;
  __shared__ Key warps[kWarps];
  __shared__ int64_t chosen;
  for (int64_t b = blockIdx.x; b < batch; b += gridDim.x) {
    const A* cloud = points + b * dims * count;
    A* to_set = distances + b * count;
    int64_t size = lengths == nullptr ? count : lengths[b];
    size = size < 0 ? 0 : size > count ? count : size;
    for (int64_t i = threadIdx.x; i < size; i += kSamplers) {
      bool finite = true;
      for (int64_t d = 0; d < dims; ++d) finite = finite && isfinite(cloud[d * count + i]);
      // Behind all others, but before those chosen already.
      to_set[i] = finite ? static_cast<A>(INFINITY) : A(-1);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      chosen = start == nullptr ? 0 : start[b];
      if (chosen < 0 || chosen >= size) chosen = size > 0 ? 0 : -1;
    }
    __syncthreads();
    for (int64_t step = 0; step < samples; ++step) {
      const int64_t at = chosen;
      if (threadIdx.x == 0) {
        indices[b * samples + step] = at;
        if (at >= 0) to_set[at] = -static_cast<A>(INFINITY);
      }
      // All have read `chosen`, and see the distance of the chosen point.
      __syncthreads();
      if (at < 0 || step + 1 == samples) continue;
      Key best = last_key<A>();
      for (int64_t i = threadIdx.x; i < size; i += kSamplers) {
        A difference = cloud[i] - cloud[at];
        A distance = difference * difference;
        for (int64_t d = 1; d < dims; ++d) {
          difference = cloud[d * count + i] - cloud[d * count + at];
          distance += difference * difference;
        }
        A least = to_set[i];
        if (distance < least) to_set[i] = least = distance;
        if (least == -static_cast<A>(INFINITY)) continue;
        const Key key = score_key(least, static_cast<uint32_t>(i));
        if (key < best) best = key;
      }
      for (int by = 16; by > 0; by /= 2) {
        const Key other = shuffled_down(best, by);
        if (other < best) best = other;
      }
      if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = best;
      __syncthreads();
      if (threadIdx.x == 0) {
        for (int warp = 1; warp < kWarps; ++warp) {
          if (warps[warp] < best) best = warps[warp];
        }
        chosen = best == last_key<A>() ? -1 : static_cast<int64_t>(index_of<A>(best));
      }
      __syncthreads();
    }
    __syncthreads();
  }
}

}  // namespace

template <typename A>
void launch_furthest_point_sample(const A* points, int64_t batch, int64_t count, int64_t dims, int64_t samples,
                                  const int64_t* start, const int64_t* lengths, A* distances, int64_t* indices,
                                  cudaStream_t stream) {
  if (batch == 0) return;
  sample<A><<<static_cast<unsigned>(std::min(batch, kMostBlocksX)), kSamplers, 0, stream>>>(
      points, batch, count, dims, samples, start, lengths, distances, indices);
  check_launch("furthest point sampling");
}

template void launch_furthest_point_sample(const float*, int64_t, int64_t, int64_t, int64_t, const int64_t*,
                                           const int64_t*, float*, int64_t*, cudaStream_t);
template void launch_furthest_point_sample(const double*, int64_t, int64_t, int64_t, int64_t, const int64_t*,
                                           const int64_t*, double*, int64_t*, cudaStream_t);

}  // namespace vision_native::cuda
