// Ball queries on CUDA: a warp a centre; ballots keep the order of the points.
#include "cuda/knn.h"
#include "cuda/launch.cuh"

namespace vision_native::cuda {

namespace {

template <typename A>
__global__ void __launch_bounds__(kThreads) query(BallProblem<A> problem) {
  const int lane = threadIdx.x % 32;
  const int64_t warps = static_cast<int64_t>(gridDim.x) * (kThreads / 32);
  const int64_t first = static_cast<int64_t>(blockIdx.x) * (kThreads / 32) + threadIdx.x / 32;
  for (int64_t item = first; item < problem.batch * problem.rows; item += warps) {
    const int64_t b = item / problem.rows, i = item % problem.rows;
    int64_t size = problem.point_lengths == nullptr ? problem.count : problem.point_lengths[b];
    size = size < 0 ? 0 : size > problem.count ? problem.count : size;
    if (problem.center_lengths != nullptr && i >= problem.center_lengths[b]) size = 0;
    const A* center = problem.centers + item * problem.dims;
    const A* cloud = problem.points + b * problem.dims * problem.count;
    int64_t* row = problem.indices + item * problem.samples;
    int64_t found = 0, nearest = 0;
    // What ends the loop is the same for all lanes.
    for (int64_t start = 0; start < size && found < problem.samples; start += 32) {
      const int64_t j = start + lane;
      bool inside = false;
      if (j < size) {
        A difference = cloud[j] - center[0];
        A sum = difference * difference;
        for (int64_t d = 1; d < problem.dims; ++d) {
          difference = cloud[d * problem.count + j] - center[d];
          sum += difference * difference;
        }
        inside = sum < problem.squared_radius;
      }
      const unsigned ballot = __ballot_sync(0xffffffffu, inside);
      if (ballot == 0) continue;
      if (found == 0) nearest = start + __ffs(ballot) - 1;
      const int64_t place = found + __popc(ballot & ((1u << lane) - 1));
      if (inside && place < problem.samples) row[place] = j;
      found += __popc(ballot);
    }
    if (found > problem.samples) found = problem.samples;
    for (int64_t j = found + lane; j < problem.samples; j += 32) row[j] = nearest;
    if (lane == 0) problem.counts[item] = found;
  }
}

}  // namespace

template <typename A>
void launch_ball_query(const BallProblem<A>& problem, cudaStream_t stream) {
  const int64_t rows = problem.batch * problem.rows;
  if (rows == 0) return;
  query<A><<<blocks_for(rows * 32), kThreads, 0, stream>>>(problem);
  check_launch("ball query");
}

template void launch_ball_query(const BallProblem<float>&, cudaStream_t);
template void launch_ball_query(const BallProblem<double>&, cudaStream_t);

}  // namespace vision_native::cuda
