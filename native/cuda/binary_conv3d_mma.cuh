#pragma once
// Binary 3D convolution as an implicit matrix product on the tensor cores: rows are output pixels, columns output
// channels, and the sum runs over the words of all taps, 256 bits a step. The instruction counts the bits of `a and w`;
// of these, popc(a xor w) = popc(a) + popc(w) − 2·popc(a and w). (Counting `xor`, which sm_80 to sm_89 can too, is emulated
// from sm_90 on.) A tap outside the input is a word of zeros, which counts nothing; only the popc(w) of the taps inside
// has to be known, and comes from a table of sums over boxes of taps.
//
// A block makes 128 pixels × 64 channels with four warps of 32 × 64. Which bit of a word stands where in a fragment does
// not matter as long as both operands agree: lane 4g + i holds word i of row or column g, so packed weights, with eight
// channels side by side, are fragments as they lie.
#include "cuda/binary_conv3d.cuh"

namespace vision_native::cuda {

constexpr int kMmaPixels = 128;
constexpr int kMmaChannels = 64;
/// Words of the sum that are staged together: two steps.
constexpr int kMmaWords = 8;

struct alignas(16) MmaStage {
  uint64_t input[2][kMmaPixels][4];
  /// [tile of 8 channels][word][channel]
  uint64_t weight[kMmaChannels / 8][kMmaWords][8];
};

/// What a pixel needs beside its bits.
struct MmaPixel {
  /// Channels × taps inside − 2 × ones of the input.
  int32_t base;
  /// Corners of the box of taps inside: first and end along time, height and width.
  int16_t first[3], end[3];
};

/// sums[corner][channel]: ones of a channel's weights in the taps before a corner of the kernel, a corner being the
/// place (a · (kh + 1) + b) · (kw + 1) + d. A thread a sum.
__global__ void sum_weight_boxes(BinaryConv conv, int32_t* sums, int64_t channels) {
  const int64_t corners = (conv.kernel[0] + 1) * (conv.kernel[1] + 1) * (conv.kernel[2] + 1);
  const int64_t taps = conv.kernel[0] * conv.kernel[1] * conv.kernel[2];
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < corners * channels;
       i += static_cast<int64_t>(gridDim.x) * blockDim.x) {
    const int64_t c = i % channels, corner = i / channels;
    const int64_t d = corner % (conv.kernel[2] + 1), rest = corner / (conv.kernel[2] + 1);
    const int64_t b = rest % (conv.kernel[1] + 1), a = rest / (conv.kernel[1] + 1);
    int32_t ones = 0;
    if (c < conv.out_channels) {
      for (int64_t t = 0; t < a; ++t) {
        for (int64_t h = 0; h < b; ++h) {
          for (int64_t w = 0; w < d; ++w) {
            const int64_t tap = (t * conv.kernel[1] + h) * conv.kernel[2] + w;
            const uint64_t* words = conv.weight + (c / 8 * taps + tap) * conv.words * 8 + c % 8;
            for (int64_t q = 0; q < conv.words; ++q) ones += __popcll(words[8 * q]);
          }
        }
      }
    }
    sums[i] = ones;
  }
}

/// Takes twice the ones of 16 channels' weights in a pixel's box of taps off their sums: channels 8i and 8i + 1 of the group
/// from `channel` on. A box that begins at 0 along an axis has half of the corners left.
__device__ inline void take_off_weights(const BinaryConv& conv, const int32_t* sums, int64_t channels,
                                        const MmaPixel& pixel, int64_t channel, int32_t (&y)[16]) {
#pragma unroll 1
  for (int corner = 0; corner < 8; ++corner) {
    int64_t place = 0;
    bool empty = false;
    for (int axis = 0; axis < 3; ++axis) {
      const bool low = (corner >> axis) & 1;
      const int64_t at = low ? pixel.first[axis] : pixel.end[axis];
      empty = empty || at == 0;
      place = place * (conv.kernel[axis] + 1) + at;
    }
    if (empty) continue;
    const int32_t factor = __popc(static_cast<unsigned>(corner)) % 2 == 0 ? -2 : 2;
    const int2* from = reinterpret_cast<const int2*>(sums + place * channels + channel);
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const int2 two = from[4 * i];
      y[2 * i] += factor * two.x;
      y[2 * i + 1] += factor * two.y;
    }
  }
}

/// Where a thread's pixel reads: one word of the sum after another.
class MmaInput {
 public:
  __device__ MmaInput(const BinaryConv& conv, const Pixel& pixel, bool active, bool wide)
      : conv_(conv), pixel_(pixel), active_(active), wide_(wide) {
    enter_tap();
  }

  /// The next kMmaWords words; zeros outside the input and behind the last tap.
  __device__ void next(uint64_t (&words)[kMmaWords]) {
    if (wide_) {
#pragma unroll
      for (int i = 0; i < kMmaWords; i += 4) {
        ulonglong2 one{}, two{};
        if (inside_) {
          const ulonglong2* from = reinterpret_cast<const ulonglong2*>(tap_ + word_);
          one = from[0];
          two = from[1];
        }
        words[i] = one.x;
        words[i + 1] = one.y;
        words[i + 2] = two.x;
        words[i + 3] = two.y;
        advance(4);
      }
      return;
    }
#pragma unroll
    for (int i = 0; i < kMmaWords; ++i) {
      words[i] = inside_ ? tap_[word_] : 0;
      advance(1);
    }
  }

 private:
  __device__ void advance(int64_t words) {
    word_ += words;
    if (word_ < conv_.words) return;
    word_ = 0;
    if (++d_ == conv_.kernel[2]) {
      d_ = 0;
      if (++b_ == conv_.kernel[1]) {
        b_ = 0;
        ++a_;
      }
    }
    enter_tap();
  }

  __device__ void enter_tap() {
    const int64_t t = pixel_.t + a_, h = pixel_.h + b_, w = pixel_.w + d_;
    inside_ = active_ && a_ < conv_.kernel[0] && t >= 0 && t < conv_.in[0] && h >= 0 && h < conv_.in[1] && w >= 0 &&
              w < conv_.in[2];
    tap_ = conv_.bits + (((pixel_.image * conv_.in[0] + t) * conv_.in[1] + h) * conv_.in[2] + w) * conv_.words;
  }

  const BinaryConv& conv_;
  const Pixel pixel_;
  const bool active_, wide_;
  bool inside_;
  const uint64_t* tap_;
  int64_t word_ = 0, a_ = 0, b_ = 0, d_ = 0;
};

/// A thread's part of the staged weights: four words of a tile. Zeros behind the last word and the last tile.
__device__ inline void next_weights(const BinaryConv& conv, int64_t tile, int64_t tiles, int64_t length, int64_t first,
                                    int part, uint64_t (&words)[4]) {
  const int64_t word = first + part / 2;
  const bool inside = tile < tiles && word < length;
  const uint64_t* from = conv.weight + (tile * length + word) * 8 + part % 2 * 4;
#pragma unroll
  for (int i = 0; i < 4; ++i) words[i] = inside ? from[i] : 0;
}

/// Counts `a and w` for one fragment: d += of 16 rows × 8 columns × 256 bits.
__device__ inline void count_and(int32_t (&d)[4], const uint64_t (&rows)[2], uint64_t column) {
#if defined(VISION_NATIVE_EMULATE_MMA)
  emulate_count_and(d, rows, column);
#elif __CUDA_ARCH__ >= 800
  const auto low = [](uint64_t word) { return static_cast<uint32_t>(word); };
  const auto high = [](uint64_t word) { return static_cast<uint32_t>(word >> 32); };
  asm volatile(
      "mma.sync.aligned.m16n8k256.row.col.s32.b1.b1.s32.and.popc {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
      : "r"(low(rows[0])), "r"(low(rows[1])), "r"(high(rows[0])), "r"(high(rows[1])), "r"(low(column)), "r"(high(column)));
#endif
}

/// What the sums of 128 pixels × 64 channels become: whole numbers.
struct MmaSums {
  int32_t* out;

  __device__ void row(const BinaryConv& conv, int64_t pixel, bool active, int64_t channel, const int32_t (&y)[16]) const {
    if (!active) return;
    int32_t* to = out + pixel * conv.out_channels;
#pragma unroll
    for (int i = 0; i < 16; i += 2) {
      const int64_t c = channel + i / 2 * 8;
      if (conv.out_channels % 2 == 0 && c < conv.out_channels) {
        *reinterpret_cast<int2*>(to + c) = int2{y[i], y[i + 1]};
      } else {
        if (c < conv.out_channels) to[c] = y[i];
        if (c + 1 < conv.out_channels) to[c + 1] = y[i + 1];
      }
    }
  }
};

/// Or floats, and bits of the next layer: four lanes have the 64 channels of a pixel.
struct MmaFused {
  BinaryVectors vectors;

  __device__ void row(const BinaryConv& conv, int64_t pixel, bool active, int64_t channel, const int32_t (&y)[16]) const {
    uint64_t made = 0;
    if (active) {
#pragma unroll
      for (int i = 0; i < 16; ++i) {
        const int64_t c = channel + i / 2 * 8 + i % 2;
        if (c >= conv.out_channels) continue;
        const float h = value_of(vectors, y[i], pixel, c);
        if (vectors.output != nullptr) vectors.output[pixel * conv.out_channels + c] = h;
        made |= static_cast<uint64_t>(next_bit(vectors, h, c)) << (c % 64);
      }
    }
    if (vectors.bits == nullptr) return;
    made |= __shfl_xor_sync(0xffffffffu, made, 1);
    made |= __shfl_xor_sync(0xffffffffu, made, 2);
    if (active && threadIdx.x % 4 == 0) vectors.bits[pixel * conv.out_words + channel / 64] = made;
  }
};

/// `wide`: input words may be read four at a time.
template <class Sink>
__global__ void __launch_bounds__(kMmaPixels, 3)
    convolve_mma(BinaryConv conv, const int32_t* box_sums, int64_t box_channels, bool wide, Sink sink) {
  __shared__ MmaStage stages[2];
  __shared__ MmaPixel pixels[kMmaPixels];
  const int thread = static_cast<int>(threadIdx.x), lane = thread % 32, warp = thread / 32;
  const int g = lane / 4, word = lane % 4;
  const int64_t length = conv.kernel[0] * conv.kernel[1] * conv.kernel[2] * conv.words;
  const int64_t tiles = (conv.out_channels + 7) / 8, groups = (conv.out_channels + kMmaChannels - 1) / kMmaChannels;
  const int64_t count = conv.batch * conv.out[0] * conv.out[1] * conv.out[2];
  const int64_t steps = (length + kMmaWords - 1) / kMmaWords;
  for (int64_t block = blockIdx.x; block < (count + kMmaPixels - 1) / kMmaPixels * groups; block += gridDim.x) {
    const int64_t first = block / groups * kMmaPixels, group = block % groups;
    const bool active = first + thread < count;
    const Pixel place = active ? pixel_of(conv, first + thread) : Pixel{};
    MmaInput input(conv, place, active, wide);
    const int64_t tile = group * (kMmaChannels / 8) + thread / 16;
    uint64_t bits[kMmaWords], weights[4];
    int32_t ones = 0;
    int32_t sums[2][8][4] = {};
    input.next(bits);
    next_weights(conv, tile, tiles, length, 0, thread % 16, weights);
    for (int64_t step = 0; step < steps; ++step) {
      // Two stages: one is filled while slower warps still read the other, and the barrier keeps them one step apart.
      MmaStage& stage = stages[step % 2];
#pragma unroll
      for (int i = 0; i < kMmaWords; ++i) {
        stage.input[i / 4][thread][i % 4] = bits[i];
        ones += __popcll(bits[i]);
      }
#pragma unroll
      for (int i = 0; i < 4; ++i) stage.weight[thread / 16][thread % 16 / 2][thread % 2 * 4 + i] = weights[i];
      __syncthreads();
      if (step + 1 < steps) {
        input.next(bits);
        next_weights(conv, tile, tiles, length, (step + 1) * kMmaWords, thread % 16, weights);
      }
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        uint64_t rows[2][2];
#pragma unroll
        for (int m = 0; m < 2; ++m) {
          rows[m][0] = stage.input[half][32 * warp + 16 * m + g][word];
          rows[m][1] = stage.input[half][32 * warp + 16 * m + 8 + g][word];
        }
#pragma unroll
        for (int n = 0; n < 8; ++n) {
          const uint64_t column = stage.weight[n][4 * half + word][g];
          count_and(sums[0][n], rows[0], column);
          count_and(sums[1][n], rows[1], column);
        }
      }
    }
    MmaPixel& mine = pixels[thread];
    const int64_t from[3] = {place.t, place.h, place.w};
    int64_t inside = 1;
    for (int axis = 0; axis < 3; ++axis) {
      const int64_t seen = taps_inside(from[axis], conv.kernel[axis], conv.in[axis]);
      // Where no tap is inside, an empty box at the corner 0.
      const int64_t begin = seen > 0 && from[axis] < 0 ? -from[axis] : 0;
      mine.first[axis] = static_cast<int16_t>(begin);
      mine.end[axis] = static_cast<int16_t>(begin + seen);
      inside *= seen;
    }
    mine.base = static_cast<int32_t>(conv.channels * inside) - 2 * ones;
    __syncthreads();
#pragma unroll
    for (int m = 0; m < 2; ++m) {
#pragma unroll
      for (int below = 0; below < 2; ++below) {
        const int row = 32 * warp + 16 * m + 8 * below + g;
        const int64_t channel = group * kMmaChannels + 2 * word;
        int32_t y[16];
#pragma unroll
        for (int i = 0; i < 16; ++i) y[i] = pixels[row].base + 4 * sums[m][i / 2][2 * below + i % 2];
        take_off_weights(conv, box_sums, box_channels, pixels[row], channel, y);
        sink.row(conv, first + row, first + row < count, channel, y);
      }
    }
    __syncthreads();  // the next block of pixels overwrites what is read here
  }
}

}  // namespace vision_native::cuda
