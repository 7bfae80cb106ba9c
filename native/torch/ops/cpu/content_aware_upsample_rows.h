#pragma once
// Row work of content-aware upsampling, compiled once for each instruction set. Lanes run over source columns.
#include <cstdint>

namespace vision_native {

struct CauShape {
  int64_t channels, height, width;
  int64_t scale, window;  // r and K
  int64_t padded;         // columns of a padded row: the width rounded up to lanes, and room for the window on both sides
};

template <typename A>
struct CauRows {
  /// Softmax over the taps of each output of one row, in place: `weights` is [K²][r²][padded].
  void (*softmax)(A* weights, const CauShape& shape);
  /// `features` are [2][K][padded] with the row's first window at column 0, `out` [2][r²][padded].
  void (*reassemble)(const A* features, const A* weights, A* out, const CauShape& shape);
  /// Adds Σ_c g·f to `slopes`, [K²][r²][padded]; `grads` are [count][r²][padded], `features` [count][K][padded].
  void (*correlate)(const A* features, const A* grads, A* slopes, int64_t count, const CauShape& shape);
  /// dL/dlogits from the weights and dL/dweights, in place of the latter.
  void (*softmax_backward)(const A* weights, A* slopes, const CauShape& shape);
  /// Adds a row of weights times gradients to rows of features, [count][padded]: tap row `a` of the window.
  /// `grads` are [count][r²][padded] and `weights` [K²][r²][padded], both with zeros around their columns.
  void (*gather)(const A* grads, int64_t grad_stride, const A* weights, int64_t a, A* features, int64_t count,
                 const CauShape& shape);

  // Lanes over channels. Rows are [pixels][pitch], and `pitch` holds room to read and write whole lanes.

  /// `rows` are the K rows of the window with K/2 pixels on both sides, `out` the r rows of outputs.
  void (*reassemble_pixels)(const A* const* rows, int64_t pitch, const A* weights, A* const* out, int64_t out_pitch,
                            const CauShape& shape);
  /// Sets `slopes`, [K²][r²][padded], to Σ_c g·f; `grads` are the r rows of outputs.
  void (*correlate_pixels)(const A* const* rows, int64_t pitch, const A* const* grads, int64_t grad_pitch, A* slopes,
                           const CauShape& shape);
  /// A row of features from the outputs of the source rows that read it: for row `a` of the window
  /// `grads[a·r + u]` and `weights[a]`, which is null where there is no such row.
  void (*gather_pixels)(const A* const* grads, int64_t grad_pitch, const A* const* weights, A* out,
                        int64_t out_pitch, const CauShape& shape);
};

struct CauTables {
  CauRows<float> narrow;
  CauRows<double> wide;
};

constexpr int64_t kCauLanes = 8;
constexpr int64_t kCauMostParts = 64 * 64;

extern const CauTables kCauRowsScalar;
extern const CauTables kCauRowsAvx2;
extern const CauTables kCauRowsAvx512;

}  // namespace vision_native
