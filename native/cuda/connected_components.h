#pragma once
// Connected components and statistics of labels on CUDA: launches. Neither ATen nor c10 is known here.
#include <cuda_runtime.h>

#include <cstdint>

namespace vision_native::cuda {

struct LabelVolume {
  int64_t batch, depth, height, width;
  __host__ __device__ int64_t voxels() const { return depth * height * width; }
};

/// `values` `[batch, depth, height, width]`, contiguous, of `bytes` each. Afterwards `parent` holds the first place of each
/// place's component in raster order, −1 in the background, and `roots` 1 at these places. Fewer than 2³¹ voxels.
void launch_components(const void* values, int bytes, const LabelVolume& volume, int64_t connectivity, int32_t* parent,
                       int32_t* roots, cudaStream_t stream);

/// Replaces first places by labels; `numbers` are the running sums of `roots`.
void launch_numbering(const int32_t* numbers, const LabelVolume& volume, int32_t* labels, cudaStream_t stream);

/// `[batch, count + 1]`, and the same by 2 · dims and dims. `sum` is of places; `wrong` becomes 1 for a label out of range.
struct LabelSums {
  int64_t* area;
  int64_t* box;
  int64_t* sum;
  int32_t* wrong;
};

void launch_statistics(const int32_t* labels, const LabelVolume& volume, int64_t count, int dims, const LabelSums& sums,
                       double* centroid, cudaStream_t stream);

}  // namespace vision_native::cuda
