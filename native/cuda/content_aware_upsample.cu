// Content-aware upsampling on CUDA. A thread makes outputs of one source pixel: it keeps their softmax weights in registers
// and passes over the channels, four at a time, whose windows a block brings to shared memory once for 128 pixels. Every
// sum has one thread and a fixed order, so that results are the same from run to run.
#include "cuda/content_aware_upsample.h"

#include "cuda/floating.cuh"
#include "cuda/launch.cuh"

namespace vision_native::cuda {

namespace {

constexpr int kTileY = 8;
constexpr int kTileX = 16;
constexpr int kBlock = kTileY * kTileX;
/// Blocks for each multiprocessor, below which channels are divided between blocks.
constexpr int64_t kBlocksEach = 4;
constexpr int64_t kMostSlopeChunks = 4;

/// Four channels of a pixel: one access to shared memory.
template <typename A>
struct alignas(4 * sizeof(A)) Four {
  A v[4];
};

/// Groups of four channels in shared memory at a time.
template <typename A>
__host__ __device__ constexpr int fours_of() {
  return sizeof(A) == 8 ? 2 : 4;
}

/// How the work is divided between blocks.
struct CauBlocks {
  int64_t tiles_x, tiles_y, chunks, chunk_channels, part_groups, items;
};

/// What a block does now, and the pixel of its thread.
struct CauPlace {
  int64_t n, group, part, chunk, top, left, i, j;
  bool inside;
};

__device__ CauPlace place_of(int64_t item, const CauProblem& problem, const CauBlocks& blocks, int parts) {
  CauPlace place;
  place.left = item % blocks.tiles_x * kTileX;
  item /= blocks.tiles_x;
  place.top = item % blocks.tiles_y * kTileY;
  item /= blocks.tiles_y;
  place.chunk = item % blocks.chunks;
  item /= blocks.chunks;
  place.part = item % blocks.part_groups * parts;
  item /= blocks.part_groups;
  place.group = item % problem.groups;
  place.n = item / problem.groups;
  place.i = place.top + threadIdx.x / kTileX;
  place.j = place.left + threadIdx.x % kTileX;
  place.inside = place.i < problem.height && place.j < problem.width;
  return place;
}

__device__ inline int64_t offset_of(const int64_t* strides, int64_t n, int64_t c, int64_t y, int64_t x) {
  return n * strides[0] + c * strides[1] + y * strides[2] + x * strides[3];
}

__device__ inline int64_t clamped(int64_t x, int64_t size) { return x < 0 ? 0 : x >= size ? size - 1 : x; }

/// Brings channels of a tile and of `kHalo` pixels around it to shared memory, `[fours][pixels]`. What lies outside the map
/// and channels beyond `count` are 0.
template <typename A, int kHalo>
__device__ void stage_features(const CauProblem& problem, const CauPlace& place, int64_t channel, int64_t count,
                               Four<A>* tile) {
  constexpr int kFours = fours_of<A>();
  constexpr int kWide = kTileX + 2 * kHalo;
  constexpr int kPixels = (kTileY + 2 * kHalo) * kWide;
  const FloatSource& from = problem.features;
  const bool channels_last = from.strides[1] == 1;
  for (int item = threadIdx.x; item < kPixels * kFours; item += kBlock) {
    const int pixel = channels_last ? item / kFours : item % kPixels;
    const int four = channels_last ? item % kFours : item / kPixels;
    int64_t y = place.top - kHalo + pixel / kWide;
    int64_t x = place.left - kHalo + pixel % kWide;
    if (problem.replicate) {
      y = clamped(y, problem.height);
      x = clamped(x, problem.width);
    }
    Four<A> value = {};
    if (y >= 0 && y < problem.height && x >= 0 && x < problem.width) {
      const int64_t offset = offset_of(from.strides, place.n, channel + 4 * four, y, x);
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        if (4 * four + k < count) value.v[k] = load_as<A>(from.data, from.type, offset + k * from.strides[1]);
      }
    }
    tile[four * kPixels + pixel] = value;
  }
}

template <typename A, typename T, int kWindow, int kParts>
__device__ void load_logits(const T* data, int64_t offset, int64_t part_stride, int64_t tap_stride,
                            A (&weights)[kParts][kWindow * kWindow]) {
#pragma unroll
  for (int tap = 0; tap < kWindow * kWindow; ++tap) {
#pragma unroll
    for (int part = 0; part < kParts; ++part) {
      weights[part][tap] = widened<A>(data[offset + tap * tap_stride + part * part_stride]);
    }
  }
}

template <typename A, int kWindow, int kParts>
__device__ void load_weights(const CauProblem& problem, const CauPlace& place, A (&weights)[kParts][kWindow * kWindow]) {
  constexpr int kTaps = kWindow * kWindow;
  const FloatSource& from = problem.logits;
  const int64_t parts = int64_t{1} * problem.scale * problem.scale;
  const int64_t offset =
      offset_of(from.strides, place.n, place.group * parts * kTaps + place.part, place.i, place.j);
  const int64_t tap_stride = parts * from.strides[1];
  switch (from.type) {
    case FloatType::kHalf:
      load_logits<A, __half, kWindow, kParts>(static_cast<const __half*>(from.data), offset, from.strides[1], tap_stride,
                                              weights);
      break;
    case FloatType::kBFloat16:
      load_logits<A, __nv_bfloat16, kWindow, kParts>(static_cast<const __nv_bfloat16*>(from.data), offset,
                                                     from.strides[1], tap_stride, weights);
      break;
    case FloatType::kDouble:
      load_logits<A, double, kWindow, kParts>(static_cast<const double*>(from.data), offset, from.strides[1], tap_stride,
                                              weights);
      break;
    default:
      load_logits<A, float, kWindow, kParts>(static_cast<const float*>(from.data), offset, from.strides[1], tap_stride,
                                             weights);
  }
#pragma unroll
  for (int part = 0; part < kParts; ++part) {
    A highest = -static_cast<A>(INFINITY);
#pragma unroll
    for (int tap = 0; tap < kTaps; ++tap) {
      if (weights[part][tap] > highest) highest = weights[part][tap];
    }
    // Nothing but −∞: every weight is 0.
    if (highest == -static_cast<A>(INFINITY)) highest = 0;
    A sum = 0;
#pragma unroll
    for (int tap = 0; tap < kTaps; ++tap) {
      weights[part][tap] = exp(weights[part][tap] - highest);
      sum += weights[part][tap];
    }
    const A scale = sum == 0 ? A(0) : A(1) / sum;
#pragma unroll
    for (int tap = 0; tap < kTaps; ++tap) weights[part][tap] *= scale;
  }
}

template <typename A>
__device__ void store_pair(void* data, FloatType type, int64_t offset, A first, A second) {
  if (type == FloatType::kFloat && offset % 2 == 0) {
    *reinterpret_cast<float2*>(static_cast<float*>(data) + offset) =
        make_float2(static_cast<float>(first), static_cast<float>(second));
  } else if (type == FloatType::kHalf && offset % 2 == 0) {
    *reinterpret_cast<__half2*>(static_cast<__half*>(data) + offset) =
        __halves2half2(__float2half_rn(static_cast<float>(first)), __float2half_rn(static_cast<float>(second)));
  } else {
    store_as(data, type, offset, first);
    store_as(data, type, offset + 1, second);
  }
}

/// Four channels of one pixel of a tensor.
template <typename A>
__device__ void store_four(const FloatTarget& out, int64_t offset, int64_t count, const Four<A>& value) {
  if (out.strides[1] == 1 && count >= 4 && out.type == FloatType::kFloat && offset % 4 == 0) {
    *reinterpret_cast<float4*>(static_cast<float*>(out.data) + offset) =
        make_float4(static_cast<float>(value.v[0]), static_cast<float>(value.v[1]), static_cast<float>(value.v[2]),
                    static_cast<float>(value.v[3]));
    return;
  }
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    if (k < count) store_as(out.data, out.type, offset + k * out.strides[1], value.v[k]);
  }
}

template <typename A, int kWindow, int kParts>
__global__ void __launch_bounds__(kBlock) reassemble(CauProblem problem, CauBlocks blocks, FloatTarget out) {
  constexpr int kFours = fours_of<A>();
  constexpr int kWide = kTileX + kWindow - 1;
  constexpr int kPixels = (kTileY + kWindow - 1) * kWide;
  __shared__ Four<A> tile[kFours * kPixels];
  for (int64_t item = blockIdx.x; item < blocks.items; item += gridDim.x) {
    const CauPlace place = place_of(item, problem, blocks, kParts);
    A weights[kParts][kWindow * kWindow];
    if (place.inside) load_weights<A, kWindow, kParts>(problem, place, weights);
    const int64_t begin = place.chunk * blocks.chunk_channels;
    const int64_t end = min(begin + blocks.chunk_channels, problem.channels);
    for (int64_t c = begin; c < end; c += 4 * kFours) {
      const int64_t channel = place.group * problem.channels + c;
      __syncthreads();
      stage_features<A, kWindow / 2>(problem, place, channel, end - c, tile);
      __syncthreads();
      if (!place.inside) continue;
#pragma unroll 1
      for (int four = 0; four < kFours && c + 4 * four < end; ++four) {
        const Four<A>* window = tile + four * kPixels + threadIdx.x / kTileX * kWide + threadIdx.x % kTileX;
        Four<A> sums[kParts] = {};
#pragma unroll
        for (int tap = 0; tap < kWindow * kWindow; ++tap) {
          const Four<A> value = window[tap / kWindow * kWide + tap % kWindow];
#pragma unroll
          for (int part = 0; part < kParts; ++part) {
#pragma unroll
            for (int k = 0; k < 4; ++k) sums[part].v[k] = fma(weights[part][tap], value.v[k], sums[part].v[k]);
          }
        }
        const int64_t count = end - c - 4 * four;
        const int64_t corner = offset_of(out.strides, place.n, channel + 4 * four, place.i * problem.scale,
                                         place.j * problem.scale);
        if (kParts == 4 && problem.scale == 2 && out.strides[3] == 1) {
#pragma unroll
          for (int k = 0; k < 4; ++k) {
            if (k >= count) break;
            const int64_t offset = corner + k * out.strides[1];
            store_pair(out.data, out.type, offset, sums[0].v[k], sums[1 % kParts].v[k]);
            store_pair(out.data, out.type, offset + out.strides[2], sums[2 % kParts].v[k], sums[3 % kParts].v[k]);
          }
          continue;
        }
#pragma unroll
        for (int part = 0; part < kParts; ++part) {
          const int64_t p = place.part + part;
          store_four(out, corner + p / problem.scale * out.strides[2] + p % problem.scale * out.strides[3], count,
                     sums[part]);
        }
      }
    }
  }
}

/// dL/dweights of a chunk of the channels.
template <typename A, int kWindow, int kParts>
__global__ void __launch_bounds__(kBlock) correlate(CauProblem problem, CauBlocks blocks, FloatSource grad, A* slopes,
                                                    int64_t places) {
  constexpr int kFours = fours_of<A>();
  constexpr int kTaps = kWindow * kWindow;
  constexpr int kWide = kTileX + kWindow - 1;
  constexpr int kPixels = (kTileY + kWindow - 1) * kWide;
  __shared__ Four<A> tile[kFours * kPixels];
  const int64_t parts = int64_t{1} * problem.scale * problem.scale;
  for (int64_t item = blockIdx.x; item < blocks.items; item += gridDim.x) {
    const CauPlace place = place_of(item, problem, blocks, kParts);
    A sums[kParts][kTaps] = {};
    const int64_t begin = place.chunk * blocks.chunk_channels;
    const int64_t end = min(begin + blocks.chunk_channels, problem.channels);
    for (int64_t c = begin; c < end; c += 4 * kFours) {
      const int64_t channel = place.group * problem.channels + c;
      __syncthreads();
      stage_features<A, kWindow / 2>(problem, place, channel, end - c, tile);
      __syncthreads();
      if (!place.inside) continue;
#pragma unroll 1
      for (int four = 0; four < kFours && c + 4 * four < end; ++four) {
        const int64_t count = end - c - 4 * four;
        Four<A> g[kParts] = {};
#pragma unroll
        for (int part = 0; part < kParts; ++part) {
          const int64_t p = place.part + part;
          const int64_t offset = offset_of(grad.strides, place.n, channel + 4 * four,
                                           place.i * problem.scale + p / problem.scale,
                                           place.j * problem.scale + p % problem.scale);
#pragma unroll
          for (int k = 0; k < 4; ++k) {
            if (k < count) g[part].v[k] = load_as<A>(grad.data, grad.type, offset + k * grad.strides[1]);
          }
        }
        const Four<A>* window = tile + four * kPixels + threadIdx.x / kTileX * kWide + threadIdx.x % kTileX;
#pragma unroll
        for (int tap = 0; tap < kTaps; ++tap) {
          const Four<A> value = window[tap / kWindow * kWide + tap % kWindow];
#pragma unroll
          for (int part = 0; part < kParts; ++part) {
#pragma unroll
            for (int k = 0; k < 4; ++k) sums[part][tap] = fma(g[part].v[k], value.v[k], sums[part][tap]);
          }
        }
      }
    }
    if (!place.inside) continue;
    const int64_t area = problem.height * problem.width;
    A* out = slopes + place.chunk * places +
             ((place.n * problem.groups + place.group) * kTaps * parts + place.part) * area +
             place.i * problem.width + place.j;
#pragma unroll
    for (int tap = 0; tap < kTaps; ++tap) {
#pragma unroll
      for (int part = 0; part < kParts; ++part) out[(tap * parts + part) * area] = sums[part][tap];
    }
  }
}

/// dL/dfeatures: every source pixel collects what its neighbours' outputs took from it.
template <typename A, int kWindow, int kScale>
__global__ void __launch_bounds__(kBlock) gather(CauProblem problem, CauBlocks blocks, FloatSource grad,
                                                 const A* all_weights, FloatTarget out) {
  constexpr int kTaps = kWindow * kWindow;
  constexpr int kParts = kScale * kScale;
  constexpr int kHalo = kWindow / 2;
  constexpr int kWide = kTileX + 2 * kHalo;
  constexpr int kHigh = kTileY + 2 * kHalo;
  constexpr int kPixels = kHigh * kWide;
  __shared__ Four<A> tile[kParts * kPixels];
  const int64_t area = problem.height * problem.width;
  for (int64_t item = blockIdx.x; item < blocks.items; item += gridDim.x) {
    const CauPlace place = place_of(item, problem, blocks, kParts);
    A weights[kParts][kTaps];
    if (place.inside) {
      const A* from = all_weights + (place.n * problem.groups + place.group) * kTaps * kParts * area;
#pragma unroll
      for (int tap = 0; tap < kTaps; ++tap) {
        const int64_t i = place.i + kHalo - tap / kWindow;
        const int64_t j = place.j + kHalo - tap % kWindow;
        const bool there = i >= 0 && i < problem.height && j >= 0 && j < problem.width;
#pragma unroll
        for (int part = 0; part < kParts; ++part) {
          weights[part][tap] = there ? from[(tap * kParts + part) * area + i * problem.width + j] : A(0);
        }
      }
    }
    const int64_t begin = place.chunk * blocks.chunk_channels;
    const int64_t end = min(begin + blocks.chunk_channels, problem.channels);
    for (int64_t c = begin; c < end; c += 4) {
      const int64_t channel = place.group * problem.channels + c;
      const int64_t count = end - c;
      __syncthreads();
      for (int fine = threadIdx.x; fine < kParts * kPixels; fine += kBlock) {
        const int fine_y = fine / (kScale * kWide), fine_x = fine % (kScale * kWide);
        const int64_t i = place.top - kHalo + fine_y / kScale, j = place.left - kHalo + fine_x / kScale;
        Four<A> value = {};
        if (i >= 0 && i < problem.height && j >= 0 && j < problem.width) {
          const int64_t offset =
              offset_of(grad.strides, place.n, channel, i * kScale + fine_y % kScale, j * kScale + fine_x % kScale);
#pragma unroll
          for (int k = 0; k < 4; ++k) {
            if (k < count) value.v[k] = load_as<A>(grad.data, grad.type, offset + k * grad.strides[1]);
          }
        }
        tile[(fine_y % kScale * kScale + fine_x % kScale) * kPixels + fine_y / kScale * kWide + fine_x / kScale] = value;
      }
      __syncthreads();
      if (!place.inside) continue;
      // The window of tap (a, b) lies at the source pixel that is (a, b) before this one.
      const Four<A>* last =
          tile + (threadIdx.x / kTileX + kWindow - 1) * kWide + threadIdx.x % kTileX + kWindow - 1;
      Four<A> sum = {};
#pragma unroll
      for (int tap = 0; tap < kTaps; ++tap) {
#pragma unroll
        for (int part = 0; part < kParts; ++part) {
          const Four<A> value = last[part * kPixels - tap / kWindow * kWide - tap % kWindow];
#pragma unroll
          for (int k = 0; k < 4; ++k) sum.v[k] = fma(weights[part][tap], value.v[k], sum.v[k]);
        }
      }
      store_four(out, offset_of(out.strides, place.n, channel, place.i, place.j), count, sum);
    }
  }
}

// ---- Windows and scales of any size: weights in memory, a thread an element -------------------------------------------

/// Sample, group, part and source pixel of an output, pixels first.
struct CauOutput {
  int64_t n, group, part, i, j;
};

__device__ CauOutput output_of(int64_t index, const CauProblem& problem) {
  const int64_t parts = int64_t{1} * problem.scale * problem.scale;
  CauOutput place;
  place.j = index % problem.width;
  index /= problem.width;
  place.i = index % problem.height;
  index /= problem.height;
  place.part = index % parts;
  index /= parts;
  place.group = index % problem.groups;
  place.n = index / problem.groups;
  return place;
}

template <typename A>
__global__ void softmax(CauProblem problem, A* weights, int64_t outputs) {
  const int64_t parts = int64_t{1} * problem.scale * problem.scale, taps = int64_t{1} * problem.window * problem.window;
  const int64_t area = problem.height * problem.width;
  const FloatSource& from = problem.logits;
  VISION_NATIVE_PIXELS(index, outputs) {
    const CauOutput place = output_of(index, problem);
    const int64_t channel = place.group * parts * taps + place.part;
    const int64_t offset = offset_of(from.strides, place.n, channel, place.i, place.j);
    const int64_t step = parts * from.strides[1];
    A highest = -static_cast<A>(INFINITY), sum = 0;
    for (int64_t tap = 0; tap < taps; ++tap) {
      const A z = load_as<A>(from.data, from.type, offset + tap * step);
      if (z > highest) highest = z;
    }
    if (highest == -static_cast<A>(INFINITY)) highest = 0;
    A* out = weights + (place.n * problem.groups * parts * taps + channel) * area + place.i * problem.width + place.j;
    for (int64_t tap = 0; tap < taps; ++tap) {
      const A value = exp(load_as<A>(from.data, from.type, offset + tap * step) - highest);
      out[tap * parts * area] = value;
      sum += value;
    }
    const A scale = sum == 0 ? A(0) : A(1) / sum;
    for (int64_t tap = 0; tap < taps; ++tap) out[tap * parts * area] *= scale;
  }
}

/// dz = S·(dS − Σ S·dS), with dS the sum of the chunks.
template <typename A>
__global__ void softmax_backward(CauProblem problem, const A* weights, const A* slopes, int64_t chunks, int64_t places,
                                 FloatTarget out, int64_t outputs) {
  const int64_t parts = int64_t{1} * problem.scale * problem.scale, taps = int64_t{1} * problem.window * problem.window;
  const int64_t area = problem.height * problem.width;
  VISION_NATIVE_PIXELS(index, outputs) {
    const CauOutput place = output_of(index, problem);
    const int64_t channel = place.group * parts * taps + place.part;
    const int64_t start =
        (place.n * problem.groups * parts * taps + channel) * area + place.i * problem.width + place.j;
    const auto slope = [&](int64_t tap) {
      A sum = 0;
      for (int64_t chunk = 0; chunk < chunks; ++chunk) sum += slopes[chunk * places + start + tap * parts * area];
      return sum;
    };
    A mean = 0;
    for (int64_t tap = 0; tap < taps; ++tap) mean = fma(weights[start + tap * parts * area], slope(tap), mean);
    const int64_t offset = offset_of(out.strides, place.n, channel, place.i, place.j);
    for (int64_t tap = 0; tap < taps; ++tap) {
      const A value = weights[start + tap * parts * area] * (slope(tap) - mean);
      store_as(out.data, out.type, offset + tap * parts * out.strides[1], value);
    }
  }
}

template <typename A>
__global__ void reassemble_any(CauProblem problem, const A* weights, FloatTarget out, int64_t count) {
  const int64_t parts = int64_t{1} * problem.scale * problem.scale, area = problem.height * problem.width;
  const int side = problem.window / 2;
  const int64_t width = problem.width * problem.scale, height = problem.height * problem.scale;
  const int64_t channels = problem.groups * problem.channels;
  const FloatSource& from = problem.features;
  VISION_NATIVE_PIXELS(index, count) {
    const int64_t x = index % width, y = index / width % height, c = index / width / height % channels;
    const int64_t n = index / width / height / channels;
    const int64_t i = y / problem.scale, j = x / problem.scale;
    const int64_t part = y % problem.scale * problem.scale + x % problem.scale;
    const A* weight = weights + ((n * problem.groups + c / problem.channels) * problem.window * problem.window * parts +
                                 part) * area + i * problem.width + j;
    A sum = 0;
    for (int a = 0; a < problem.window; ++a) {
      for (int b = 0; b < problem.window; ++b, weight += parts * area) {
        int64_t row = i + a - side, column = j + b - side;
        if (problem.replicate) {
          row = clamped(row, problem.height);
          column = clamped(column, problem.width);
        }
        if (row < 0 || row >= problem.height || column < 0 || column >= problem.width) continue;
        sum = fma(*weight, load_as<A>(from.data, from.type, offset_of(from.strides, n, c, row, column)), sum);
      }
    }
    store_as(out.data, out.type, offset_of(out.strides, n, c, y, x), sum);
  }
}

template <typename A>
__global__ void correlate_any(CauProblem problem, FloatSource grad, A* slopes, int64_t places) {
  const int64_t parts = int64_t{1} * problem.scale * problem.scale, taps = int64_t{1} * problem.window * problem.window;
  const int side = problem.window / 2;
  const FloatSource& from = problem.features;
  VISION_NATIVE_PIXELS(index, places) {
    const int64_t j = index % problem.width, i = index / problem.width % problem.height;
    const int64_t channel = index / problem.width / problem.height;
    const int64_t part = channel % parts, tap = channel / parts % taps, group = channel / parts / taps % problem.groups;
    const int64_t n = channel / parts / taps / problem.groups;
    int64_t row = i + tap / problem.window - side, column = j + tap % problem.window - side;
    if (problem.replicate) {
      row = clamped(row, problem.height);
      column = clamped(column, problem.width);
    }
    A sum = 0;
    if (row >= 0 && row < problem.height && column >= 0 && column < problem.width) {
      const int64_t first = group * problem.channels;
      const int64_t feature = offset_of(from.strides, n, first, row, column);
      const int64_t output = offset_of(grad.strides, n, first, i * problem.scale + part / problem.scale,
                                       j * problem.scale + part % problem.scale);
      for (int64_t c = 0; c < problem.channels; ++c) {
        sum = fma(load_as<A>(grad.data, grad.type, output + c * grad.strides[1]),
                  load_as<A>(from.data, from.type, feature + c * from.strides[1]), sum);
      }
    }
    slopes[index] = sum;
  }
}

/// Source rows whose tap reads row `i`: one, or at a repeated border all that are clamped to it.
__device__ void readers_of(int64_t i, int64_t tap, int64_t size, bool replicate, int64_t& first, int64_t& last) {
  first = replicate && i == 0 ? 0 : max(i - tap, int64_t{0});
  last = replicate && i == size - 1 ? size - 1 : min(i - tap, size - 1);
}

template <typename A>
__global__ void gather_any(CauProblem problem, FloatSource grad, const A* weights, FloatTarget out, int64_t count) {
  const int64_t parts = int64_t{1} * problem.scale * problem.scale, area = problem.height * problem.width;
  const int64_t taps = int64_t{1} * problem.window * problem.window;
  const int side = problem.window / 2;
  const int64_t channels = problem.groups * problem.channels;
  VISION_NATIVE_PIXELS(index, count) {
    const int64_t x = index % problem.width, y = index / problem.width % problem.height;
    const int64_t c = index / area % channels, n = index / area / channels;
    const A* from = weights + (n * problem.groups + c / problem.channels) * taps * parts * area;
    A sum = 0;
    for (int64_t tap = 0; tap < taps; ++tap) {
      int64_t top, bottom, left, right;
      readers_of(y, tap / problem.window - side, problem.height, problem.replicate, top, bottom);
      readers_of(x, tap % problem.window - side, problem.width, problem.replicate, left, right);
      for (int64_t i = top; i <= bottom; ++i) {
        for (int64_t j = left; j <= right; ++j) {
          for (int64_t part = 0; part < parts; ++part) {
            const int64_t offset = offset_of(grad.strides, n, c, i * problem.scale + part / problem.scale,
                                             j * problem.scale + part % problem.scale);
            sum = fma(from[(tap * parts + part) * area + i * problem.width + j],
                      load_as<A>(grad.data, grad.type, offset), sum);
          }
        }
      }
    }
    store_as(out.data, out.type, offset_of(out.strides, n, c, y, x), sum);
  }
}

// ---- Launches -----------------------------------------------------------------------------------------------------------

int64_t multiprocessors() {
  int device = 0, count = 1;
  check_cuda(cudaGetDevice(&device), "device");
  check_cuda(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device), "multiprocessors");
  return count;
}

/// Outputs of a source pixel that one thread makes: what fits its registers and divides r².
int parts_of(const CauProblem& problem, bool wide) {
  if (wide) return 1;
  if (problem.window == 7) return problem.scale % 2 == 0 ? 2 : 1;
  return problem.scale % 2 == 0 ? 4 : problem.scale % 3 == 0 ? 3 : 1;
}

CauBlocks blocks_of(const CauProblem& problem, int parts, int64_t staged, int64_t most_chunks) {
  CauBlocks blocks;
  blocks.tiles_x = (problem.width + kTileX - 1) / kTileX;
  blocks.tiles_y = (problem.height + kTileY - 1) / kTileY;
  blocks.part_groups = problem.parts() / parts;
  const int64_t whole = blocks.tiles_x * blocks.tiles_y * blocks.part_groups * problem.groups * problem.samples;
  const int64_t wanted = (kBlocksEach * multiprocessors() + whole - 1) / whole;
  const int64_t steps = (problem.channels + staged - 1) / staged;
  const int64_t chunks = std::min(std::max<int64_t>(std::min(wanted, most_chunks), 1), steps);
  blocks.chunk_channels = (steps + chunks - 1) / chunks * staged;
  blocks.chunks = (problem.channels + blocks.chunk_channels - 1) / blocks.chunk_channels;
  blocks.items = whole * blocks.chunks;
  return blocks;
}

unsigned grid_of(const CauBlocks& blocks) { return static_cast<unsigned>(std::min(blocks.items, kMostBlocksX)); }

CauBlocks slope_blocks(const CauProblem& problem) {
  const bool wide = problem.features.type == FloatType::kDouble;
  return blocks_of(problem, parts_of(problem, wide), wide ? 8 : 16, kMostSlopeChunks);
}

template <typename A, int kWindow, int kParts>
void launch_reassemble(const CauProblem& problem, const FloatTarget& out, cudaStream_t stream) {
  const CauBlocks blocks = blocks_of(problem, kParts, 4 * fours_of<A>(), INT64_MAX);
  reassemble<A, kWindow, kParts><<<grid_of(blocks), kBlock, 0, stream>>>(problem, blocks, out);
}

template <typename A, int kWindow, int kParts>
void launch_correlate(const CauProblem& problem, const FloatSource& grad, A* slopes, cudaStream_t stream) {
  const CauBlocks blocks = slope_blocks(problem);
  correlate<A, kWindow, kParts><<<grid_of(blocks), kBlock, 0, stream>>>(problem, blocks, grad, slopes, problem.places());
}

template <typename A, int kWindow, int kScale>
void launch_gather(const CauProblem& problem, const FloatSource& grad, const A* weights, const FloatTarget& out,
                   cudaStream_t stream) {
  const CauBlocks blocks = blocks_of(problem, kScale * kScale, 4, INT64_MAX);
  gather<A, kWindow, kScale><<<grid_of(blocks), kBlock, 0, stream>>>(problem, blocks, grad, weights, out);
}

/// Calls `run.template operator()<window, parts>()` with the numbers of the problem.
template <typename A, typename Run>
void with_window(const CauProblem& problem, Run run) {
  constexpr bool kWide = sizeof(A) == 8;
  const int parts = parts_of(problem, kWide);
  const auto narrow = [&]<int kWindow>() {
    if constexpr (kWide) {
      run.template operator()<kWindow, 1>();
    } else if constexpr (kWindow == 7) {
      parts == 2 ? run.template operator()<kWindow, 2>() : run.template operator()<kWindow, 1>();
    } else {
      parts == 4   ? run.template operator()<kWindow, 4>()
      : parts == 3 ? run.template operator()<kWindow, 3>()
                   : run.template operator()<kWindow, 1>();
    }
  };
  switch (problem.window) {
    case 3: return narrow.template operator()<3>();
    case 5: return narrow.template operator()<5>();
    default: return narrow.template operator()<7>();
  }
}

}  // namespace

bool cau_in_registers(const CauProblem& problem) {
  return problem.window == 3 || problem.window == 5 || problem.window == 7;
}

bool cau_gathers_in_registers(const CauProblem& problem) {
  return !problem.replicate && problem.features.type != FloatType::kDouble && problem.scale <= 2 &&
         (problem.window == 3 || problem.window == 5);
}

int64_t cau_slope_chunks(const CauProblem& problem) {
  return cau_in_registers(problem) ? slope_blocks(problem).chunks : 1;
}

template <typename A>
void launch_cau_weights(const CauProblem& problem, A* weights, cudaStream_t stream) {
  const int64_t outputs = problem.places() / problem.taps();
  softmax<<<blocks_for(outputs), kThreads, 0, stream>>>(problem, weights, outputs);
  check_launch("softmax of content_aware_upsample");
}

template <typename A>
void launch_cau_reassemble(const CauProblem& problem, const A* weights, const FloatTarget& out, cudaStream_t stream) {
  if (cau_in_registers(problem)) {
    with_window<A>(problem, [&]<int kWindow, int kParts>() { launch_reassemble<A, kWindow, kParts>(problem, out, stream); });
  } else {
    const int64_t count =
        problem.samples * problem.groups * problem.channels * problem.height * problem.width * problem.parts();
    reassemble_any<<<blocks_for(count), kThreads, 0, stream>>>(problem, weights, out, count);
  }
  check_launch("content_aware_upsample");
}

template <typename A>
void launch_cau_correlate(const CauProblem& problem, const FloatSource& grad, A* slopes, int64_t chunks,
                          cudaStream_t stream) {
  if (cau_in_registers(problem)) {
    with_window<A>(problem, [&]<int kWindow, int kParts>() {
      launch_correlate<A, kWindow, kParts>(problem, grad, slopes, stream);
    });
  } else {
    correlate_any<<<blocks_for(problem.places()), kThreads, 0, stream>>>(problem, grad, slopes, problem.places());
  }
  check_launch("gradient of the weights of content_aware_upsample");
}

template <typename A>
void launch_cau_logits(const CauProblem& problem, const A* weights, const A* slopes, int64_t chunks,
                       const FloatTarget& logits_grad, cudaStream_t stream) {
  const int64_t outputs = problem.places() / problem.taps();
  softmax_backward<<<blocks_for(outputs), kThreads, 0, stream>>>(problem, weights, slopes, chunks, problem.places(),
                                                                 logits_grad, outputs);
  check_launch("gradient of the logits of content_aware_upsample");
}

template <typename A>
void launch_cau_gather(const CauProblem& problem, const FloatSource& grad, const A* weights,
                       const FloatTarget& features_grad, cudaStream_t stream) {
  bool made = false;
  if constexpr (sizeof(A) == 4) {
    if (cau_gathers_in_registers(problem)) {
      made = true;
      if (problem.window == 3 && problem.scale == 1) launch_gather<A, 3, 1>(problem, grad, weights, features_grad, stream);
      if (problem.window == 3 && problem.scale == 2) launch_gather<A, 3, 2>(problem, grad, weights, features_grad, stream);
      if (problem.window == 5 && problem.scale == 1) launch_gather<A, 5, 1>(problem, grad, weights, features_grad, stream);
      if (problem.window == 5 && problem.scale == 2) launch_gather<A, 5, 2>(problem, grad, weights, features_grad, stream);
    }
  }
  if (!made) {
    const int64_t count = problem.samples * problem.groups * problem.channels * problem.height * problem.width;
    gather_any<<<blocks_for(count), kThreads, 0, stream>>>(problem, grad, weights, features_grad, count);
  }
  check_launch("gradient of the features of content_aware_upsample");
}

template void launch_cau_weights(const CauProblem&, float*, cudaStream_t);
template void launch_cau_weights(const CauProblem&, double*, cudaStream_t);
template void launch_cau_reassemble(const CauProblem&, const float*, const FloatTarget&, cudaStream_t);
template void launch_cau_reassemble(const CauProblem&, const double*, const FloatTarget&, cudaStream_t);
template void launch_cau_correlate(const CauProblem&, const FloatSource&, float*, int64_t, cudaStream_t);
template void launch_cau_correlate(const CauProblem&, const FloatSource&, double*, int64_t, cudaStream_t);
template void launch_cau_logits(const CauProblem&, const float*, const float*, int64_t, const FloatTarget&, cudaStream_t);
template void launch_cau_logits(const CauProblem&, const double*, const double*, int64_t, const FloatTarget&, cudaStream_t);
template void launch_cau_gather(const CauProblem&, const FloatSource&, const float*, const FloatTarget&, cudaStream_t);
template void launch_cau_gather(const CauProblem&, const FloatSource&, const double*, const FloatTarget&, cudaStream_t);

}  // namespace vision_native::cuda
