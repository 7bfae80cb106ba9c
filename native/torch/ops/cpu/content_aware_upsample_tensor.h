#pragma once
// What the CPU drivers of content-aware upsampling share: memory, and rows of tensors of any type and layout.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <limits>

#include "torch/cpu_isa.h"
#include "torch/ops/content_aware_upsample.h"
#include "torch/ops/cpu/content_aware_upsample_rows.h"

namespace vision_native {

/// Memory of LibTorch's allocator, which counts it.
template <typename A>
class Scratch {
 public:
  explicit Scratch(int64_t count) : memory_(at::empty({count}, c10::CppTypeToScalarType<A>::value)) {}
  Scratch(int64_t count, A value) : Scratch(count) { std::fill_n(data(), count, value); }
  A* data() const { return memory_.mutable_data_ptr<A>(); }

 private:
  at::Tensor memory_;
};

template <typename T, typename A>
void unpack(const void* from, int64_t offset, int64_t stride, int64_t count, A* to) {
  const T* data = static_cast<const T*>(from) + offset;
  for (int64_t i = 0; i < count; ++i) to[i] = static_cast<A>(data[i * stride]);
}

template <typename T, typename A>
void pack(const A* from, int64_t count, void* to, int64_t offset, int64_t stride) {
  T* data = static_cast<T*>(to) + offset;
  for (int64_t i = 0; i < count; ++i) data[i * stride] = static_cast<T>(from[i]);
}

/// Rows of a [B, C, H, W] tensor of any floating-point type and layout.
template <typename A>
class Rows4 {
 public:
  explicit Rows4(const at::Tensor& tensor) : data_(tensor.data_ptr()) {
    for (int64_t i = 0; i < 4; ++i) strides_[i] = tensor.stride(i);
    switch (tensor.scalar_type()) {
      case at::kDouble: unpack_ = unpack<double, A>, pack_ = pack<double, A>; break;
      case at::kHalf: unpack_ = unpack<at::Half, A>, pack_ = pack<at::Half, A>; break;
      case at::kBFloat16: unpack_ = unpack<at::BFloat16, A>, pack_ = pack<at::BFloat16, A>; break;
      default: unpack_ = unpack<float, A>, pack_ = pack<float, A>;
    }
  }

  /// Every `step`th element of a row from `x` on.
  void load(int64_t n, int64_t c, int64_t y, int64_t x, int64_t step, int64_t count, A* to) const {
    unpack_(data_, at(n, c, y, x), step * strides_[3], count, to);
  }

  void save(int64_t n, int64_t c, int64_t y, int64_t x, int64_t step, int64_t count, const A* from) const {
    pack_(from, count, data_, at(n, c, y, x), step * strides_[3]);
  }

 private:
  int64_t at(int64_t n, int64_t c, int64_t y, int64_t x) const {
    return n * strides_[0] + c * strides_[1] + y * strides_[2] + x * strides_[3];
  }

  void* data_;
  int64_t strides_[4];
  void (*unpack_)(const void*, int64_t, int64_t, int64_t, A*);
  void (*pack_)(const A*, int64_t, void*, int64_t, int64_t);
};

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
