#pragma once
// BM3D on CUDA: launches. Neither ATen nor c10 is known here.
#include <cuda_runtime.h>

#include <cstdint>

#include "torch/ops/bm3d_params.h"

namespace vision_native::cuda {

struct Bm3dImage {
  int64_t channels, height, width;

  BM3D_HD int64_t area() const { return height * width; }
  BM3D_HD int64_t columns() const { return bm3d_references(width); }
  BM3D_HD int64_t blocks() const { return bm3d_references(height) * columns(); }
};

/// Room for one stage.
struct Bm3dRoom {
  uint32_t* found;   ///< `[blocks of reference, 32]`: offsets by their order, nearest first
  int32_t* counts;   ///< `[blocks of reference]`
  int64_t* values;   ///< `[channels, height, width]`: sums of weighted noise, in fixed point
  int64_t* weights;  ///< the same of weights
};

/// RGB, or grey, to the planes that are filtered, and back.
void launch_bm3d_to_planes(const float* image, const Bm3dImage& size, float* planes, cudaStream_t stream);
void launch_bm3d_from_planes(const float* planes, const Bm3dImage& size, float* image, cudaStream_t stream);

/// `tables` are on the device; so is all else. `basic` is used in the Wiener stage.
void launch_bm3d_stage(const float* noisy, const float* basic, const Bm3dImage& size, const Bm3dStage& stage,
                       const Bm3dTables* tables, const Bm3dRoom& room, float* out, cudaStream_t stream);

}  // namespace vision_native::cuda
