#pragma once
// Window sums of several quantities at once, for the kernels of the box and the guided filter.
//
// A block works on a strip of 256 columns down a band of rows. A thread owns a column and slides its sums down in
// registers; rows of them go to shared memory, where a warp makes the prefix sums of a row, less its mean so that they stay
// small; a difference of two is a window. Time does not depend on the radius, and what a block sums depends on nothing but
// the image's size and the radius. Wider windows go through device memory, one kernel down the columns and one along the
// rows.
//
// What is summed and what becomes of it is an Op:
//   T                  float or double, in which it computes
//   kPlanes            values read at a pixel, kQuantities sums made of them
//   kShares            whether `finish` returns a share of a sum over all pixels
//   centred(plane)     whether a value near the tile's mean is subtracted
//   Source(args, b, c, column).load(y, values)
//   combine(values, inverse, quantities)     inverse: one over the pixels of the window around the place (for adjoints)
//   State(args)        what `finish` wants to know once for each thread
//   finish(args, state, b, c, item, y, x, centres, inverse, sums)
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <type_traits>

#include "cuda/guided_filter.h"
#include "cuda/launch.cuh"

namespace vision_native::cuda {
namespace {

/// Elements of float16, bfloat16 or float32; which, a kernel learns when it runs.
struct AnyFloat {};

template <class In>
struct Arithmetic {
  using T = float;
};
template <>
struct Arithmetic<double> {
  using T = double;
};

template <class In>
__device__ __forceinline__ auto read(const void* data, int64_t offset, BoxType type) -> typename Arithmetic<In>::T {
  if constexpr (std::is_same_v<In, AnyFloat>) {
    switch (type) {
      case BoxType::kHalf: return __half2float(static_cast<const __half*>(data)[offset]);
      case BoxType::kBFloat16: return __bfloat162float(static_cast<const __nv_bfloat16*>(data)[offset]);
      default: return static_cast<const float*>(data)[offset];
    }
  } else {
    return static_cast<const In*>(data)[offset];
  }
}

template <class In, class T>
__device__ __forceinline__ void write(void* data, int64_t offset, BoxType type, T value) {
  if constexpr (std::is_same_v<In, AnyFloat>) {
    switch (type) {
      case BoxType::kHalf: static_cast<__half*>(data)[offset] = __float2half_rn(value); break;
      case BoxType::kBFloat16: static_cast<__nv_bfloat16*>(data)[offset] = __float2bfloat16_rn(value); break;
      default: static_cast<float*>(data)[offset] = value;
    }
  } else {
    static_cast<In*>(data)[offset] = value;
  }
}

/// Rows of a plane at one column.
template <class In>
struct Column {
  const void* data;
  int64_t first, row;
  BoxType type;

  __device__ __forceinline__ Column() {}
  __device__ __forceinline__ Column(const BoxPlanes& planes, int64_t b, int64_t c, int64_t f, int64_t column, BoxType type)
      : data(planes.data), first(planes.at(b, c, f) + column * planes.column), row(planes.row), type(type) {}
  __device__ __forceinline__ auto operator[](int64_t y) const { return read<In>(data, first + y * row, type); }
};

template <class T>
__device__ __forceinline__ T inverse_of(const BoxAxis& axis, int64_t i) {
  return T(1) / static_cast<T>(axis.count(i));
}

struct NoState {
  template <class Args>
  __device__ __forceinline__ explicit NoState(const Args&) {}
};

/// ε, once for each thread.
template <class T>
struct EpsState {
  T eps;

  template <class Args>
  __device__ __forceinline__ explicit EpsState(const Args& args) {
    const double value = args.eps.device == nullptr ? args.eps.value : *args.eps.device;
    eps = static_cast<T>(value >= 0.0 && value - value == 0.0 ? value : 0.0 / 0.0);
  }
};

// ---- In one block ---------------------------------------------------------------------------------------------------

constexpr int kStrip = 256;
/// Half of a strip is left of a window of this radius.
constexpr int64_t kStripRadius = 64;
/// Before a row's prefix sums: the mean that they lack, two that align, and the sum of nothing.
constexpr int kAhead = 4;
constexpr int kLine = kStrip + kAhead;
constexpr int kStripWarps = kStrip / 32;
constexpr int kSampleRows = 8, kSampleColumns = 16, kSamples = kSampleRows * kSampleColumns;
/// A block takes no more than this, so that several share a multiprocessor.
constexpr int kSharedBytes = 57344;

/// Rows between two barriers. float64 is there to check gradients, and need not be fast.
template <class Op>
constexpr int rows_at_once() {
  int rows = sizeof(typename Op::T) == 8 ? 1 : (Op::kQuantities <= 4 ? 8 : 4);
  while (rows > 1 && rows * Op::kQuantities * kLine * static_cast<int>(sizeof(typename Op::T)) > kSharedBytes) rows /= 2;
  return rows;
}

template <class Op>
constexpr int shared_bytes() {
  return rows_at_once<Op>() * Op::kQuantities * kLine * static_cast<int>(sizeof(typename Op::T));
}

/// Values near the means of a piece of the planes; those that are NaN or infinite do not count. `samples` has room for
/// kSamples of each plane. All threads of the block call it; the results are complete after it.
template <class Op>
__device__ void sample_centres(const typename Op::Args& args, int64_t b, int64_t c, int64_t x0, int64_t x1, int64_t y0,
                               int64_t y1, typename Op::T* samples, typename Op::T* centres) {
  using T = typename Op::T;
  const int t = threadIdx.x;
  const int64_t step_y = (y1 - y0 + kSampleRows - 1) / kSampleRows, step_x = (x1 - x0 + kSampleColumns - 1) / kSampleColumns;
  if (t < kSamples) {
    const int64_t y = y0 + step_y / 2 + t / kSampleColumns * step_y, x = x0 + step_x / 2 + t % kSampleColumns * step_x;
    const T none = T(0) / T(0);
    T values[Op::kPlanes];
    for (int p = 0; p < Op::kPlanes; ++p) values[p] = none;
    if (y < y1 && x < x1) typename Op::Source(args, b, c, x).load(y, values);
    for (int p = 0; p < Op::kPlanes; ++p) samples[p * kSamples + t] = values[p];
  }
  __syncthreads();
  for (int p = t; p < Op::kPlanes; p += blockDim.x) {
    T sum = T(0);
    int count = 0;
    if (Op::centred(p)) {
      for (int i = 0; i < kSamples; ++i) {
        const T value = samples[p * kSamples + i];
        const bool counts = value - value == T(0);
        sum += counts ? value : T(0);
        count += counts;
      }
    }
    const T mean = count > 0 ? sum / static_cast<T>(count) : T(0);
    centres[p] = mean - mean == T(0) ? mean : T(0);
  }
  __syncthreads();
}

/// Prefix sums of a row of a strip, by one warp. Columns from … to are those that hold something; their mean is subtracted.
template <class T>
__device__ __forceinline__ void sum_along(T* line, int from, int to) {
  constexpr int kEach = 4, kChunk = 32 * kEach, kChunks = kStrip / kChunk;
  const int lane = threadIdx.x % 32;
  T value[kChunks][kEach], total = T(0);
#pragma unroll
  for (int k = 0; k < kChunks; ++k) {
#pragma unroll
    for (int i = 0; i < kEach; ++i) {
      value[k][i] = line[kAhead + k * kChunk + lane * kEach + i];
      total += value[k][i];
    }
  }
#pragma unroll
  for (int step = 16; step > 0; step /= 2) total += __shfl_xor_sync(0xffffffffu, total, step);
  T mean = total / static_cast<T>(to - from);
  mean = mean - mean == T(0) ? mean : T(0);
  const auto centred = [&](int k, int i) {
    const int column = k * kChunk + lane * kEach + i;
    return column >= from && column < to ? value[k][i] - mean : value[k][i];
  };
  T carry = T(0);
#pragma unroll
  for (int k = 0; k < kChunks; ++k) {
    T sum[kEach];
    sum[0] = centred(k, 0);
#pragma unroll
    for (int i = 1; i < kEach; ++i) sum[i] = sum[i - 1] + centred(k, i);
    T before = sum[kEach - 1];
#pragma unroll
    for (int step = 1; step < 32; step *= 2) {
      const T other = __shfl_up_sync(0xffffffffu, before, step);
      if (lane >= step) before += other;
    }
    const T all = __shfl_sync(0xffffffffu, before, 31);
    const T left = __shfl_up_sync(0xffffffffu, before, 1);
    const T ahead = carry + (lane > 0 ? left : T(0));
#pragma unroll
    for (int i = 0; i < kEach; ++i) line[kAhead + k * kChunk + lane * kEach + i] = ahead + sum[i];
    carry += all;
  }
  if (lane == 0) {
    line[0] = mean;
    line[kAhead - 1] = T(0);
  }
}

template <class Op>
__global__ void __launch_bounds__(kStrip) strip_kernel(const typename Op::Args args, const BoxWindows windows,
                                                       int64_t strips, int64_t bands, double* shares) {
  using T = typename Op::T;
  constexpr int Q = Op::kQuantities, P = Op::kPlanes, R = rows_at_once<Op>();
  extern __shared__ double shared_memory[];
  T* const lines = reinterpret_cast<T*>(shared_memory);
  __shared__ T centres[P];
  __shared__ double room[Op::kShares ? kStripWarps : 1];
  const int t = threadIdx.x, warp = t / 32;
  const BoxAxis rows = windows.rows, columns = windows.columns;
  const int radius = static_cast<int>(columns.radius);
  const int yield = kStrip - 2 * radius;
  const int64_t count = windows.items() * bands * strips;
  const typename Op::State state(args);

  for (int64_t block = blockIdx.x; block < count; block += gridDim.x) {
    const int64_t strip = block % strips, item = block / strips / bands;
    const int64_t y0 = block / strips % bands * windows.band;
    const int64_t y1 = y0 + windows.band < rows.size ? y0 + windows.band : rows.size;
    const int64_t x0 = strip * yield, x1 = x0 + yield < columns.size ? x0 + yield : columns.size;
    const int64_t b = item / windows.channels, c = item % windows.channels;
    // The last block's results have been read once all are here.
    __syncthreads();
    sample_centres<Op>(args, b, c, x0, x1, y0, y1, lines, centres);

    const int64_t place = columns.fold(x0 - radius + t);
    const bool here = place >= 0;
    const typename Op::Source source(args, b, c, here ? place : 0);
    const T inverse_place = here ? inverse_of<T>(columns, place) : T(0);
    const int64_t x = x0 + t;
    const bool writes = t < yield && x < columns.size;
    const T inverse_x = writes ? inverse_of<T>(columns, x) : T(0);
    const T window_columns = static_cast<T>(columns.count(x));
    // A mirrored image has no end; one that is cut off is nothing outside.
    const bool endless = columns.edge == BoxEdge::kReflect;
    const int from = endless || x0 >= radius ? 0 : static_cast<int>(radius - x0);
    const int to = endless || columns.size - x0 >= kStrip - radius ? kStrip : static_cast<int>(columns.size - x0) + radius;
    double share = 0.0;

    T sum[Q];
#pragma unroll
    for (int q = 0; q < Q; ++q) sum[q] = T(0);
    const auto quantities = [&](T* values, int64_t row, T* made) {
#pragma unroll
      for (int p = 0; p < P; ++p) values[p] = Op::centred(p) ? values[p] - centres[p] : values[p];
      Op::combine(values, inverse_place * inverse_of<T>(rows, row), made);
    };
    if (here) {
#pragma unroll 4
      for (int64_t i = y0 - rows.radius; i <= y0 + rows.radius; ++i) {
        const int64_t row = rows.fold(i);
        if (row < 0) continue;
        T values[P], made[Q];
        source.load(row, values);
        quantities(values, row, made);
#pragma unroll
        for (int q = 0; q < Q; ++q) sum[q] += made[q];
      }
    }

    for (int64_t y = y0; y < y1; y += R) {
      // All that these rows read is asked for before the first of it is used.
      T entering[R][P], leaving[R][P];
      int64_t row_in[R], row_out[R];
#pragma unroll
      for (int l = 0; l < R; ++l) {
        const bool slides = here && y + l > y0 && y + l < y1;
        row_in[l] = slides ? rows.fold(y + l + rows.radius) : -1;
        row_out[l] = slides ? rows.fold(y + l - 1 - rows.radius) : -1;
        if (row_in[l] >= 0) source.load(row_in[l], entering[l]);
        if (row_out[l] >= 0) source.load(row_out[l], leaving[l]);
      }
      // Until here others read the rows before these.
      __syncthreads();
#pragma unroll
      for (int l = 0; l < R; ++l) {
        T in[Q], out[Q];
#pragma unroll
        for (int q = 0; q < Q; ++q) in[q] = out[q] = T(0);
        if (row_in[l] >= 0) quantities(entering[l], row_in[l], in);
        if (row_out[l] >= 0) quantities(leaving[l], row_out[l], out);
#pragma unroll
        for (int q = 0; q < Q; ++q) {
          sum[q] = sum[q] + (in[q] - out[q]);
          lines[(q * R + l) * kLine + kAhead + t] = sum[q];
        }
      }
      __syncthreads();
      for (int line = warp; line < Q * R; line += kStripWarps) sum_along(lines + line * kLine, from, to);
      __syncthreads();
      if (writes) {
#pragma unroll 1
        for (int l = 0; l < R && y + l < y1; ++l) {
          T sums[Q];
#pragma unroll
          for (int q = 0; q < Q; ++q) {
            const T* line = lines + (q * R + l) * kLine;
            const T* before = line + kAhead - 1 + t;
            sums[q] = (before[2 * radius + 1] - before[0]) + window_columns * line[0];
          }
          const T inverse = inverse_of<T>(rows, y + l) * inverse_x;
          const T given = Op::finish(args, state, b, c, item, y + l, x, centres, inverse, sums);
          if constexpr (Op::kShares) share += static_cast<double>(given);
        }
      }
    }

    if constexpr (Op::kShares) {
#pragma unroll
      for (int step = 16; step > 0; step /= 2) share += __shfl_xor_sync(0xffffffffu, share, step);
      if (t % 32 == 0) room[warp] = share;
      __syncthreads();
      if (t == 0) {
        double all = 0.0;
        for (int i = 0; i < kStripWarps; ++i) all += room[i];
        shares[block] = all;
      }
    }
  }
}

// ---- Through device memory ------------------------------------------------------------------------------------------

/// Results that a thread slides along.
constexpr int64_t kRun = 64;
constexpr int64_t kWideBytes = int64_t{256} << 20;

/// Rows of column sums that are held at the same time: whole bands.
inline int64_t wide_rows(const BoxWindows& windows, int quantities) {
  const int64_t row = windows.columns.size * quantities * static_cast<int64_t>(sizeof(double));
  const int64_t most = kWideBytes / row / windows.band * windows.band;
  const int64_t rows = most > windows.band ? most : windows.band;
  return rows < windows.rows.size ? rows : windows.rows.size;
}

/// Sums down the columns of rows y_first … y_last of one item, `[rows, quantities, width]`.
template <class Op>
__global__ void __launch_bounds__(kThreads) wide_columns_kernel(const typename Op::Args args, const BoxWindows windows,
                                                                int64_t item, int64_t y_first, int64_t y_last,
                                                                typename Op::T* sums) {
  using T = typename Op::T;
  constexpr int Q = Op::kQuantities, P = Op::kPlanes;
  __shared__ T centres[P], samples[P * kSamples];
  const BoxAxis rows = windows.rows, columns = windows.columns;
  const int64_t b = item / windows.channels, c = item % windows.channels, width = columns.size;
  for (int64_t y0 = y_first + blockIdx.y * windows.band; y0 < y_last; y0 += gridDim.y * windows.band) {
    const int64_t y1 = y0 + windows.band < rows.size ? y0 + windows.band : rows.size;
    __syncthreads();
    sample_centres<Op>(args, b, c, 0, width, y0, y1, samples, centres);
    VISION_NATIVE_PIXELS(x, width) {
      const typename Op::Source source(args, b, c, x);
      const T inverse_x = inverse_of<T>(columns, x);
      const auto quantities = [&](int64_t row, T* made) {
        T values[P];
        source.load(row, values);
        for (int p = 0; p < P; ++p) values[p] = Op::centred(p) ? values[p] - centres[p] : values[p];
        Op::combine(values, inverse_x * inverse_of<T>(rows, row), made);
      };
      T sum[Q];
      for (int q = 0; q < Q; ++q) sum[q] = T(0);
      for (int64_t j = rows.first(y0); j < rows.last(y0); ++j) {
        T made[Q];
        quantities(j, made);
        const T times = static_cast<T>(rows.times(y0, j));
        for (int q = 0; q < Q; ++q) sum[q] += times * made[q];
      }
      for (int64_t y = y0; y < y1; ++y) {
        if (y > y0) {
          const int64_t in = rows.fold(y + rows.reach()), out = rows.fold(y - 1 - rows.reach());
          T entering[Q], leaving[Q];
          for (int q = 0; q < Q; ++q) entering[q] = leaving[q] = T(0);
          if (in >= 0) quantities(in, entering);
          if (out >= 0) quantities(out, leaving);
          for (int q = 0; q < Q; ++q) sum[q] = sum[q] + (entering[q] - leaving[q]);
        }
        for (int q = 0; q < Q; ++q) sums[((y - y_first) * Q + q) * width + x] = sum[q];
      }
    }
  }
}

/// Sums along the rows, and what becomes of them. A block works on one row at a time.
template <class Op>
__global__ void __launch_bounds__(kThreads) wide_rows_kernel(const typename Op::Args args, const BoxWindows windows,
                                                             int64_t item, int64_t y_first, int64_t y_last,
                                                             const typename Op::T* sums, double* shares) {
  using T = typename Op::T;
  constexpr int Q = Op::kQuantities, P = Op::kPlanes;
  __shared__ T centres[P], samples[P * kSamples];
  __shared__ double room[Op::kShares ? kThreads / 32 : 1];
  const int t = threadIdx.x;
  const typename Op::State state(args);
  const BoxAxis rows = windows.rows, columns = windows.columns;
  const int64_t b = item / windows.channels, c = item % windows.channels, width = columns.size;
  for (int64_t y = y_first + blockIdx.x; y < y_last; y += gridDim.x) {
    const int64_t y0 = y / windows.band * windows.band;
    const int64_t y1 = y0 + windows.band < rows.size ? y0 + windows.band : rows.size;
    __syncthreads();
    sample_centres<Op>(args, b, c, 0, width, y0, y1, samples, centres);
    const T* row = sums + (y - y_first) * Q * width;
    const T inverse_y = inverse_of<T>(rows, y);
    double share = 0.0;
    for (int64_t x0 = t * kRun; x0 < width; x0 += kThreads * kRun) {
      T sum[Q];
      for (int q = 0; q < Q; ++q) sum[q] = T(0);
      for (int64_t j = columns.first(x0); j < columns.last(x0); ++j) {
        const T times = static_cast<T>(columns.times(x0, j));
        for (int q = 0; q < Q; ++q) sum[q] += times * row[q * width + j];
      }
      for (int64_t x = x0; x < x0 + kRun && x < width; ++x) {
        if (x > x0) {
          const int64_t in = columns.fold(x + columns.reach()), out = columns.fold(x - 1 - columns.reach());
          for (int q = 0; q < Q; ++q) {
            sum[q] = sum[q] + ((in >= 0 ? row[q * width + in] : T(0)) - (out >= 0 ? row[q * width + out] : T(0)));
          }
        }
        T given[Q];
        for (int q = 0; q < Q; ++q) given[q] = sum[q];
        const T one = Op::finish(args, state, b, c, item, y, x, centres, inverse_y * inverse_of<T>(columns, x), given);
        if constexpr (Op::kShares) share += static_cast<double>(one);
      }
    }
    if constexpr (Op::kShares) {
#pragma unroll
      for (int step = 16; step > 0; step /= 2) share += __shfl_xor_sync(0xffffffffu, share, step);
      if (t % 32 == 0) room[t / 32] = share;
      __syncthreads();
      if (t == 0) {
        double all = 0.0;
        for (int i = 0; i < kThreads / 32; ++i) all += room[i];
        shares[item * rows.size + y] = all;
      }
    }
  }
}

// ---- Launches -------------------------------------------------------------------------------------------------------

inline int64_t strips_of(const BoxWindows& windows) {
  const int64_t yield = kStrip - 2 * windows.columns.radius;
  return (windows.columns.size + yield - 1) / yield;
}

inline int64_t bands_of(const BoxWindows& windows) { return (windows.rows.size + windows.band - 1) / windows.band; }

inline unsigned most_blocks(int64_t count) { return static_cast<unsigned>(std::min(count, kMostBlocksX)); }

template <class Op>
void launch_strips(const typename Op::Args& args, const BoxWindows& windows, double* shares, cudaStream_t stream) {
  const int64_t strips = strips_of(windows), bands = bands_of(windows);
  constexpr int bytes = shared_bytes<Op>();
  static_assert(kSamples * Op::kPlanes * sizeof(typename Op::T) <= bytes);
  // Beyond 48 KiB, with what is not dynamic, a kernel has to ask.
  if constexpr (bytes > 47 * 1024) {
    check_cuda(cudaFuncSetAttribute(strip_kernel<Op>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
               "shared memory of window sums");
  }
  strip_kernel<Op><<<most_blocks(windows.items() * bands * strips), kStrip, bytes, stream>>>(args, windows, strips, bands,
                                                                                             shares);
  check_launch("window sums");
}

template <class Op>
void launch_wide(const typename Op::Args& args, const BoxWindows& windows, double* shares, void* workspace,
                 cudaStream_t stream) {
  using T = typename Op::T;
  const int64_t height = windows.rows.size, step = wide_rows(windows, Op::kQuantities);
  T* const sums = static_cast<T*>(workspace);
  for (int64_t item = 0; item < windows.items(); ++item) {
    for (int64_t y = 0; y < height; y += step) {
      const int64_t end = std::min(height, y + step);
      const dim3 blocks(blocks_for(windows.columns.size), rows_for((end - y + windows.band - 1) / windows.band));
      wide_columns_kernel<Op><<<blocks, kThreads, 0, stream>>>(args, windows, item, y, end, sums);
      check_launch("sums down columns");
      wide_rows_kernel<Op><<<most_blocks(end - y), kThreads, 0, stream>>>(args, windows, item, y, end, sums, shares);
      check_launch("sums along rows");
    }
  }
}

template <class Op>
void launch_op(const typename Op::Args& args, const BoxWindows& windows, double* shares, void* workspace,
               cudaStream_t stream) {
  box_is_wide(windows) ? launch_wide<Op>(args, windows, shares, workspace, stream)
                       : launch_strips<Op>(args, windows, shares, stream);
}

/// Strips of float32 know it when they are compiled, which lets them ask for all their rows at once.
template <template <class> class Make, class Args>
void launch_windows(BoxType type, const Args& args, const BoxWindows& windows, double* shares, void* workspace,
                    cudaStream_t stream) {
  if (type == BoxType::kDouble) {
    launch_op<typename Make<double>::Op>(args, windows, shares, workspace, stream);
  } else if (type == BoxType::kFloat && !box_is_wide(windows)) {
    launch_strips<typename Make<float>::Op>(args, windows, shares, stream);
  } else {
    launch_op<typename Make<AnyFloat>::Op>(args, windows, shares, workspace, stream);
  }
}

}  // namespace
}  // namespace vision_native::cuda
