#pragma once
// What the CPU and the CUDA kernels of BM3D share: parameters, transforms and small arithmetic. Knows no LibTorch.
#include <cstdint>

#ifdef __CUDACC__
#define BM3D_HD __host__ __device__
#else
#define BM3D_HD
#endif

namespace vision_native {

constexpr int kBm3dSide = 8;              ///< of a block
constexpr int kBm3dArea = kBm3dSide * kBm3dSide;
constexpr int kBm3dStep = 3;              ///< between blocks of reference
constexpr int kBm3dMostBlocks = 32;       ///< of a group
constexpr int kBm3dMostReach = 63;        ///< of the search, to each side

/// One of the two stages.
struct Bm3dStage {
  bool wiener;
  int32_t reach;        ///< candidates are at offsets −reach … reach
  int32_t most_blocks;  ///< of a group; a power of two
  float limit;          ///< largest sum of squared differences between two blocks
  float sigma[3];       ///< standard deviation of the noise in each channel
};

/// Matrices of 8 × 8 by rows. A block X has the coefficients F·X·Fᵀ.
struct Bm3dTransform {
  float forward[kBm3dArea];
  float inverse[kBm3dArea];
};

struct Bm3dTables {
  Bm3dTransform wavelet;  ///< bior1.5 with period 8, rows of length 1
  Bm3dTransform cosine;   ///< DCT-II, orthonormal
  float window[kBm3dArea];
};

/// Multiples of σ below which the first stage drops a coefficient.
constexpr float kBm3dThreshold = 2.7f;

constexpr float kBm3dInfinity = __builtin_huge_valf();

BM3D_HD inline float bm3d_weight_of_kept(int32_t kept) { return 1.0f / static_cast<float>(kept > 0 ? kept : 1); }

/// Groups that hold almost nothing must not outweigh all others.
constexpr float kBm3dLeastNorm = 1.0f / 64;

BM3D_HD inline float bm3d_weight_of_norm(float norm) { return 1.0f / (norm < kBm3dLeastNorm ? kBm3dLeastNorm : norm); }

/// Blocks of reference along an axis: every third place, and the last.
BM3D_HD inline int64_t bm3d_references(int64_t side) {
  return (side - kBm3dSide + kBm3dStep - 1) / kBm3dStep + 1;
}

BM3D_HD inline int64_t bm3d_reference(int64_t index, int64_t side) {
  const int64_t place = index * kBm3dStep, last = side - kBm3dSide;
  return place < last ? place : last;
}

}  // namespace vision_native
