// Kernels of the TV-L1 solver: the warp (K2), inner iterations (K3), the median (K4) and the way to the next level (K5).
//
// The host only launches; whether a pair still runs is decided on the device, after each launch of K3, by the block that
// finishes last. Sums are made in a fixed order, so results repeat bit for bit.
#include "cuda/launch.cuh"
#include "cuda/tvl1_flow.h"
#include "cuda/tvl1_flow_median.cuh"
#include "torch/ops/tvl1_flow_math.h"

namespace vision_native::cuda {

namespace {

// A tile of K3 with its border: 64 columns, and four rows (two with the illumination term) to each of the 8 rows of
// threads. Six floats a pixel then take 48 KiB of shared memory, which every GPU since sm_75 grants.
constexpr int kTileWidth = 64;
constexpr int kThreadRows = 8;
constexpr int kTileThreads = kTileWidth * kThreadRows;
constexpr int kWarps = kTileThreads / 32;

template <int unknowns>
constexpr int kRowsPerThread = unknowns == 2 ? 4 : 2;
template <int unknowns>
constexpr int kTileHeight = kRowsPerThread<unknowns>* kThreadRows;

int tile_height(int unknowns) { return unknowns == 2 ? kTileHeight<2> : kTileHeight<3>; }

/// Columns and rows that a tile really yields.
int64_t yield_width(int64_t iterations) { return kTileWidth - 2 * iterations; }
int64_t yield_height(int unknowns, int64_t iterations) { return tile_height(unknowns) - 2 * iterations; }

__device__ float* flow_of(const Tvl1Workspace& w, int64_t n, int slot, int k, int64_t area) {
  return w.u + (slot * w.pairs + n) * w.unknowns * w.slot_area + k * area;
}

__device__ float* dual_of(const Tvl1Workspace& w, int64_t n, int slot, int plane, int64_t area) {
  return w.p + (slot * w.pairs + n) * 2 * w.unknowns * w.slot_area + plane * area;
}

__global__ void begin_level_kernel(Tvl1Workspace w, bool switch_flow) {
  VISION_NATIVE_PIXELS(n, w.pairs) {
    if (switch_flow) w.current_u[n] ^= 1;
    w.current_p[n] = 0;
  }
}

__global__ void switch_flow_kernel(Tvl1Workspace w) {
  VISION_NATIVE_PIXELS(n, w.pairs) {
    if (!w.done[n]) w.current_u[n] ^= 1;
  }
}

// ---- K2 ---------------------------------------------------------------------------------------------------------

__global__ void warp_kernel(Tvl1Workspace w, const float* first, const float* second, Tvl1Size size,
                            Tvl1Sampling sampling) {
  const int64_t area = size.area();
  VISION_NATIVE_IMAGES(n, w.pairs) {
    const int slot = w.current_u[n];
    const float* u = flow_of(w, n, slot, 0, area);
    const float* v = flow_of(w, n, slot, 1, area);
    const float* gradient = w.gradient + 2 * n * area;
    const Tvl1WarpSource source{first + n * area, second + n * area, gradient, gradient + area, size.width, size.width, size};
    float* data = w.data + 3 * n * area;
    VISION_NATIVE_PIXELS(i, area) {
      const int64_t y = i / size.width, x = i - y * size.width;
      const Tvl1Data d = tvl1_warp(source, x, y, u[i], v[i], sampling);
      data[i] = d.ix;
      data[area + i] = d.iy;
      data[2 * area + i] = d.rho_c;
    }
    // Nothing in this launch reads these.
    if (blockIdx.x == 0 && threadIdx.x == 0) {
      w.done[n] = 0;
      w.iterations[n * w.stat_stride] = 0;
    }
  }
}

// ---- K3 ---------------------------------------------------------------------------------------------------------

/// Sum over the block in a fixed order; the result is valid in thread 0. `room` holds kWarps numbers.
__device__ double block_sum(double value, double* room) {
  const int thread = threadIdx.y * kTileWidth + threadIdx.x;
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_down_sync(0xffffffffu, value, offset);
  __syncthreads();
  if (thread % 32 == 0) room[thread / 32] = value;
  __syncthreads();
  double sum = 0.0;
  if (thread == 0) {
    for (int i = 0; i < kWarps; ++i) sum += room[i];
  }
  return sum;
}

/// Makes `iterations` inner iterations on a tile in shared memory. After each, the outermost ring of what is still exact
/// is lost, as its neighbours outside the tile were not iterated; the border is as wide as there are iterations, and only
/// the inside is written. At the image's own border nothing is lost: the operators end there.
template <int unknowns>
__global__ void __launch_bounds__(kTileThreads) iterate_kernel(Tvl1Workspace w, Tvl1Size size, Tvl1Step step,
                                                               int iterations, bool judge, double limit) {
  constexpr int height = kTileHeight<unknowns>;
  constexpr int per_thread = kRowsPerThread<unknowns>;
  constexpr int cells = height * kTileWidth;
  const int64_t n = blockIdx.y;
  if (w.done[n]) return;

  extern __shared__ double shared[];
  double* room = shared;
  int* last_block = reinterpret_cast<int*>(shared + kWarps);
  float* state = reinterpret_cast<float*>(shared + kWarps + 1);
  // Planes of the tile: u of each unknown, then pˣ and pʸ of each.
  const auto u = [&](int k) { return state + k * cells; };
  const auto px = [&](int k) { return state + (unknowns + 2 * k) * cells; };
  const auto py = [&](int k) { return state + (unknowns + 2 * k + 1) * cells; };

  const int64_t area = size.area();
  const int64_t tile_width = kTileWidth - 2 * iterations;
  const int64_t tile_height = height - 2 * iterations;
  const int64_t across = (size.width + tile_width - 1) / tile_width;
  const int column = threadIdx.x;
  const int64_t x = (blockIdx.x % across) * tile_width - iterations + column;
  const int64_t top = (blockIdx.x / across) * tile_height - iterations;
  const int slot_u = w.current_u[n];
  const int slot_p = w.current_p[n];

  float ix[per_thread], iy[per_thread], rho_c[per_thread], inverse[per_thread];
  const float* data = w.data + 3 * n * area;
#pragma unroll
  for (int r = 0; r < per_thread; ++r) {
    const int row = threadIdx.y + r * kThreadRows;
    const int cell = row * kTileWidth + column;
    const int64_t y = top + row;
    const bool inside = x >= 0 && x < size.width && y >= 0 && y < size.height;
    const int64_t i = inside ? y * size.width + x : 0;
    ix[r] = inside ? data[i] : 0.0f;
    iy[r] = inside ? data[area + i] : 0.0f;
    rho_c[r] = inside ? data[2 * area + i] : 0.0f;
    inverse[r] = tvl1_inverse(ix[r], iy[r], step.gradient_floor);
#pragma unroll
    for (int k = 0; k < unknowns; ++k) {
      u(k)[cell] = inside ? flow_of(w, n, slot_u, k, area)[i] : 0.0f;
      px(k)[cell] = inside ? dual_of(w, n, slot_p, 2 * k, area)[i] : 0.0f;
      py(k)[cell] = inside ? dual_of(w, n, slot_p, 2 * k + 1, area)[i] : 0.0f;
    }
  }

  double error = 0.0;
  for (int iteration = 1; iteration <= iterations; ++iteration) {
    __syncthreads();
#pragma unroll
    for (int r = 0; r < per_thread; ++r) {
      const int row = threadIdx.y + r * kThreadRows;
      const int cell = row * kTileWidth + column;
      const int64_t y = top + row;
      if (x < 0 || x >= size.width || y < 0 || y >= size.height) continue;
      // Left and upper neighbours; at the tile's edge the pixel itself stands in, and the result is not used.
      const int left = column > 0 ? cell - 1 : cell;
      const int above = row > 0 ? cell - kTileWidth : cell;
      const float old_u = u(0)[cell], old_v = u(1)[cell];
      float rho;
      if constexpr (unknowns == 3) {
        rho = tvl1_residual(rho_c[r], ix[r], iy[r], old_u, old_v, step.gamma, u(2)[cell]);
      } else {
        rho = tvl1_residual(rho_c[r], ix[r], iy[r], old_u, old_v);
      }
      const float move = tvl1_threshold(rho, ix[r], iy[r], inverse[r], step.lambda_theta);
      const auto advance = [&](int k, float direction) {
        const float old = u(k)[cell];
        const float divergence = tvl1_divergence(px(k)[cell], x > 0 ? px(k)[left] : 0.0f, py(k)[cell],
                                                 y > 0 ? py(k)[above] : 0.0f);
        const float next = (old + move * direction) + step.theta * divergence;
        u(k)[cell] = next;
        const float change = next - old;
        return change * change;
      };
      float squared = advance(0, ix[r]);
      squared += advance(1, iy[r]);
      if constexpr (unknowns == 3) squared += advance(2, step.gamma);
      const bool kept = column >= iterations && column < kTileWidth - iterations && row >= iterations &&
                        row < height - iterations;
      if (iteration == iterations && kept) error += static_cast<double>(squared);
    }
    __syncthreads();
#pragma unroll
    for (int r = 0; r < per_thread; ++r) {
      const int row = threadIdx.y + r * kThreadRows;
      const int cell = row * kTileWidth + column;
      const int64_t y = top + row;
      if (x < 0 || x >= size.width || y < 0 || y >= size.height) continue;
      const int right = x + 1 < size.width && column + 1 < kTileWidth ? cell + 1 : cell;
      const int below = y + 1 < size.height && row + 1 < height ? cell + kTileWidth : cell;
#pragma unroll
      for (int k = 0; k < unknowns; ++k) {
        const float gx = step.tau_over_theta * (u(k)[right] - u(k)[cell]);
        const float gy = step.tau_over_theta * (u(k)[below] - u(k)[cell]);
        const float scale = tvl1_dual_scale(gx, gy);
        px(k)[cell] = (px(k)[cell] + gx) * scale;
        py(k)[cell] = (py(k)[cell] + gy) * scale;
      }
    }
  }

#pragma unroll
  for (int r = 0; r < per_thread; ++r) {
    const int row = threadIdx.y + r * kThreadRows;
    const int cell = row * kTileWidth + column;
    const int64_t y = top + row;
    const bool kept = column >= iterations && column < kTileWidth - iterations && row >= iterations &&
                      row < height - iterations && x < size.width && y < size.height;
    if (!kept) continue;
    const int64_t i = y * size.width + x;
#pragma unroll
    for (int k = 0; k < unknowns; ++k) {
      flow_of(w, n, slot_u ^ 1, k, area)[i] = u(k)[cell];
      dual_of(w, n, slot_p ^ 1, 2 * k, area)[i] = px(k)[cell];
      dual_of(w, n, slot_p ^ 1, 2 * k + 1, area)[i] = py(k)[cell];
    }
  }

  // The block that takes the last ticket of a pair knows that all its tiles are finished, and that every block has read
  // the pair's slots and its `done`.
  const bool leader = threadIdx.x == 0 && threadIdx.y == 0;
  const double tile_error = block_sum(error, room);
  if (leader) {
    w.partials[n * w.tiles + blockIdx.x] = tile_error;
    __threadfence();
    *last_block = atomicAdd(&w.tickets[n], 1u) == gridDim.x - 1;
  }
  __syncthreads();
  if (!*last_block) return;

  __threadfence();
  double sum = 0.0;
  const int thread = threadIdx.y * kTileWidth + threadIdx.x;
  for (int64_t tile = thread; tile < gridDim.x; tile += kTileThreads) sum += __ldcg(&w.partials[n * w.tiles + tile]);
  const double total = block_sum(sum, room);
  if (leader) {
    w.tickets[n] = 0;
    w.current_u[n] = slot_u ^ 1;
    w.current_p[n] = slot_p ^ 1;
    w.iterations[n * w.stat_stride] += iterations;
    if (judge) {
      w.errors[n] = total;
      w.residuals[n * w.stat_stride] = static_cast<float>(total / static_cast<double>(area));
      if (total <= limit) w.done[n] = 1;
    }
  }
}

// ---- K4, K5 -----------------------------------------------------------------------------------------------------

__global__ void median_flow_kernel(Tvl1Workspace w, Tvl1Size size) {
  const int64_t n = blockIdx.y / 2;
  const int k = blockIdx.y % 2;
  if (w.done[n]) return;
  const int slot = w.current_u[n];
  median_tile(flow_of(w, n, slot, k, size.area()), flow_of(w, n, slot ^ 1, k, size.area()), size);
}

/// The brightness change is not filtered, but has to follow u and v to the other slot.
__global__ void carry_illumination_kernel(Tvl1Workspace w, Tvl1Size size) {
  VISION_NATIVE_IMAGES(n, w.pairs) {
    if (w.done[n]) continue;
    const int slot = w.current_u[n];
    const float* from = flow_of(w, n, slot, 2, size.area());
    float* to = flow_of(w, n, slot ^ 1, 2, size.area());
    VISION_NATIVE_PIXELS(i, size.area()) to[i] = from[i];
  }
}

__global__ void enlarge_flow_kernel(Tvl1Workspace w, Tvl1Size size, Tvl1Size finer, float factor, bool cubic,
                                    float bicubic_a) {
  const double step_x = static_cast<double>(size.width) / static_cast<double>(finer.width);
  const double step_y = static_cast<double>(size.height) / static_cast<double>(finer.height);
  VISION_NATIVE_IMAGES(n, w.pairs) {
    const int slot = w.current_u[n];
    VISION_NATIVE_PIXELS(i, finer.area()) {
      const int64_t y = i / finer.width, x = i - y * finer.width;
      const Tvl1Tap column = tvl1_half_pixel_tap(x, step_x, size.width);
      const Tvl1Tap row = tvl1_half_pixel_tap(y, step_y, size.height);
      for (int k = 0; k < w.unknowns; ++k) {
        const float* image = flow_of(w, n, slot, k, size.area());
        const float value = cubic ? tvl1_bicubic(image, size.width, column, row, size, bicubic_a)
                                  : tvl1_bilinear(image, size.width, column, row, size);
        // The brightness change has no length and is not rescaled.
        flow_of(w, n, slot ^ 1, k, finer.area())[i] = (k < 2 ? factor : 1.0f) * value;
      }
    }
  }
}

__global__ void collect_kernel(Tvl1Workspace w, Tvl1Size size, float* flow) {
  const int64_t area = size.area();
  VISION_NATIVE_IMAGES(n, w.pairs) {
    const int slot = w.current_u[n];
    VISION_NATIVE_PIXELS(i, area) {
      flow[2 * n * area + i] = flow_of(w, n, slot, 0, area)[i];
      flow[(2 * n + 1) * area + i] = flow_of(w, n, slot, 1, area)[i];
    }
  }
}

dim3 grid(Tvl1Size size, const Tvl1Workspace& work) { return {blocks_for(size.area()), rows_for(work.pairs), 1}; }

template <int unknowns>
void iterate(const Tvl1Workspace& work, Tvl1Size size, const Tvl1Step& step, int64_t iterations, bool judge, double limit,
             cudaStream_t stream) {
  constexpr size_t bytes = (kWarps + 1) * sizeof(double) + 3 * unknowns * kTileHeight<unknowns> * kTileWidth * sizeof(float);
  // More than 48 KiB must be asked for, once for each device; asking again is cheap.
  check_cuda(cudaFuncSetAttribute(iterate_kernel<unknowns>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
             "shared memory of the TV-L1 tile");
  const dim3 blocks(static_cast<unsigned>(tiles_of(size, unknowns, iterations)), static_cast<unsigned>(work.pairs), 1);
  iterate_kernel<unknowns><<<blocks, dim3(kTileWidth, kThreadRows, 1), bytes, stream>>>(
      work, size, step, static_cast<int>(iterations), judge, limit);
  check_launch("tvl1 iterate");
}

}  // namespace

int64_t largest_block(int unknowns) { return unknowns == 2 ? 8 : 4; }

int64_t tiles_of(Tvl1Size size, int unknowns, int64_t iterations) {
  const int64_t width = yield_width(iterations);
  const int64_t height = yield_height(unknowns, iterations);
  return ((size.width + width - 1) / width) * ((size.height + height - 1) / height);
}

void launch_begin_level(const Tvl1Workspace& work, Tvl1Size size, bool switch_flow, cudaStream_t stream) {
  begin_level_kernel<<<blocks_for(work.pairs), kThreads, 0, stream>>>(work, switch_flow);
  check_launch("tvl1 begin level");
  const size_t planes = 2 * static_cast<size_t>(work.unknowns) * sizeof(float);
  if (work.pairs == 1) {
    // The part of a large pair may be wider than the widest row of a two-dimensional range.
    check_cuda(cudaMemsetAsync(work.p, 0, planes * size.area(), stream), "clearing the dual field");
    return;
  }
  check_cuda(cudaMemset2DAsync(work.p, planes * work.slot_area, 0, planes * size.area(), work.pairs, stream),
             "clearing the dual field");
}

void launch_warp(const Tvl1Workspace& work, const float* first, const float* second, Tvl1Size size,
                 const Tvl1Sampling& sampling, cudaStream_t stream) {
  warp_kernel<<<grid(size, work), kThreads, 0, stream>>>(work, first, second, size, sampling);
  check_launch("tvl1 warp");
}

void launch_median_flow(const Tvl1Workspace& work, Tvl1Size size, cudaStream_t stream) {
  median_flow_kernel<<<dim3(median_tiles(size), static_cast<unsigned>(2 * work.pairs)), median_threads(), 0, stream>>>(
      work, size);
  check_launch("tvl1 median of the flow");
  if (work.unknowns == 3) {
    carry_illumination_kernel<<<grid(size, work), kThreads, 0, stream>>>(work, size);
    check_launch("tvl1 carry illumination");
  }
  switch_flow_kernel<<<blocks_for(work.pairs), kThreads, 0, stream>>>(work);
  check_launch("tvl1 switch flow");
}

void launch_iterate(const Tvl1Workspace& work, Tvl1Size size, const Tvl1Step& step, int64_t iterations, bool judge,
                    double limit, cudaStream_t stream) {
  if (work.unknowns == 2) {
    iterate<2>(work, size, step, iterations, judge, limit, stream);
  } else {
    iterate<3>(work, size, step, iterations, judge, limit, stream);
  }
}

void launch_enlarge_flow(const Tvl1Workspace& work, Tvl1Size size, Tvl1Size finer, float factor, Tvl1Pyramid pyramid,
                         float bicubic_a, cudaStream_t stream) {
  enlarge_flow_kernel<<<grid(finer, work), kThreads, 0, stream>>>(work, size, finer, factor,
                                                                  pyramid == Tvl1Pyramid::kGaussian, bicubic_a);
  check_launch("tvl1 enlarge flow");
}

void launch_collect(const Tvl1Workspace& work, Tvl1Size size, float* flow, cudaStream_t stream) {
  collect_kernel<<<grid(size, work), kThreads, 0, stream>>>(work, size, flow);
  check_launch("tvl1 collect");
}

}  // namespace vision_native::cuda
