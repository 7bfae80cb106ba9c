#include "torch/ops/cpu/binary_conv3d_pack.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <type_traits>

#include "torch/run_context.h"

namespace vision_native {

namespace {

/// x + bias is taken in float32, beside float64 in float64.
template <typename T>
using BiasOf = std::conditional_t<std::is_same_v<T, double>, double, float>;

template <typename T>
bool is_positive(T x, BiasOf<T> bias) {
  return static_cast<BiasOf<T>>(x) + bias >= BiasOf<T>{0};
}

/// Bits of up to 64 numbers that lie `step` apart.
template <typename T>
uint64_t signs_of(const T* values, int64_t step, int64_t count, BiasOf<T> bias) {
  uint64_t word = 0;
  int64_t i = 0;
  if constexpr (std::is_same_v<T, float>) {
    if (step == 1) {
      if (count == 64) return binary_signs(values, bias);
      const __m128 added = _mm_set1_ps(bias);
      for (; i + 4 <= count; i += 4) {
        const __m128 moved = _mm_add_ps(_mm_loadu_ps(values + i), added);
        word |= static_cast<uint64_t>(_mm_movemask_ps(_mm_cmpge_ps(moved, _mm_setzero_ps()))) << i;
      }
    }
  }
  for (; i < count; ++i) word |= static_cast<uint64_t>(is_positive(values[i * step], bias)) << i;
  return word;
}

/// Bits of one pixel's channels, which lie side by side and have a bias each.
template <typename T>
uint64_t signs_of_pixel(const T* values, const BiasOf<T>* bias, int64_t count) {
  if (bias == nullptr) return signs_of(values, 1, count, BiasOf<T>{0});
  uint64_t word = 0;
  int64_t i = 0;
  if constexpr (std::is_same_v<T, float>) {
    for (; i + 4 <= count; i += 4) {
      const __m128 moved = _mm_add_ps(_mm_loadu_ps(values + i), _mm_loadu_ps(bias + i));
      word |= static_cast<uint64_t>(_mm_movemask_ps(_mm_cmpge_ps(moved, _mm_setzero_ps()))) << i;
    }
  }
  for (; i < count; ++i) word |= static_cast<uint64_t>(is_positive(values[i], bias[i])) << i;
  return word;
}

/// Images as lines of pixels that lie equally far apart: rows, or planes and volumes where nothing is between rows.
struct Lines {
  int64_t times, height, width;
  int64_t time_stride, row_stride, pixel_stride;
};

Lines lines_of(const at::Tensor& x) {
  Lines lines{x.size(2), x.size(3), x.size(4), x.stride(2), x.stride(3), x.stride(4)};
  if (lines.row_stride == lines.width * lines.pixel_stride || lines.height == 1) {
    lines.width *= lines.height;
    lines.height = 1;
    if (lines.time_stride == lines.width * lines.pixel_stride || lines.times == 1) {
      lines.width *= lines.times;
      lines.times = 1;
    }
  }
  return lines;
}

template <typename T>
void pack_sign(const at::Tensor& x, const at::Tensor& bias, at::Tensor& bits) {
  const int64_t channels = x.size(1), words = bits.size(4);
  const int64_t image_stride = x.stride(0), channel_stride = x.stride(1);
  const Lines lines = lines_of(x);
  const T* data = x.const_data_ptr<T>();
  const BiasOf<T>* added = bias.defined() ? bias.const_data_ptr<BiasOf<T>>() : nullptr;
  uint64_t* out = reinterpret_cast<uint64_t*>(bits.mutable_data_ptr<int64_t>());
  const int64_t pieces = (lines.width + 63) / 64, rows = x.size(0) * lines.times * lines.height;
  const RunContext* context = current_run_context();
  at::parallel_for(0, rows * pieces, 1 + 256 / channels, [&](int64_t begin, int64_t end) {
    uint64_t turned[64];
    for (int64_t i = begin; i < end && !is_cancelled(context); ++i) {
      const int64_t row = i / pieces, start = i % pieces * 64;
      const int64_t pixels = std::min<int64_t>(64, lines.width - start);
      const int64_t n = row / (lines.times * lines.height), t = row / lines.height % lines.times, h = row % lines.height;
      const T* from = data + n * image_stride + t * lines.time_stride + h * lines.row_stride + start * lines.pixel_stride;
      uint64_t* to = out + (row * lines.width + start) * words;
      for (int64_t word = 0; word < words; ++word) {
        const int64_t first = 64 * word, count = std::min<int64_t>(64, channels - first);
        if (channel_stride == 1) {
          const BiasOf<T>* each = added == nullptr ? nullptr : added + first;
          for (int64_t p = 0; p < pixels; ++p) {
            to[p * words + word] = signs_of_pixel(from + p * lines.pixel_stride + first, each, count);
          }
          continue;
        }
        for (int64_t c = 0; c < count; ++c) {
          const BiasOf<T> b = added == nullptr ? BiasOf<T>{0} : added[first + c];
          turned[c] = signs_of(from + (first + c) * channel_stride, lines.pixel_stride, pixels, b);
        }
        std::fill(turned + count, turned + 64, 0);
        binary_transpose(turned);
        for (int64_t p = 0; p < pixels; ++p) to[p * words + word] = turned[p];
      }
    }
  });
  check_cancelled();
}

template <typename T>
void pack_weight(const at::Tensor& weight, at::Tensor& packed) {
  const int64_t filters = weight.size(0), channels = weight.size(1), taps = packed.size(1), words = packed.size(2);
  const T* data = weight.const_data_ptr<T>();
  uint64_t* out = reinterpret_cast<uint64_t*>(packed.mutable_data_ptr<int64_t>());
  at::parallel_for(0, packed.size(0) * 8 * words, 1 + 512 / taps, [&](int64_t begin, int64_t end) {
    uint64_t turned[64];
    for (int64_t i = begin; i < end; ++i) {
      const int64_t filter = i / words, word = i % words;
      const int64_t first = 64 * word, count = std::min<int64_t>(64, channels - first);
      uint64_t* to = out + (filter / 8 * taps * words + word) * 8 + filter % 8;
      const T* from = data + (filter * channels + first) * taps;
      for (int64_t start = 0; start < taps; start += 64) {
        const int64_t length = std::min<int64_t>(64, taps - start);
        if (filter >= filters) {
          std::fill_n(turned, length, 0);
        } else if (taps == 1) {
          turned[0] = signs_of(from, 1, count, BiasOf<T>{0});
        } else {
          for (int64_t c = 0; c < count; ++c) turned[c] = signs_of(from + c * taps + start, 1, length, BiasOf<T>{0});
          std::fill(turned + count, turned + 64, 0);
          binary_transpose(turned);
        }
        for (int64_t tap = 0; tap < length; ++tap) to[(start + tap) * words * 8] = turned[tap];
      }
    }
  });
}

}  // namespace

void binary_pack_sign(const at::Tensor& x, const at::Tensor& bias, at::Tensor& bits) {
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, x.scalar_type(), "sign_bias_pack",
                                  [&] { pack_sign<scalar_t>(x, bias, bits); });
}

void binary_pack_weight(const at::Tensor& weight, at::Tensor& packed) {
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, weight.scalar_type(), "pack_weight",
                                  [&] { pack_weight<scalar_t>(weight, packed); });
}

}  // namespace vision_native
