#pragma once
// Searches among points on CUDA: launches. Neither ATen nor c10 is known here.
#include <cuda_runtime.h>

#include <cstdint>

namespace vision_native::cuda {

/// Largest number of neighbours that one pass finds; more take several.
constexpr int64_t kKnnPass = 32;

template <typename A>
struct KnnProblem {
  const A* query;            ///< [B, D, N]
  const A* reference;        ///< [B, M, D]
  int64_t batch, queries, references, dims, k;
  const int64_t* query_lengths;      ///< [B] or null
  const int64_t* reference_lengths;  ///< [B] or null
  A* distances;              ///< [B, N, k]
  int64_t* indices;          ///< [B, N, k]
};

template <typename A>
void launch_knn(const KnnProblem<A>& problem, cudaStream_t stream);

template <typename A>
struct KnnSlopes {
  const A* grad;            ///< [B, N, k]
  const A* query;           ///< [B, N, D]
  const A* reference;       ///< [B, M, D]
  const int64_t* indices;   ///< [B, N, k]
  int64_t batch, queries, references, dims, k;
  bool rooted;
};

/// Sums are in the order of the queries: the same bits in every run.
template <typename A>
void launch_knn_backward_query(const KnnSlopes<A>& slopes, A* out, cudaStream_t stream);
template <typename A>
void launch_knn_backward_reference(const KnnSlopes<A>& slopes, A* out, cudaStream_t stream);

/// `points` [B, D, N]; `distances` is room for [B, N].
template <typename A>
void launch_furthest_point_sample(const A* points, int64_t batch, int64_t count, int64_t dims, int64_t samples,
                                  const int64_t* start, const int64_t* lengths, A* distances, int64_t* indices,
                                  cudaStream_t stream);

template <typename A>
struct BallProblem {
  const A* centers;  ///< [B, M, D]
  const A* points;   ///< [B, D, N]
  int64_t batch, rows, count, dims, samples;
  A squared_radius;
  const int64_t* center_lengths;  ///< [B] or null
  const int64_t* point_lengths;   ///< [B] or null
  int64_t* indices;               ///< [B, M, samples]
  int64_t* counts;                ///< [B, M]
};

template <typename A>
void launch_ball_query(const BallProblem<A>& problem, cudaStream_t stream);

}  // namespace vision_native::cuda
