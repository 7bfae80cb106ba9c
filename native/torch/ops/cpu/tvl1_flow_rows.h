#pragma once
// Row functions of the CPU solver: the loops that take the time, compiled once for each instruction set.
#include <cstdint>

#include "torch/ops/tvl1_flow_params.h"

namespace vision_native {

/// Rows are worked on in groups of columns, whatever the width of the vectors: sums then have one order.
constexpr int64_t kTvl1Group = 16;
/// Columns whose |Δu|² is summed in float32 before it goes to a double.
constexpr int64_t kTvl1Piece = 256;
/// Pixels that a packed image has around it.
constexpr int64_t kTvl1Margin = 4;

/// What one call of `advance` works on: the flow of row y, and the dual field of the row above it, which needs both rows'
/// new flow. A row of the state holds u of each unknown, then pˣ and pʸ of each; a row of the data Ix, Iy, ρ_c and
/// −1/|∇I|². Planes of a row are `pitch` apart, begin with a group of zeros at negative columns, and are 0 from column
/// `width` on.
struct Tvl1WaveRow {
  const float* data;      ///< row y; null below the last row, where there is only the dual field to make
  const float* in;        ///< state of row y before the iteration
  const float* in_above;  ///< the same of row y − 1; zeros above the first row
  float* out;             ///< state of row y after the iteration; null below the last row
  float* out_above;       ///< the same of row y − 1; null where its dual field is not wanted
  int64_t pitch;
  int64_t width;
  int64_t begin, end;            ///< columns to make, whole groups
  int64_t kept_begin, kept_end;  ///< those of them whose |Δu|² is summed
};

/// A level of the second image with its centred differences: I, Ix, Iy, 0 of each pixel, and `kTvl1Margin` pixels around
/// them that repeat the border or are 0.
struct Tvl1Packed {
  const float* data;  ///< pixel (0, 0)
  int64_t stride;     ///< floats from row to row
  Tvl1Size size;
};

/// One row of the warp: from the flow to the data.
struct Tvl1WarpRow {
  const float* u;
  const float* v;
  const float* first;
  float* data;
  int64_t pitch;
};

struct Tvl1Rows {
  /// One inner iteration of a row; returns Σ|Δu|² over the columns kept.
  double (*advance)(const Tvl1WaveRow& row, const Tvl1Step& step);
  void (*warp)(const Tvl1WarpRow& row, const Tvl1Packed& second, int64_t y, const Tvl1Sampling& how, const Tvl1Step& step);
  /// Fills in −1/|∇I|² of a row of data.
  void (*inverse)(float* data, int64_t pitch, int64_t width, const Tvl1Step& step);
  /// 5×5 median; `rows` are the five rows around the output row.
  void (*median)(const float* const rows[5], float* out, int64_t width);
};

extern const Tvl1Rows kTvl1RowsScalar;
extern const Tvl1Rows kTvl1RowsAvx2;
extern const Tvl1Rows kTvl1RowsAvx512;

/// The row functions for `cpu_isa()`.
const Tvl1Rows& tvl1_rows();

}  // namespace vision_native
