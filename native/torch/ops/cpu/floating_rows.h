#pragma once
// What CPU drivers of several operators share: memory, and rows of tensors of any type and layout.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>

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

template <typename T, typename A>
void unpack_pixels(const void* from, int64_t offset, int64_t pixel, int64_t channel, int64_t width, int64_t channels,
                   int64_t pitch, A* to) {
  const T* data = static_cast<const T*>(from) + offset;
  for (int64_t x = 0; x < width; ++x) {
    const T* source = data + x * pixel;
    A* target = to + x * pitch;
    if (channel == 1) {
      for (int64_t c = 0; c < channels; ++c) target[c] = static_cast<A>(source[c]);
    } else {
      for (int64_t c = 0; c < channels; ++c) target[c] = static_cast<A>(source[c * channel]);
    }
  }
}

template <typename T, typename A>
void pack_pixels(const A* from, int64_t pitch, int64_t width, int64_t channels, void* to, int64_t offset, int64_t pixel,
                 int64_t channel) {
  T* data = static_cast<T*>(to) + offset;
  for (int64_t x = 0; x < width; ++x) {
    const A* source = from + x * pitch;
    T* target = data + x * pixel;
    for (int64_t c = 0; c < channels; ++c) target[c * channel] = static_cast<T>(source[c]);
  }
}

/// Rows of pixels of a [B, C, H, W] tensor of any floating-point type and layout.
template <typename A>
class PixelRows {
 public:
  explicit PixelRows(const at::Tensor& tensor) : data_(tensor.data_ptr()) {
    for (int64_t i = 0; i < 4; ++i) strides_[i] = tensor.stride(i);
    same_type_ = tensor.scalar_type() == c10::CppTypeToScalarType<A>::value;
    switch (tensor.scalar_type()) {
      case at::kDouble: unpack_ = unpack_pixels<double, A>, pack_ = pack_pixels<double, A>; break;
      case at::kHalf: unpack_ = unpack_pixels<at::Half, A>, pack_ = pack_pixels<at::Half, A>; break;
      case at::kBFloat16: unpack_ = unpack_pixels<at::BFloat16, A>, pack_ = pack_pixels<at::BFloat16, A>; break;
      default: unpack_ = unpack_pixels<float, A>, pack_ = pack_pixels<float, A>;
    }
  }

  /// Whether kernels can work on the tensor's own memory: whole lanes of channels, side by side.
  bool direct(int64_t channels, int64_t lanes) const {
    return same_type_ && strides_[1] == 1 && channels % lanes == 0;
  }
  int64_t pitch() const { return strides_[3]; }
  A* at(int64_t n, int64_t c, int64_t y) const { return static_cast<A*>(data_) + offset(n, c, y); }

  void load(int64_t n, int64_t c, int64_t y, int64_t width, int64_t channels, int64_t pitch, A* to) const {
    unpack_(data_, offset(n, c, y), strides_[3], strides_[1], width, channels, pitch, to);
  }
  void save(int64_t n, int64_t c, int64_t y, int64_t width, int64_t channels, int64_t pitch, const A* from) const {
    pack_(from, pitch, width, channels, data_, offset(n, c, y), strides_[3], strides_[1]);
  }

 private:
  int64_t offset(int64_t n, int64_t c, int64_t y) const { return n * strides_[0] + c * strides_[1] + y * strides_[2]; }

  void* data_;
  int64_t strides_[4];
  bool same_type_;
  void (*unpack_)(const void*, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, A*);
  void (*pack_)(const A*, int64_t, int64_t, int64_t, void*, int64_t, int64_t, int64_t);
};

}  // namespace vision_native
