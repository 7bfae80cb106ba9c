#pragma once
// Point clouds of any layout and floating type, unpacked for the scans.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <limits>

#include "torch/cpu_isa.h"
#include "torch/ops/cpu/knn_points.h"

namespace vision_native {

template <typename A>
const PointScans<A>& point_scans() {
  const PointTables& tables = for_cpu_isa(kPointScansScalar, kPointScansAvx2, kPointScansAvx512);
  if constexpr (std::is_same_v<A, double>) {
    return tables.wide;
  } else {
    return tables.narrow;
  }
}

template <typename A>
constexpr at::ScalarType kTypeOf = std::is_same_v<A, double> ? at::kDouble : at::kFloat;

/// Reads and writes points of a [B, N, D] tensor.
template <typename A>
class Points3 {
 public:
  explicit Points3(const at::Tensor& tensor) : data_(tensor.data_ptr()), type_(tensor.scalar_type()) {
    for (int64_t i = 0; i < 3; ++i) strides_[i] = tensor.stride(i);
  }

  /// One axis of points `first` to `first + count` of cloud b.
  void axis(int64_t b, int64_t first, int64_t count, int64_t d, A* to) const {
    visit([&](const auto* data) {
      const auto* from = data + b * strides_[0] + first * strides_[1] + d * strides_[2];
      for (int64_t i = 0; i < count; ++i) to[i] = static_cast<A>(from[i * strides_[1]]);
    });
  }

  void point(int64_t b, int64_t i, int64_t dims, A* to) const {
    visit([&](const auto* data) {
      const auto* from = data + b * strides_[0] + i * strides_[1];
      for (int64_t d = 0; d < dims; ++d) to[d] = static_cast<A>(from[d * strides_[2]]);
    });
  }

  void save(int64_t b, int64_t i, int64_t dims, const A* from) const {
    visit([&](const auto* data) {
      using T = std::remove_const_t<std::remove_pointer_t<decltype(data)>>;
      T* to = const_cast<T*>(data) + b * strides_[0] + i * strides_[1];
      for (int64_t d = 0; d < dims; ++d) to[d * strides_[2]] = static_cast<T>(from[d]);
    });
  }

 private:
  template <typename F>
  void visit(const F& body) const {
    switch (type_) {
      case at::kDouble: return body(static_cast<const double*>(data_));
      case at::kHalf: return body(static_cast<const at::Half*>(data_));
      case at::kBFloat16: return body(static_cast<const at::BFloat16*>(data_));
      default: return body(static_cast<const float*>(data_));
    }
  }

  void* data_;
  at::ScalarType type_;
  int64_t strides_[3];
};

/// A cloud with its axes apart; memory is LibTorch's.
template <typename A>
class UnpackedCloud {
 public:
  UnpackedCloud(const Points3<A>& points, int64_t b, int64_t count, int64_t dims) {
    const int64_t stride = (count + kPointLanes - 1) / kPointLanes * kPointLanes;
    memory_ = at::empty({dims * stride}, at::TensorOptions().dtype(kTypeOf<A>));
    A* data = memory_.template mutable_data_ptr<A>();
    for (int64_t d = 0; d < dims; ++d) {
      points.axis(b, 0, count, d, data + d * stride);
      std::fill(data + d * stride + count, data + (d + 1) * stride, std::numeric_limits<A>::quiet_NaN());
    }
    cloud = {data, stride, count, dims};
  }

  Cloud<A> cloud;

 private:
  at::Tensor memory_;
};

}  // namespace vision_native
