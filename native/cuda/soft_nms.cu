// Soft-NMS in one block: each round lowers all scores by the box that was chosen and finds the next highest.
#include <cmath>
#include <limits>

#include "cuda/launch.cuh"
#include "cuda/nms.h"
#include "torch/ops/nms_overlap.h"

namespace vision_native::cuda {

namespace {

constexpr int kSoftThreads = 1024;
constexpr int kWarps = kSoftThreads / 32;

template <typename T>
struct Best {
  T score;
  int64_t index;  ///< −1 where there is none
};

/// The higher score, of equal ones the first.
template <typename T>
__device__ inline Best<T> better(const Best<T>& a, const Best<T>& b) {
  if (a.index < 0) return b;
  if (b.index < 0) return a;
  if (a.score != b.score) return a.score > b.score ? a : b;
  return a.index < b.index ? a : b;
}

template <typename T>
__device__ inline Best<T> best_of_warp(Best<T> best) {
  for (int step = 16; step > 0; step /= 2) {
    const Best<T> other{__shfl_down_sync(0xffffffffu, best.score, step),
                        static_cast<int64_t>(__shfl_down_sync(0xffffffffu, static_cast<long long>(best.index), step))};
    best = better(best, other);
  }
  return best;
}

template <typename T>
__global__ void soften(SoftNms<T> call) {
  __shared__ Best<T> found[kWarps];
  __shared__ Best<T> chosen;
  const T lowest = -std::numeric_limits<T>::infinity();
  NmsBox<T> box{};
  int64_t made = 0;
  for (bool lower = false;; lower = true) {
    Best<T> best{lowest, -1};
    for (int64_t i = threadIdx.x; i < call.count; i += kSoftThreads) {
      T score = call.scores[i];
      if (lower && score != lowest) {
        const T* from = call.corners + 4 * i;
        const T overlap = nms_overlap(box, nms_box(from[0], from[1], from[2], from[3]));
        if (call.gaussian) {
          // An overlap that is NaN lowers nothing.
          if (overlap > T(0)) score *= exp(-(overlap * overlap) * call.rate);
        } else if (overlap >= call.threshold) {
          score *= T(1) - overlap;
        }
      }
      if (!(score >= call.least)) score = lowest;
      call.scores[i] = score;
      if (score != lowest) best = better(best, {score, i});
    }
    best = best_of_warp(best);
    if (threadIdx.x % 32 == 0) found[threadIdx.x / 32] = best;
    __syncthreads();
    if (threadIdx.x < 32) {
      best = best_of_warp(found[threadIdx.x]);
      if (threadIdx.x == 0) {
        chosen = best;
        if (best.index >= 0) {
          call.keep[made] = best.index;
          call.lowered[made] = best.score;
          call.scores[best.index] = lowest;
        }
      }
    }
    __syncthreads();
    const int64_t index = chosen.index;
    if (index < 0) break;
    ++made;
    const T* from = call.corners + 4 * index;
    box = nms_box(from[0], from[1], from[2], from[3]);
    // `chosen` is written again only after the next round's first barrier.
  }
  if (threadIdx.x == 0) *call.kept = made;
}

}  // namespace

template <typename T>
void launch_soft_nms(const SoftNms<T>& call, cudaStream_t stream) {
  soften<<<1, kSoftThreads, 0, stream>>>(call);
  check_launch("soft_nms");
}

template void launch_soft_nms(const SoftNms<float>&, cudaStream_t);
template void launch_soft_nms(const SoftNms<double>&, cudaStream_t);

}  // namespace vision_native::cuda
