#pragma once
// Non-maximum suppression on CUDA: launches. Neither ATen nor c10 is known here.
#include <cuda_runtime.h>

#include <cstdint>

namespace vision_native::cuda {

/// Boxes by descending score.
template <typename T>
struct NmsBoxes {
  const T* corners;        ///< `[N, 4]`
  const int64_t* classes;  ///< `[N]`, or null where all are of one
  int64_t count;
  T threshold;

  int64_t words() const { return (count + 63) / 64; }
};

/// Rows of bits that one pass makes; a multiple of 64.
int64_t nms_band(int64_t count);

/// `bits` is `[band, words]`; `removed` and `kept`, `[words]`, are zero at first. Every pass takes the rows from `first` on.
template <typename T>
void launch_nms_band(const NmsBoxes<T>& boxes, int64_t first, int64_t band, uint64_t* bits, uint64_t* removed,
                     uint64_t* kept, cudaStream_t stream);

/// Places of kept boxes in `order`, and how many there are.
void launch_nms_gather(const uint64_t* kept, const int64_t* order, int64_t words, int64_t* places, int64_t* count,
                       cudaStream_t stream);

template <typename T>
struct SoftNms {
  const T* corners;  ///< `[N, 4]`
  T* scores;         ///< `[N]`, overwritten
  int64_t count;
  bool gaussian;
  T threshold, rate, least;
  int64_t* keep;  ///< `[N]`
  T* lowered;     ///< `[N]`
  int64_t* kept;  ///< how many
};

template <typename T>
void launch_soft_nms(const SoftNms<T>& call, cudaStream_t stream);

}  // namespace vision_native::cuda
