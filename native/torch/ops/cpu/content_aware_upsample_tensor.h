#pragma once
// What the CPU drivers of content-aware upsampling share.
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <limits>

#include "torch/cpu_isa.h"
#include "torch/ops/content_aware_upsample.h"
#include "torch/ops/cpu/content_aware_upsample_rows.h"
#include "torch/ops/cpu/floating_rows.h"

namespace vision_native {

template <typename A>
const CauRows<A>& rows_for() {
  const CauTables& tables = for_cpu_isa(kCauRowsScalar, kCauRowsAvx2, kCauRowsAvx512);
  if constexpr (std::is_same_v<A, double>) {
    return tables.wide;
  } else {
    return tables.narrow;
  }
}

/// Lanes run over channels where they lie side by side. Gradients of features are as `features`, those of logits as
/// `logits`; null is not wanted. Borders are zeros in the backward.
template <typename A>
void cau_forward_pixels(const at::Tensor& features, const at::Tensor& logits, const CauOptions& options,
                        const at::Tensor& out);
template <typename A>
void cau_backward_pixels(const at::Tensor& grad, const at::Tensor& features, const at::Tensor& logits,
                         const CauOptions& options, const at::Tensor* features_grad, const at::Tensor* logits_grad);

inline CauShape cau_shape(const at::Tensor& features, const CauOptions& options) {
  const int64_t columns = (features.size(3) + kCauLanes - 1) / kCauLanes * kCauLanes;
  return {features.size(1) / options.groups, features.size(2), features.size(3), options.scale, options.window,
          columns + options.window - 1 + kCauLanes};
}

/// Softmax of one source row as [K²][r²][padded], from `side` columns on; zeros elsewhere.
template <typename A>
void cau_load_weights(const CauRows<A>& rows, const CauShape& shape, const Rows4<A>& logits, int64_t n, int64_t group,
                      int64_t i, A* weights) {
  const int64_t side = shape.window / 2;
  const int64_t count = shape.window * shape.window * shape.scale * shape.scale;
  std::fill_n(weights, count * shape.padded, A(0));
  for (int64_t row = 0; row < count; ++row) {
    A* out = weights + row * shape.padded + side;
    logits.load(n, group * count + row, i, 0, 1, shape.width, out);
    // Columns that fill the lanes get no weight.
    const int64_t columns = shape.padded - 2 * side - kCauLanes;
    std::fill(out + shape.width, out + columns, -std::numeric_limits<A>::infinity());
  }
  rows.softmax(weights + side, shape);
}

}  // namespace vision_native
