// Binary 3D convolution on the CPU: rows of outputs on threads, and what happens to their sums.
#include "torch/ops/binary_conv3d.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <emmintrin.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "torch/cpu_isa.h"
#include "torch/ops/binary_conv3d_epilogue.h"
#include "torch/ops/cpu/binary_conv3d_pack.h"
#include "torch/ops/cpu/binary_conv3d_rows.h"
#include "torch/ops/cpu/binary_conv3d_thresholds.h"

namespace vision_native {

namespace {

// Outputs of a row that are made together; what they need is held in the caches.
constexpr int64_t kSegment = 128;

const BinaryRowKernel& row_kernel() {
  if (cpu_has_vpopcntdq()) return kBinaryRowsPopcount;
  return for_cpu_isa(kBinaryRowsScalar, kBinaryRowsAvx2, kBinaryRowsAvx512);
}

// ---- Packing ----------------------------------------------------------------------------------------------------

/// x + bias, in float32 but for float64.
inline float biased(double x, double bias) { return x + bias >= 0.0 ? 1.0f : -1.0f; }
template <typename T>
float biased(T x, float bias) {
  return static_cast<float>(x) + bias;
}

template <typename T>
void pack_sign_typed(const at::Tensor& x, const at::Tensor& bias, at::Tensor& bits) {
  using Bias = std::conditional_t<std::is_same_v<T, double>, double, float>;
  const int64_t channels = x.size(1), times = x.size(2), height = x.size(3), width = x.size(4);
  const int64_t words = bits.size(4);
  const std::vector<int64_t> strides = x.strides().vec();
  const T* data = x.const_data_ptr<T>();
  const Bias* added = bias.defined() ? bias.const_data_ptr<Bias>() : nullptr;
  uint64_t* out = reinterpret_cast<uint64_t*>(bits.mutable_data_ptr<int64_t>());
  const RunContext* context = current_run_context();
  at::parallel_for(0, x.size(0) * times * height, 1 + 16384 / (width * channels), [&](int64_t begin, int64_t end) {
    float values[64];
    uint64_t rows[64];
    for (int64_t row = begin; row < end && !is_cancelled(context); ++row) {
      const int64_t n = row / (times * height), t = row / height % times, h = row % height;
      const T* from = data + n * strides[0] + t * strides[2] + h * strides[3];
      for (int64_t word = 0; word < words; ++word) {
        const int64_t first = 64 * word, count = std::min<int64_t>(64, channels - first);
        const auto bias_of = [&](int64_t c) { return added == nullptr ? Bias{0} : added[first + c]; };
        uint64_t* to = out + row * width * words + word;
        if (strides[1] == 1) {
          for (int64_t w = 0; w < width; ++w) {
            const T* pixel = from + w * strides[4] + first;
            for (int64_t c = 0; c < count; ++c) values[c] = biased(pixel[c], bias_of(c));
            std::fill(values + count, values + 64, -1.0f);
            to[w * words] = binary_signs(values);
          }
          continue;
        }
        for (int64_t start = 0; start < width; start += 64) {
          const int64_t pixels = std::min<int64_t>(64, width - start);
          std::fill(values + pixels, values + 64, -1.0f);
          for (int64_t c = 0; c < count; ++c) {
            const T* line = from + (first + c) * strides[1] + start * strides[4];
            const Bias b = bias_of(c);
            if (strides[4] == 1) {
              for (int64_t w = 0; w < pixels; ++w) values[w] = biased(line[w], b);
            } else {
              for (int64_t w = 0; w < pixels; ++w) values[w] = biased(line[w * strides[4]], b);
            }
            rows[c] = binary_signs(values);
          }
          std::fill(rows + count, rows + 64, 0);
          binary_transpose(rows);
          for (int64_t w = 0; w < pixels; ++w) to[(start + w) * words] = rows[w];
        }
      }
    }
  });
  check_cancelled();
}

// ---- Rows -------------------------------------------------------------------------------------------------------

/// Weights as rows by table read them: byte b of a word of 64 channels side by side.
at::Tensor turn_weight(const at::Tensor& weight, const BinaryConv3dShape& shape) {
  const int64_t blocks = shape.out_words(), each = shape.taps() * shape.words();
  at::Tensor turned = at::empty({blocks * each, 8 * kBinaryBlock}, weight.options().dtype(at::kByte));
  const int64_t tiles = weight.size(0);
  const uint8_t* from = reinterpret_cast<const uint8_t*>(weight.const_data_ptr<int64_t>());
  uint8_t* to = turned.mutable_data_ptr<uint8_t>();
  at::parallel_for(0, blocks * each, 256, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t block = i / each, place = i % each;
      for (int64_t group = 0; group < 8; ++group) {
        uint8_t* out = to + i * 8 * kBinaryBlock + 8 * group;
        const int64_t tile = 8 * block + group;
        if (tile >= tiles) {
          for (int64_t byte = 0; byte < 8; ++byte) std::memset(out + byte * kBinaryBlock, 0, 8);
          continue;
        }
        const __m128i* in = reinterpret_cast<const __m128i*>(from + (tile * each + place) * 64);
        __m128i pairs[4];
        for (int c = 0; c < 4; ++c) {
          const __m128i two = _mm_loadu_si128(in + c);
          pairs[c] = _mm_unpacklo_epi8(two, _mm_srli_si128(two, 8));
        }
        const __m128i quads[4] = {_mm_unpacklo_epi16(pairs[0], pairs[1]), _mm_unpackhi_epi16(pairs[0], pairs[1]),
                                  _mm_unpacklo_epi16(pairs[2], pairs[3]), _mm_unpackhi_epi16(pairs[2], pairs[3])};
        const __m128i bytes[4] = {_mm_unpacklo_epi32(quads[0], quads[2]), _mm_unpackhi_epi32(quads[0], quads[2]),
                                  _mm_unpacklo_epi32(quads[1], quads[3]), _mm_unpackhi_epi32(quads[1], quads[3])};
        for (int b = 0; b < 4; ++b) {
          _mm_storel_epi64(reinterpret_cast<__m128i*>(out + 2 * b * kBinaryBlock), bytes[b]);
          _mm_storel_epi64(reinterpret_cast<__m128i*>(out + (2 * b + 1) * kBinaryBlock), _mm_srli_si128(bytes[b], 8));
        }
      }
    }
  });
  return turned;
}

/// Bits of a row as rows by table read them, four to a byte.
void stage(const uint64_t* bits, int64_t words, uint8_t* to) {
  const __m128i mask = _mm_set1_epi8(30);
  for (int64_t i = 0; i < words; ++i) {
    const __m128i word = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bits + i));
    const __m128i low = _mm_and_si128(_mm_slli_epi16(word, 1), mask);
    const __m128i high = _mm_and_si128(_mm_srli_epi16(word, 3), mask);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + kStagedWord * i), _mm_unpacklo_epi8(low, high));
  }
}

/// Outputs x … x + count − 1 of a row, 64 of their channels.
struct Sums {
  int64_t pixel;    ///< index of the first over batch, time, height and width
  int64_t channel;  ///< the first
  int64_t channels, count;
  int32_t* y;  ///< `[count][64]`
};

/// One thread's part: finds the input of a row of outputs, stages it where the kernel asks for that, and counts.
class RowWorker {
 public:
  RowWorker(const uint64_t* bits, const uint8_t* weight, const BinaryConv3dShape& shape)
      : bits_(bits), weight_(weight), shape_(shape), kernel_(row_kernel()) {
    const int64_t wide = std::min(kSegment, shape.out[2]);
    sums_.resize(static_cast<size_t>(wide * kBinaryBlock));
    const int64_t rows = shape.kernel[0] * shape.kernel[1];
    inputs_.resize(static_cast<size_t>(rows));
    kernel_rows_.resize(static_cast<size_t>(rows));
    columns_ = (wide - 1) * shape.stride[2] + shape.kernel[2];
    if (kernel_.staged) staged_.resize(static_cast<size_t>(rows * columns_ * shape.words() * kStagedWord));
  }

  /// `row` counts over batch, time and height; `segment` along it.
  void prepare(int64_t row, int64_t segment) {
    if (row == row_ && segment == segment_) return;
    row_ = row;
    segment_ = segment;
    const auto [kt, kh, kw] = shape_.kernel;
    const int64_t words = shape_.words();
    const int64_t n = row / (shape_.out[0] * shape_.out[1]);
    const int64_t t0 = row / shape_.out[1] % shape_.out[0] * shape_.stride[0] - shape_.padding[0];
    const int64_t h0 = row % shape_.out[1] * shape_.stride[1] - shape_.padding[1];
    count_ = 0;
    for (int64_t a = 0; a < kt; ++a) {
      if (t0 + a < 0 || t0 + a >= shape_.in[0]) continue;
      for (int64_t b = 0; b < kh; ++b) {
        if (h0 + b < 0 || h0 + b >= shape_.in[1]) continue;
        const uint64_t* input = bits_ + ((n * shape_.in[0] + t0 + a) * shape_.in[1] + h0 + b) * shape_.in[2] * words;
        kernel_rows_[count_] = a * kh + b;
        inputs_[count_] = kernel_.staged ? static_cast<const void*>(stage_row(input, count_)) : input;
        ++count_;
      }
    }
  }

  Sums convolve(int64_t block) {
    const int64_t words = shape_.words(), start = segment_ * kSegment;
    const int64_t count = std::min(kSegment, shape_.out[2] - start);
    const int64_t channels = std::min(kBinaryBlock, shape_.out_channels - block * kBinaryBlock);
    const int64_t column = start * shape_.stride[2] - shape_.padding[2];
    const BinaryRow row{inputs_.data(), kernel_rows_.data(), count_, words, shape_.kernel[2], shape_.stride[2],
                        -column, shape_.in[2], count, shape_.taps()};
    kernel_.row(row, weight_ + block * 8 * kBinaryBlock * shape_.taps() * words, channels, sums_.data());
    for (int64_t x = 0; x < count; ++x) {
      const int64_t first = column + x * shape_.stride[2];
      const int64_t inside = std::min(first + shape_.kernel[2], shape_.in[2]) - std::max<int64_t>(first, 0);
      const int32_t most = static_cast<int32_t>(shape_.channels * count_ * std::max<int64_t>(inside, 0));
      int32_t* y = sums_.data() + x * kBinaryBlock;
      for (int64_t c = 0; c < kBinaryBlock; ++c) y[c] = most - 2 * y[c];
    }
    return {row_ * shape_.out[2] + start, block * kBinaryBlock, channels, count, sums_.data()};
  }

 private:
  const uint8_t* stage_row(const uint64_t* input, int64_t place) {
    const int64_t words = shape_.words();
    uint8_t* to = staged_.data() + place * columns_ * words * kStagedWord;
    const int64_t first = segment_ * kSegment * shape_.stride[2] - shape_.padding[2];
    const int64_t begin = std::clamp<int64_t>(-first, 0, columns_);
    const int64_t end = std::clamp(shape_.in[2] - first, begin, columns_);
    const int64_t column_bytes = words * kStagedWord;
    std::memset(to, kOutside, static_cast<size_t>(begin * column_bytes));
    if (begin < end) stage(input + (first + begin) * words, (end - begin) * words, to + begin * column_bytes);
    std::memset(to + end * column_bytes, kOutside, static_cast<size_t>((columns_ - end) * column_bytes));
    return to;
  }

  const uint64_t* bits_;
  const uint8_t* weight_;
  const BinaryConv3dShape& shape_;
  const BinaryRowKernel& kernel_;
  std::vector<int32_t> sums_;
  std::vector<uint8_t> staged_;
  std::vector<const void*> inputs_;
  std::vector<int64_t> kernel_rows_;
  int64_t columns_, count_ = 0, row_ = -1, segment_ = -1;
};

/// Calls `sink` with the sums of every row and block of channels; every element is made by one thread.
template <class Sink>
void for_sums(const at::Tensor& bits, const at::Tensor& weight, const BinaryConv3dShape& shape, Sink sink) {
  const at::Tensor read = row_kernel().staged ? turn_weight(weight, shape) : weight;
  const uint8_t* weights = static_cast<const uint8_t*>(read.const_data_ptr());
  const uint64_t* words = reinterpret_cast<const uint64_t*>(bits.const_data_ptr<int64_t>());
  const int64_t segments = (shape.out[2] + kSegment - 1) / kSegment, blocks = shape.out_words();
  const int64_t rows = shape.batch * shape.out[0] * shape.out[1];
  const RunContext* context = current_run_context();
  at::parallel_for(0, rows * segments * blocks, 1, [&](int64_t begin, int64_t end) {
    RowWorker worker(words, weights, shape);
    for (int64_t i = begin; i < end && !is_cancelled(context); ++i) {
      worker.prepare(i / (segments * blocks), i / blocks % segments);
      sink(worker.convolve(i % blocks));
    }
  });
  check_cancelled();
}

// ---- Epilogue ---------------------------------------------------------------------------------------------------

/// The epilogue's vectors with what is left out filled in, padded to whole blocks of channels.
class Vectors {
 public:
  Vectors(const BinaryEpilogue& epilogue, int64_t channels) : length_((channels + 63) / 64 * 64) {
    values_.resize(static_cast<size_t>(6 * length_));
    const at::Tensor* given[] = {&epilogue.scale, &epilogue.shift, &epilogue.bias1,
                                 &epilogue.slope, &epilogue.bias2, &epilogue.next_bias};
    for (int i = 0; i < 6; ++i) {
      float* to = values_.data() + i * length_;
      std::fill(to, to + length_, i == 3 ? 1.0f : 0.0f);
      if (given[i]->defined()) std::copy_n(given[i]->const_data_ptr<float>(), channels, to);
    }
  }

  const float* scale() const { return values_.data(); }
  const float* shift() const { return scale() + length_; }
  const float* bias1() const { return scale() + 2 * length_; }
  const float* slope() const { return scale() + 3 * length_; }
  const float* bias2() const { return scale() + 4 * length_; }
  const float* next_bias() const { return scale() + 5 * length_; }

 private:
  int64_t length_;
  std::vector<float> values_;
};

class CpuBinaryConv3d final : public BinaryConv3dBackend {
 public:
  void pack_sign(const at::Tensor& x, const at::Tensor& bias, at::Tensor& bits) const override {
    AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, x.scalar_type(), "sign_bias_pack",
                                    [&] { pack_sign_typed<scalar_t>(x, bias, bits); });
  }

  void pack_weight(const at::Tensor& weight, at::Tensor& packed) const override {
    AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, weight.scalar_type(), "pack_weight", [&] {
      const int64_t filters = weight.size(0), channels = weight.size(1), taps = packed.size(1), words = packed.size(2);
      const scalar_t* from = weight.const_data_ptr<scalar_t>();
      uint64_t* to = reinterpret_cast<uint64_t*>(packed.mutable_data_ptr<int64_t>());
      at::parallel_for(0, packed.size(0), 1, [&](int64_t begin, int64_t end) {
        std::fill(to + begin * taps * words * 8, to + end * taps * words * 8, 0);
        for (int64_t filter = 8 * begin; filter < std::min(8 * end, filters); ++filter) {
          for (int64_t c = 0; c < channels; ++c) {
            const scalar_t* values = from + (filter * channels + c) * taps;
            uint64_t* tile = to + (filter / 8 * taps * words + c / 64) * 8 + filter % 8;
            for (int64_t tap = 0; tap < taps; ++tap) {
              tile[tap * words * 8] |= static_cast<uint64_t>(values[tap] >= scalar_t(0)) << (c % 64);
            }
          }
        }
      });
    });
  }

  void convolve(const at::Tensor& bits, const at::Tensor& weight, const BinaryConv3dShape& shape,
                at::Tensor& out) const override {
    int32_t* to = out.mutable_data_ptr<int32_t>();
    for_sums(bits, weight, shape, [&](const Sums& sums) {
      for (int64_t x = 0; x < sums.count; ++x) {
        std::copy_n(sums.y + x * kBinaryBlock, sums.channels,
                    to + (sums.pixel + x) * shape.out_channels + sums.channel);
      }
    });
  }

  void convolve_fused(const at::Tensor& bits, const at::Tensor& weight, const BinaryConv3dShape& shape,
                      const BinaryEpilogue& epilogue) const override {
    const Vectors vectors(epilogue, shape.out_channels);
    if (!epilogue.output.defined() && !epilogue.residual.defined()) {
      const BinaryThresholds thresholds(vectors.scale(), vectors.shift(), vectors.bias1(), vectors.slope(),
                                        vectors.bias2(), vectors.next_bias(), shape.out_channels,
                                        shape.channels * shape.taps());
      if (thresholds.exact()) return pack_by_threshold(bits, weight, shape, thresholds, epilogue);
    }
    const float* residual = epilogue.residual.defined() ? epilogue.residual.const_data_ptr<float>() : nullptr;
    float* output = epilogue.output.defined() ? epilogue.output.mutable_data_ptr<float>() : nullptr;
    int64_t* packed = epilogue.bits.defined() ? epilogue.bits.mutable_data_ptr<int64_t>() : nullptr;
    for_sums(bits, weight, shape, [&](const Sums& sums) {
      alignas(16) float values[kBinaryBlock];
      for (int64_t x = 0; x < sums.count; ++x) {
        const int64_t place = (sums.pixel + x) * shape.out_channels + sums.channel;
        const int32_t* y = sums.y + x * kBinaryBlock;
        const int64_t first = sums.channel;
        for (int64_t c = 0; c < sums.channels; ++c) {
          values[c] = binary_epilogue(y[c], vectors.scale()[first + c], vectors.shift()[first + c],
                                      residual == nullptr ? 0.0f : residual[place + c], vectors.bias1()[first + c],
                                      vectors.slope()[first + c], vectors.bias2()[first + c]);
        }
        if (output != nullptr) std::copy_n(values, sums.channels, output + place);
        if (packed == nullptr) continue;
        for (int64_t c = 0; c < sums.channels; ++c) values[c] += vectors.next_bias()[first + c];
        std::fill(values + sums.channels, values + kBinaryBlock, -1.0f);
        packed[(sums.pixel + x) * shape.out_words() + first / kBinaryBlock] = static_cast<int64_t>(binary_signs(values));
      }
    });
  }

 private:
  static void pack_by_threshold(const at::Tensor& bits, const at::Tensor& weight, const BinaryConv3dShape& shape,
                                const BinaryThresholds& thresholds, const BinaryEpilogue& epilogue) {
    int64_t* packed = epilogue.bits.mutable_data_ptr<int64_t>();
    for_sums(bits, weight, shape, [&](const Sums& sums) {
      for (int64_t x = 0; x < sums.count; ++x) {
        const uint64_t word = thresholds.bits(sums.y + x * kBinaryBlock, sums.channel) & binary_mask(sums.channels);
        packed[(sums.pixel + x) * shape.out_words() + sums.channel / kBinaryBlock] = static_cast<int64_t>(word);
      }
    });
  }
};

const CpuBinaryConv3d backend;
const bool registered = (register_binary_conv3d_backend(c10::DeviceType::CPU, &backend), true);

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CPU, library) { implement_binary_conv3d_ops(library); }

}  // namespace vision_native
