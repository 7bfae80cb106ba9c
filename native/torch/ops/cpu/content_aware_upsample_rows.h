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
};

struct CauTables {
  CauRows<float> narrow;
  CauRows<double> wide;
};

constexpr int64_t kCauLanes = 8;

extern const CauTables kCauRowsScalar;
extern const CauTables kCauRowsAvx2;
extern const CauTables kCauRowsAvx512;

}  // namespace vision_native
