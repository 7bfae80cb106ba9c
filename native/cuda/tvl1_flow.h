#pragma once
// Launches of the TV-L1 kernels: raw pointers and a stream, so that the kernels compile without ATen.
#include <cuda_runtime_api.h>

#include "torch/ops/tvl1_flow_params.h"

namespace vision_native::cuda {

// ---- Images (tvl1_flow_images.cu); `[count, H, W]`, contiguous ------------------------------------------------------

/// `scratch` has the size of the images.
void launch_smooth(const float* in, float* scratch, float* out, int64_t count, Tvl1Size size, const Tvl1Gaussian& kernel,
                   cudaStream_t stream);
void launch_shrink(const float* in, Tvl1Size in_size, float* out, Tvl1Size out_size, int64_t count, Tvl1Pyramid pyramid,
                   double scale_factor, float bicubic_a, cudaStream_t stream);
void launch_enlarge(const float* in, Tvl1Size in_size, float* out, Tvl1Size out_size, int64_t count, float factor,
                    Tvl1Pyramid pyramid, float bicubic_a, cudaStream_t stream);
/// Centred differences, `[count, 2, H, W]`.
void launch_image_gradient(const float* in, float* out, int64_t count, Tvl1Size size, cudaStream_t stream);
void launch_median(const float* in, float* out, int64_t count, Tvl1Size size, cudaStream_t stream);
/// Forward differences, `[2, count, H, W]`.
void launch_gradient(const float* in, float* out, int64_t count, Tvl1Size size, cudaStream_t stream);
void launch_divergence(const float* px, const float* py, float* out, int64_t count, Tvl1Size size, cudaStream_t stream);
void launch_threshold(const float* rho, const float* ix, const float* iy, float* out, int64_t count, const Tvl1Step& step,
                      cudaStream_t stream);

// ---- Solver (tvl1_flow.cu) ------------------------------------------------------------------------------------------

/// Device memory of a batch of pairs. A pair's flow and dual field are in one of two slots each; the kernels read the
/// one that `current_u[n]`, `current_p[n]` name and write the other. Pairs stop on their own, so no two need to be in the
/// same slot: each has its own part of a slot, large enough for the finest level, and at every level its planes
/// `[planes, h, w]` lie at the start of that part. A pair that moves to a finer level then overwrites no other.
struct Tvl1Workspace {
  float* u;                ///< `[2, pairs, unknowns, area]`
  float* p;                ///< `[2, pairs, 2·unknowns, area]`: pˣ, pʸ of each unknown
  float* data;             ///< `[pairs, 3, h, w]`: Ix, Iy, ρ_c
  const float* gradient;   ///< `[pairs, 2, h, w]`: centred differences of the second image
  int64_t slot_area;       ///< pixels of the largest level
  int32_t* current_u;      ///< `[pairs]`
  int32_t* current_p;      ///< `[pairs]`
  int32_t* done;           ///< `[pairs]`: the error of this warp is small enough
  uint32_t* tickets;       ///< `[pairs]`: blocks that have finished, 0 between launches
  double* partials;        ///< `[pairs, tiles]`: error of each tile
  int64_t tiles;           ///< room in `partials` for each pair
  double* errors;          ///< `[pairs]`: last error
  int32_t* iterations;     ///< result, `pairs` rows of `stat_stride`; points at this level and warp
  float* residuals;        ///< result, the same
  int64_t stat_stride;
  int64_t pairs;
  int unknowns;
};

/// Most iterations that one launch can make: its tiles have a border of that many pixels which they compute in vain.
int64_t largest_block(int unknowns);
/// Tiles of a pair when a launch makes `iterations` iterations.
int64_t tiles_of(Tvl1Size size, int unknowns, int64_t iterations);

/// Empties the dual field and starts at the flow in the other slot when `switch_flow`.
void launch_begin_level(const Tvl1Workspace& work, Tvl1Size size, bool switch_flow, cudaStream_t stream);
/// Data term at the current flow; wakes all pairs.
void launch_warp(const Tvl1Workspace& work, const float* first, const float* second, Tvl1Size size,
                 const Tvl1Sampling& sampling, cudaStream_t stream);
/// 5×5 median of u and v for pairs that are not done.
void launch_median_flow(const Tvl1Workspace& work, Tvl1Size size, cudaStream_t stream);
/// `iterations` inner iterations of all pairs that are not done. With `judge` a pair is done when its error is at most
/// `limit`.
void launch_iterate(const Tvl1Workspace& work, Tvl1Size size, const Tvl1Step& step, int64_t iterations, bool judge,
                    double limit, cudaStream_t stream);
/// Flow of a level resized into the other slot; `launch_begin_level` switches to it.
void launch_enlarge_flow(const Tvl1Workspace& work, Tvl1Size size, Tvl1Size finer, float factor, Tvl1Pyramid pyramid,
                         float bicubic_a, cudaStream_t stream);
/// u and v as `[pairs, 2, H, W]`.
void launch_collect(const Tvl1Workspace& work, Tvl1Size size, float* flow, cudaStream_t stream);

}  // namespace vision_native::cuda
