// Binary 3D convolution on the CPU: rows of outputs on threads, and what happens to their sums.
#include "torch/ops/binary_conv3d.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <emmintrin.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "torch/cpu_isa.h"
#include "torch/ops/cpu/binary_conv3d_pack.h"
#include "torch/ops/cpu/binary_conv3d_rows.h"
#include "torch/ops/cpu/binary_conv3d_thresholds.h"

namespace vision_native {

namespace {

/// Images are staged together up to this size; one alone may be larger.
constexpr int64_t kStagedBytes = int64_t{8} << 20;

const BinaryRowKernel& row_kernel() {
  if (cpu_has_vpopcntdq()) return kBinaryRowsPopcount;
  return for_cpu_isa(kBinaryRowsScalar, kBinaryRowsAvx2, kBinaryRowsAvx512);
}

int64_t divided_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// ---- Weights ----------------------------------------------------------------------------------------------------

/// 64 words of 8 × 8 output channels as bytes: byte b of all of them side by side.
void turn(const uint8_t* weight, int64_t tiles, int64_t tile_bytes, uint8_t* to) {
  for (int64_t group = 0; group < 8; ++group) {
    uint8_t* out = to + 8 * group;
    if (group >= tiles) {
      for (int64_t byte = 0; byte < 8; ++byte) std::memset(out + byte * kBinaryBlock, 0, 8);
      continue;
    }
    const __m128i* in = reinterpret_cast<const __m128i*>(weight + group * tile_bytes);
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

/// Packed weights as the row functions read them, by blocks of 64 output channels.
class Weights {
 public:
  Weights(const at::Tensor& packed, const BinaryConv3dShape& shape, const BinaryRowKernel& kernel)
      : taps_(shape.taps()), block_bytes_(8 * kBinaryBlock * taps_ * shape.words()), words_(packed) {
    if (!kernel.staged) return;
    const int64_t blocks = shape.out_words(), words = shape.words(), tiles = packed.size(0);
    words_ = at::empty({blocks * block_bytes_}, packed.options().dtype(at::kByte));
    ones_ = at::empty({blocks * taps_ * kBinaryBlock}, packed.options().dtype(at::kInt));
    const uint8_t* from = static_cast<const uint8_t*>(packed.const_data_ptr());
    uint8_t* turned = words_.mutable_data_ptr<uint8_t>();
    int32_t* ones = ones_.mutable_data_ptr<int32_t>();
    const int64_t word_bytes = 8 * kBinaryBlock, tile_bytes = block_bytes_ / 8;
    at::parallel_for(0, blocks * taps_, 1 + 64 / words, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t block = i / taps_, tap = i % taps_;
        uint8_t* to = turned + i * words * word_bytes;
        for (int64_t word = 0; word < words; ++word) {
          turn(from + 8 * block * tile_bytes + (tap * words + word) * 64, tiles - 8 * block, tile_bytes, to + word * word_bytes);
        }
        kernel.ones(to, words, ones + i * kBinaryBlock);
      }
    });
  }

  const void* block(int64_t block) const {
    return static_cast<const uint8_t*>(words_.const_data_ptr()) + block * block_bytes_;
  }
  const int32_t* ones(int64_t block) const {
    return ones_.defined() ? ones_.const_data_ptr<int32_t>() + block * taps_ * kBinaryBlock : nullptr;
  }

 private:
  int64_t taps_, block_bytes_;
  at::Tensor words_, ones_;
};

// ---- Input ------------------------------------------------------------------------------------------------------

/// The places of the tables of a word and its neighbour: 16 · (four bits of one + 16 · four of the other).
void stage(const uint64_t* word, const uint64_t* neighbour, uint16_t* to) {
  const __m128i mask = _mm_set1_epi8(15);
  const auto halves = [&](const uint64_t* from) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
    return _mm_unpacklo_epi8(_mm_and_si128(bytes, mask), _mm_and_si128(_mm_srli_epi16(bytes, 4), mask));
  };
  const __m128i both = _mm_or_si128(halves(word), _mm_slli_epi16(halves(neighbour), 4));
  const __m128i zero = _mm_setzero_si128();
  __m128i* out = reinterpret_cast<__m128i*>(to);
  _mm_storeu_si128(out, _mm_slli_epi16(_mm_unpacklo_epi8(both, zero), 4));
  _mm_storeu_si128(out + 1, _mm_slli_epi16(_mm_unpackhi_epi8(both, zero), 4));
}

/// Rows of a few images as the row functions read them: packed words, or staged for the tables.
class Input {
 public:
  Input(const uint64_t* bits, const BinaryConv3dShape& shape, bool staged) : bits_(bits), shape_(shape) {
    if (!staged) return;
    const int64_t pairs = divided_up(shape.out[2], 2);
    columns_ = 2 * (pairs - 1) * shape.stride[2] + shape.kernel[2];
    row_ = columns_ * shape.words() * kStagedWord;
  }

  /// Bytes that one image takes.
  int64_t staged_bytes() const { return shape_.in[0] * shape_.in[1] * row_ * static_cast<int64_t>(sizeof(uint16_t)); }

  void stage_images(int64_t first, int64_t images) {
    first_ = first;
    if (columns_ == 0) return;
    const int64_t image_rows = shape_.in[0] * shape_.in[1], words = shape_.words();
    if (!staged_.defined()) staged_ = at::empty({images * image_rows * row_}, at::TensorOptions().dtype(at::kShort));
    uint16_t* to = reinterpret_cast<uint16_t*>(staged_.mutable_data_ptr<int16_t>());
    const std::vector<uint64_t> outside(static_cast<size_t>(words), 0);
    at::parallel_for(0, images * image_rows, 1 + 4096 / (columns_ * words), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const uint64_t* line = bits_ + (first * image_rows + row) * shape_.in[2] * words;
        const auto pixel = [&](int64_t column) {
          return column >= 0 && column < shape_.in[2] ? line + column * words : outside.data();
        };
        uint16_t* out = to + row * row_;
        for (int64_t column = 0; column < columns_; ++column) {
          const uint64_t* one = pixel(column - shape_.padding[2]);
          const uint64_t* other = pixel(column - shape_.padding[2] + shape_.stride[2]);
          for (int64_t word = 0; word < words; ++word, out += kStagedWord) stage(one + word, other + word, out);
        }
      }
    });
  }

  /// Row h of time t of image n, for outputs from `start` on.
  const void* row(int64_t n, int64_t t, int64_t h, int64_t start) const {
    if (columns_ == 0) return bits_ + ((n * shape_.in[0] + t) * shape_.in[1] + h) * shape_.in[2] * shape_.words();
    const uint16_t* rows = reinterpret_cast<const uint16_t*>(staged_.const_data_ptr<int16_t>());
    return rows + (((n - first_) * shape_.in[0] + t) * shape_.in[1] + h) * row_ +
           start * shape_.stride[2] * shape_.words() * kStagedWord;
  }

 private:
  const uint64_t* bits_;
  const BinaryConv3dShape& shape_;
  int64_t columns_ = 0, row_ = 0, first_ = 0;
  at::Tensor staged_;
};

// ---- Rows -------------------------------------------------------------------------------------------------------

/// One output pixel, a block of its channels.
struct Counts {
  int64_t pixel;              ///< index over batch, time, height and width
  int64_t channel, channels;  ///< the first, and how many
  int32_t most;               ///< the sum where no bit differs
  const int32_t* differing;   ///< of 64 channels
};

/// How outputs are divided: some rows at a time, or parts of one.
struct Division {
  explicit Division(const BinaryConv3dShape& shape)
      : width(std::min(2 * kBinaryPairs, shape.out[2])),
        rows(std::max<int64_t>(1, kBinaryPairs / divided_up(width, 2))),
        segments(divided_up(shape.out[2], width)) {}

  int64_t width, rows, segments;
};

/// One thread's part: finds the input of rows of outputs, and counts.
class RowWorker {
 public:
  RowWorker(const Input& input, const Weights& weights, const BinaryConv3dShape& shape, const BinaryRowKernel& kernel,
            const Division& division)
      : input_(input), weights_(weights), shape_(shape), kernel_(kernel), division_(division) {
    inputs_.resize(static_cast<size_t>(division.rows * shape.kernel[0] * shape.kernel[1]));
    seen_.resize(static_cast<size_t>(division.rows));
    differing_.resize(static_cast<size_t>(division.rows * division.width * kBinaryBlock));
  }

  /// `first` counts output rows over batch, time and height.
  template <class Sink>
  void convolve(int64_t block, int64_t first, int64_t rows, int64_t segment, const Sink& sink) {
    const int64_t start = segment * division_.width, count = std::min(division_.width, shape_.out[2] - start);
    const int64_t channels = std::min(kBinaryBlock, shape_.out_channels - block * kBinaryBlock);
    const int64_t column = start * shape_.stride[2] - shape_.padding[2];
    for (int64_t row = 0; row < rows; ++row) find_inputs(first + row, start, row);
    const BinaryRows given{inputs_.data(), rows, shape_.kernel[0] * shape_.kernel[1], shape_.words(), shape_.kernel[2],
                           shape_.stride[2], -column, shape_.in[2], count};
    kernel_.rows(given, weights_.block(block), weights_.ones(block), channels, differing_.data());
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t x = 0; x < count; ++x) {
        const int64_t left = column + x * shape_.stride[2];
        const int64_t inside = std::min(left + shape_.kernel[2], shape_.in[2]) - std::max<int64_t>(left, 0);
        const int64_t most = shape_.channels * seen_[static_cast<size_t>(row)] * std::max<int64_t>(inside, 0);
        sink(Counts{(first + row) * shape_.out[2] + start + x, block * kBinaryBlock, channels,
                    static_cast<int32_t>(most), differing_.data() + (row * count + x) * kBinaryBlock});
      }
    }
  }

 private:
  void find_inputs(int64_t row, int64_t start, int64_t place) {
    const auto [kt, kh, kw] = shape_.kernel;
    const int64_t n = row / (shape_.out[0] * shape_.out[1]);
    const int64_t t0 = row / shape_.out[1] % shape_.out[0] * shape_.stride[0] - shape_.padding[0];
    const int64_t h0 = row % shape_.out[1] * shape_.stride[1] - shape_.padding[1];
    const void** inputs = inputs_.data() + place * kt * kh;
    int64_t seen = 0;
    for (int64_t a = 0; a < kt; ++a) {
      for (int64_t b = 0; b < kh; ++b) {
        const bool inside = t0 + a >= 0 && t0 + a < shape_.in[0] && h0 + b >= 0 && h0 + b < shape_.in[1];
        inputs[a * kh + b] = inside ? input_.row(n, t0 + a, h0 + b, start) : nullptr;
        seen += inside;
      }
    }
    seen_[static_cast<size_t>(place)] = seen;
  }

  const Input& input_;
  const Weights& weights_;
  const BinaryConv3dShape& shape_;
  const BinaryRowKernel& kernel_;
  const Division& division_;
  std::vector<const void*> inputs_;
  std::vector<int64_t> seen_;
  std::vector<int32_t> differing_;
};

/// Calls `sink` with the counts of every pixel and block of channels; every element is made by one thread. Blocks follow
/// one another slowly, so that the weights of one stay in the second cache.
template <class Sink>
void for_counts(const at::Tensor& bits, const at::Tensor& weight, const BinaryConv3dShape& shape,
                const BinaryRowKernel& kernel, const Sink& sink) {
  const Weights weights(weight, shape, kernel);
  Input input(reinterpret_cast<const uint64_t*>(bits.const_data_ptr<int64_t>()), shape, kernel.staged);
  const Division division(shape);
  const int64_t images = std::clamp<int64_t>(kStagedBytes / std::max<int64_t>(1, input.staged_bytes()), 1, shape.batch);
  const RunContext* context = current_run_context();
  for (int64_t n = 0; n < shape.batch; n += images) {
    const int64_t now = std::min(images, shape.batch - n);
    input.stage_images(n, now);
    const int64_t begin_row = n * shape.out[0] * shape.out[1], rows = now * shape.out[0] * shape.out[1];
    const int64_t pieces = divided_up(rows, division.rows) * division.segments;
    at::parallel_for(0, shape.out_words() * pieces, 1, [&](int64_t begin, int64_t end) {
      RowWorker worker(input, weights, shape, kernel, division);
      for (int64_t i = begin; i < end && !is_cancelled(context); ++i) {
        const int64_t row = i % pieces / division.segments * division.rows;
        worker.convolve(i / pieces, begin_row + row, std::min(division.rows, rows - row), i % division.segments, sink);
      }
    });
    check_cancelled();
  }
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

  /// From `channel` on.
  BinaryFloats floats(int64_t channel) const {
    const auto vector = [&](int64_t i) { return values_.data() + i * length_ + channel; };
    return {vector(0), vector(1), vector(2), vector(3), vector(4)};
  }
  const float* next_bias() const { return values_.data() + 5 * length_; }

 private:
  int64_t length_;
  std::vector<float> values_;
};

/// Floats `[pixels, channels]`, whose channels are repeated where the output has more.
class Residual {
 public:
  explicit Residual(const at::Tensor& values)
      : values_(values.defined() ? values.const_data_ptr<float>() : nullptr), channels_(values.defined() ? values.size(4) : 0) {}

  /// Those of a block; `buffer` is used where they do not lie side by side.
  const float* of(const Counts& counts, float (&buffer)[kBinaryBlock]) const {
    static constexpr float kZeros[kBinaryBlock] = {};
    if (values_ == nullptr) return kZeros;
    const float* pixel = values_ + counts.pixel * channels_;
    const int64_t first = counts.channel % channels_;
    if (counts.channels == kBinaryBlock && first + kBinaryBlock <= channels_) return pixel + first;
    for (int64_t c = 0; c < counts.channels; ++c) buffer[c] = pixel[(first + c) % channels_];
    std::fill(buffer + counts.channels, buffer + kBinaryBlock, 0.0f);
    return buffer;
  }

 private:
  const float* values_;
  int64_t channels_;
};

class CpuBinaryConv3d final : public BinaryConv3dBackend {
 public:
  void pack_sign(const at::Tensor& x, const at::Tensor& bias, at::Tensor& bits) const override {
    binary_pack_sign(x, bias, bits);
  }

  void pack_weight(const at::Tensor& weight, at::Tensor& packed) const override { binary_pack_weight(weight, packed); }

  void convolve(const at::Tensor& bits, const at::Tensor& weight, const BinaryConv3dShape& shape,
                at::Tensor& out) const override {
    int32_t* to = out.mutable_data_ptr<int32_t>();
    const BinaryRowKernel& kernel = row_kernel();
    for_counts(bits, weight, shape, kernel, [&](const Counts& counts) {
      kernel.sums(counts.differing, counts.most, counts.channels, to + counts.pixel * shape.out_channels + counts.channel);
    });
  }

  void convolve_fused(const at::Tensor& bits, const at::Tensor& weight, const BinaryConv3dShape& shape,
                      const BinaryEpilogue& epilogue) const override {
    const Vectors vectors(epilogue, shape.out_channels);
    if (!epilogue.output.defined() && !epilogue.residual.defined()) {
      const BinaryThresholds thresholds(vectors.floats(0), vectors.next_bias(), shape.out_channels,
                                        shape.channels * shape.taps());
      if (thresholds.exact()) return pack_by_threshold(bits, weight, shape, thresholds, epilogue);
    }
    const Residual residual(epilogue.residual);
    float* output = epilogue.output.defined() ? epilogue.output.mutable_data_ptr<float>() : nullptr;
    int64_t* packed = epilogue.bits.defined() ? epilogue.bits.mutable_data_ptr<int64_t>() : nullptr;
    const BinaryRowKernel& kernel = row_kernel();
    for_counts(bits, weight, shape, kernel, [&](const Counts& counts) {
      alignas(64) float values[kBinaryBlock], added[kBinaryBlock];
      kernel.floats(counts.differing, counts.most, vectors.floats(counts.channel), residual.of(counts, added), values);
      if (output != nullptr) {
        std::copy_n(values, counts.channels, output + counts.pixel * shape.out_channels + counts.channel);
      }
      if (packed == nullptr) return;
      const float* next_bias = vectors.next_bias() + counts.channel;
      for (int64_t c = 0; c < kBinaryBlock; ++c) values[c] += next_bias[c];
      packed[counts.pixel * shape.out_words() + counts.channel / kBinaryBlock] =
          static_cast<int64_t>(binary_signs(values) & binary_mask(counts.channels));
    });
  }

 private:
  static void pack_by_threshold(const at::Tensor& bits, const at::Tensor& weight, const BinaryConv3dShape& shape,
                                const BinaryThresholds& thresholds, const BinaryEpilogue& epilogue) {
    int64_t* packed = epilogue.bits.mutable_data_ptr<int64_t>();
    const BinaryRowKernel& kernel = row_kernel();
    for_counts(bits, weight, shape, kernel, [&](const Counts& counts) {
      alignas(64) int32_t y[kBinaryBlock];
      kernel.sums(counts.differing, counts.most, kBinaryBlock, y);
      packed[counts.pixel * shape.out_words() + counts.channel / kBinaryBlock] =
          static_cast<int64_t>(thresholds.bits(y, counts.channel) & binary_mask(counts.channels));
    });
  }
};

const CpuBinaryConv3d backend;
const bool registered = (register_binary_conv3d_backend(c10::DeviceType::CPU, &backend), true);

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CPU, library) { implement_binary_conv3d_ops(library); }

}  // namespace vision_native
