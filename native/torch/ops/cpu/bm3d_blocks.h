#pragma once
// The loops of BM3D that take the time, compiled once for each instruction set.
#include <cstdint>

#include "torch/ops/bm3d_params.h"

namespace vision_native {

/// A plane whose rows may be read 16 elements behind their end.
struct Bm3dPlane {
  const float* data;
  int64_t stride;

  const float* at(int64_t y, int64_t x = 0) const { return data + y * stride + x; }
};

/// Sums of weighted noise, which is what was taken away, and of weights, of the rows from `top` on.
struct Bm3dSums {
  float* values;
  float* weights;
  int64_t stride, top;
};

struct Bm3dImage {
  int64_t height, width, channels;
};

/// Rows of blocks of reference whose groups are found together.
struct Bm3dBand {
  int64_t first, rows;  ///< of reference
};

/// What finding groups needs, for one band.
struct Bm3dSearch {
  /// `[rows, columns, most blocks]`: squared distance above, order below. Sorted.
  uint64_t* found;
  int32_t* counts;  ///< `[rows, columns]`
  float* limits;    ///< `[rows, row of floats]`: what a block must be as near as, −1 where no block of reference begins
  float* work;      ///< (rows + 8) rows of floats
  int64_t row;      ///< floats of a row, at least the width and 32
};

struct Bm3dBlocks {
  /// Finds the groups of a band's blocks in the plane.
  void (*search)(const Bm3dPlane& plane, const Bm3dImage& image, const Bm3dStage& stage, const Bm3dBand& band,
                 const Bm3dSearch& search);
  /// Filters one channel of a group of `count` blocks, a power of two, at `y`, `x` and adds it up. `basic` is used in the
  /// Wiener stage.
  void (*filter)(const Bm3dPlane& noisy, const Bm3dPlane& basic, const Bm3dStage& stage, int64_t channel,
                 const int32_t* y, const int32_t* x, int32_t count, const Bm3dTables& tables, const Bm3dSums& sums);
};

extern const Bm3dBlocks kBm3dBlocksScalar;
extern const Bm3dBlocks kBm3dBlocksAvx2;
extern const Bm3dBlocks kBm3dBlocksAvx512;

/// Order of candidates at equal distance: the block of reference, then raster order of the offsets.
inline uint32_t bm3d_order(int32_t dy, int32_t dx, int32_t reach) {
  return dy == 0 && dx == 0 ? 0 : static_cast<uint32_t>((dy + reach) * (2 * reach + 1) + dx + reach + 1);
}

inline void bm3d_offset(uint32_t order, int32_t reach, int32_t& dy, int32_t& dx) {
  dy = dx = 0;
  if (order == 0) return;
  const auto place = static_cast<int32_t>(order - 1);
  dy = place / (2 * reach + 1) - reach;
  dx = place % (2 * reach + 1) - reach;
}

}  // namespace vision_native
