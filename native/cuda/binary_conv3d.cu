// Binary 3D convolution by counting the bits of words. A thread makes 32 output channels of one pixel: one input word
// serves 32 counts, its weights come from shared memory, where all threads of a warp read the same one, and its channels
// are one half of a word of the next layer's bits. Counting is what bounds it: 16 32-bit counts a clock and multiprocessor.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "cuda/binary_conv3d.cuh"
#include "cuda/launch.cuh"

namespace vision_native::cuda {

namespace {

constexpr int kPixels = 128;
constexpr int kGroup = 32;
/// Weight words of a channel that are in shared memory at a time.
constexpr int kStage = 16;

__device__ inline float as_float(float x) { return x; }
__device__ inline float as_float(__half x) { return __half2float(x); }
__device__ inline float as_float(__nv_bfloat16 x) { return __bfloat162float(x); }

template <typename T>
struct BiasOf {
  using Type = float;
};
template <>
struct BiasOf<double> {
  using Type = double;
};

template <typename T>
__device__ bool is_positive(T x, float bias) {
  return as_float(x) + bias >= 0.0f;
}
__device__ inline bool is_positive(double x, double bias) { return x + bias >= 0.0; }

template <typename T>
__device__ int64_t pixel_offset(const BinarySource& source, int64_t pixel) {
  const int64_t w = pixel % source.sizes[4], rest = pixel / source.sizes[4];
  const int64_t h = rest % source.sizes[3], above = rest / source.sizes[3];
  const int64_t t = above % source.sizes[2], n = above / source.sizes[2];
  return n * source.strides[0] + t * source.strides[2] + h * source.strides[3] + w * source.strides[4];
}

/// A thread a word: neighbouring threads read neighbouring pixels of the same channel.
template <typename T>
__global__ void pack_planes(BinarySource source, uint64_t* bits, int64_t words, int64_t pixels) {
  using Bias = typename BiasOf<T>::Type;
  const T* data = static_cast<const T*>(source.data);
  const Bias* bias = static_cast<const Bias*>(source.bias);
  VISION_NATIVE_PIXELS(i, pixels * words) {
    const int64_t pixel = i % pixels, word = i / pixels;
    const T* from = data + pixel_offset<T>(source, pixel);
    const int64_t first = 64 * word;
    const int64_t count = source.sizes[1] - first < 64 ? source.sizes[1] - first : 64;
    uint64_t made = 0;
    for (int64_t c = 0; c < count; ++c) {
      const Bias b = bias == nullptr ? Bias(0) : bias[first + c];
      made |= static_cast<uint64_t>(is_positive(from[(first + c) * source.strides[1]], b)) << c;
    }
    bits[pixel * words + word] = made;
  }
}

/// A warp 32 channels: neighbouring threads read neighbouring channels of the same pixel.
template <typename T>
__global__ void pack_channels_last(BinarySource source, uint32_t* halves, int64_t groups, int64_t pixels) {
  using Bias = typename BiasOf<T>::Type;
  const T* data = static_cast<const T*>(source.data);
  const Bias* bias = static_cast<const Bias*>(source.bias);
  // Whole warps take part in every step: `count` is a multiple of 32, and so are the places where threads begin.
  VISION_NATIVE_PIXELS(i, pixels * groups * 32) {
    const int64_t pixel = i / 32 / groups, channel = i / 32 % groups * 32 + i % 32;
    bool positive = false;
    if (channel < source.sizes[1]) {
      const Bias b = bias == nullptr ? Bias(0) : bias[channel];
      positive = is_positive(data[pixel_offset<T>(source, pixel) + channel], b);
    }
    const uint32_t half = __ballot_sync(0xffffffffu, positive);
    if (i % 32 == 0) halves[i / 32] = half;
  }
}

template <typename T>
__global__ void pack_weights(const T* weight, int64_t filters, int64_t channels, int64_t taps, int64_t words,
                             uint64_t* packed, int64_t count) {
  VISION_NATIVE_PIXELS(i, count) {
    const int64_t filter = i / 8 / words / taps * 8 + i % 8;
    const int64_t word = i / 8 % words, tap = i / 8 / words % taps;
    uint64_t made = 0;
    if (filter < filters) {
      for (int64_t c = 64 * word; c < channels && c < 64 * word + 64; ++c) {
        using Bias = typename BiasOf<T>::Type;
        made |= static_cast<uint64_t>(is_positive(weight[(filter * channels + c) * taps + tap], Bias(0))) << (c % 64);
      }
    }
    packed[i] = made;
  }
}

/// sums[c] of 32 channels of one pixel. Every thread of the block calls it, those without a pixel too.
__device__ void count_bits(const BinaryConv& conv, int64_t pixel, bool active, int64_t group, int32_t (&sums)[kGroup]) {
  __shared__ ulonglong2 staged[kStage * kGroup / 2];
  uint64_t* stage = reinterpret_cast<uint64_t*>(staged);
  const int64_t taps = conv.kernel[0] * conv.kernel[1] * conv.kernel[2];
  const int64_t length = taps * conv.words, tiles = (conv.out_channels + 7) / 8;
  const Pixel place = active ? pixel_of(conv, pixel) : Pixel{};
  for (int c = 0; c < kGroup; ++c) sums[c] = 0;
  int64_t a = 0, b = 0, d = 0, q = 0;
  for (int64_t first = 0; first < length; first += kStage) {
    const int64_t count = length - first < kStage ? length - first : kStage;
    __syncthreads();  // the words of the step before have been read
    for (int i = static_cast<int>(threadIdx.x); i < kStage * kGroup; i += kPixels) {
      const int step = i / kGroup, channel = i % kGroup;
      const int64_t tile = group * (kGroup / 8) + channel / 8;
      stage[i] = step < count && tile < tiles ? conv.weight[(tile * length + first + step) * 8 + channel % 8] : 0;
    }
    __syncthreads();
    for (int step = 0; step < count; ++step) {
      const int64_t t = place.t + a, h = place.h + b, w = place.w + d;
      if (active && t >= 0 && t < conv.in[0] && h >= 0 && h < conv.in[1] && w >= 0 && w < conv.in[2]) {
        const int64_t source = ((place.image * conv.in[0] + t) * conv.in[1] + h) * conv.in[2] + w;
        const uint64_t input = conv.bits[source * conv.words + q];
        const ulonglong2* weights = staged + step * (kGroup / 2);
#pragma unroll
        for (int c = 0; c < kGroup / 2; ++c) {
          const ulonglong2 two = weights[c];
          sums[2 * c] += __popcll(input ^ two.x);
          sums[2 * c + 1] += __popcll(input ^ two.y);
        }
      }
      if (++q == conv.words) {
        q = 0;
        if (++d == conv.kernel[2]) {
          d = 0;
          if (++b == conv.kernel[1]) {
            b = 0;
            ++a;
          }
        }
      }
    }
  }
  const int64_t seen = taps_inside(place.t, conv.kernel[0], conv.in[0]) * taps_inside(place.h, conv.kernel[1], conv.in[1]) *
                       taps_inside(place.w, conv.kernel[2], conv.in[2]);
  const int32_t most = static_cast<int32_t>(conv.channels * seen);
#pragma unroll
  for (int c = 0; c < kGroup; ++c) sums[c] = most - 2 * sums[c];
}

__global__ void __launch_bounds__(kPixels) convolve(BinaryConv conv, int32_t* out, int64_t pixels, int64_t groups) {
  for (int64_t block = blockIdx.x; block < (pixels + kPixels - 1) / kPixels * groups; block += gridDim.x) {
    const int64_t pixel = block / groups * kPixels + threadIdx.x, group = block % groups;
    int32_t sums[kGroup];
    count_bits(conv, pixel, pixel < pixels, group, sums);
    if (pixel >= pixels) continue;
    int32_t* to = out + pixel * conv.out_channels + group * kGroup;
#pragma unroll
    for (int c = 0; c < kGroup; ++c) {
      if (group * kGroup + c < conv.out_channels) to[c] = sums[c];
    }
  }
}

__global__ void __launch_bounds__(kPixels)
    convolve_fused(BinaryConv conv, BinaryVectors vectors, int64_t pixels, int64_t groups) {
  for (int64_t block = blockIdx.x; block < (pixels + kPixels - 1) / kPixels * groups; block += gridDim.x) {
    const int64_t pixel = block / groups * kPixels + threadIdx.x, group = block % groups;
    int32_t sums[kGroup];
    count_bits(conv, pixel, pixel < pixels, group, sums);
    if (pixel >= pixels) continue;
    const int64_t place = pixel * conv.out_channels;
    uint32_t made = 0;
#pragma unroll
    for (int i = 0; i < kGroup; ++i) {
      const int64_t c = group * kGroup + i;
      if (c >= conv.out_channels) continue;
      const float h = value_of(vectors, sums[i], pixel, c);
      if (vectors.output != nullptr) vectors.output[place + c] = h;
      made |= static_cast<uint32_t>(next_bit(vectors, h, c)) << i;
    }
    if (vectors.bits != nullptr) reinterpret_cast<uint32_t*>(vectors.bits)[pixel * groups + group] = made;
  }
}

int64_t pixels_of(const BinaryConv& conv) { return conv.batch * conv.out[0] * conv.out[1] * conv.out[2]; }

unsigned blocks_of(int64_t pixels, int64_t groups) {
  return static_cast<unsigned>(std::min((pixels + kPixels - 1) / kPixels * groups, kMostBlocksX));
}

template <typename T>
void pack_sign_as(const BinarySource& source, uint64_t* bits, int64_t words, cudaStream_t stream) {
  const int64_t pixels = source.sizes[0] * source.sizes[2] * source.sizes[3] * source.sizes[4];
  if (source.strides[1] == 1) {
    const int64_t groups = 2 * words;
    pack_channels_last<T><<<blocks_for(pixels * groups * 32), kThreads, 0, stream>>>(
        source, reinterpret_cast<uint32_t*>(bits), groups, pixels);
  } else {
    pack_planes<T><<<blocks_for(pixels * words), kThreads, 0, stream>>>(source, bits, words, pixels);
  }
  check_launch("sign_bias_pack");
}

template <typename T>
void pack_weight_as(const void* weight, int64_t filters, int64_t channels, int64_t taps, uint64_t* packed,
                    cudaStream_t stream) {
  const int64_t words = (channels + 63) / 64, count = (filters + 7) / 8 * taps * words * 8;
  pack_weights<T><<<blocks_for(count), kThreads, 0, stream>>>(static_cast<const T*>(weight), filters, channels, taps,
                                                             words, packed, count);
  check_launch("pack_weight");
}

}  // namespace

void launch_pack_sign(const BinarySource& source, uint64_t* bits, int64_t words, cudaStream_t stream) {
  switch (source.type) {
    case BinaryType::kHalf: return pack_sign_as<__half>(source, bits, words, stream);
    case BinaryType::kBFloat16: return pack_sign_as<__nv_bfloat16>(source, bits, words, stream);
    case BinaryType::kFloat: return pack_sign_as<float>(source, bits, words, stream);
    case BinaryType::kDouble: return pack_sign_as<double>(source, bits, words, stream);
  }
}

void launch_pack_weight(const void* weight, BinaryType type, int64_t filters, int64_t channels, int64_t taps,
                        uint64_t* packed, cudaStream_t stream) {
  switch (type) {
    case BinaryType::kHalf: return pack_weight_as<__half>(weight, filters, channels, taps, packed, stream);
    case BinaryType::kBFloat16: return pack_weight_as<__nv_bfloat16>(weight, filters, channels, taps, packed, stream);
    case BinaryType::kFloat: return pack_weight_as<float>(weight, filters, channels, taps, packed, stream);
    case BinaryType::kDouble: return pack_weight_as<double>(weight, filters, channels, taps, packed, stream);
  }
}

void launch_binary_conv3d(const BinaryConv& conv, int32_t* out, cudaStream_t stream) {
  const int64_t pixels = pixels_of(conv), groups = (conv.out_channels + kGroup - 1) / kGroup;
  convolve<<<blocks_of(pixels, groups), kPixels, 0, stream>>>(conv, out, pixels, groups);
  check_launch("bconv3d");
}

void launch_binary_conv3d_fused(const BinaryConv& conv, const BinaryVectors& vectors, cudaStream_t stream) {
  // Both halves of the last word, also where the second has no channels.
  const int64_t pixels = pixels_of(conv), groups = 2 * conv.out_words;
  convolve_fused<<<blocks_of(pixels, groups), kPixels, 0, stream>>>(conv, vectors, pixels, groups);
  check_launch("bconv3d_fused");
}

}  // namespace vision_native::cuda
