// BM3D on CUDA. A warp finds the group of a block of reference, holding the nearest candidates one to a lane; a block of
// threads filters the group in shared memory. What is taken from the pixels is added up in fixed point, so that results do
// not depend on the order of the blocks.
#include "cuda/bm3d.h"

#include <type_traits>

#include "cuda/launch.cuh"

namespace vision_native::cuda {

namespace {

constexpr unsigned kWarp = 0xffffffffu;
constexpr int kLanes = 32;
constexpr unsigned long long kNone = ~0ull;
// A weight is 64 at most, noise 512, and a pixel is in some ten thousand blocks: 2^30 leaves the sums below 2^63.
constexpr float kMostNoise = 512.0f;
constexpr double kFixed = 1 << 30;

static_assert(kBm3dMostBlocks == kLanes, "a lane holds a block");

// ---- Search ---------------------------------------------------------------------------------------------------------

/// Sum of squared differences of two blocks, in the order of the CPU's sums.
__device__ float distance_of(const float* a, const float* b, int64_t width) {
  float column[kBm3dSide];
#pragma unroll
  for (int x = 0; x < kBm3dSide; ++x) {
    float square[kBm3dSide];
#pragma unroll
    for (int y = 0; y < kBm3dSide; ++y) {
      const float difference = a[y * kBm3dSide + x] - b[y * width + x];
      square[y] = difference * difference;
    }
    const float upper = square[0] + square[1] + square[2], lower = square[3] + square[4] + square[5];
    column[x] = (upper + lower) + (square[6] + square[7]);
  }
  return ((column[0] + column[1]) + (column[2] + column[3])) + ((column[4] + column[5]) + (column[6] + column[7]));
}

/// Order of an offset among equals: the block of reference, then raster order.
__device__ uint32_t order_of(int dy, int dx, int reach) {
  return dy == 0 && dx == 0 ? 0 : static_cast<uint32_t>((dy + reach) * (2 * reach + 1) + dx + reach + 1);
}

/// Each warp searches for one block of reference.
__global__ void __launch_bounds__(kThreads) search_kernel(const float* plane, Bm3dImage size, int reach, int most,
                                                          float limit, Bm3dRoom room) {
  __shared__ float references[kThreads / kLanes][kBm3dArea];
  const int lane = threadIdx.x % kLanes, warp = threadIdx.x / kLanes;
  const int side = 2 * reach + 1, candidates = side * side;
  const int64_t warps = static_cast<int64_t>(gridDim.x) * (kThreads / kLanes);
  float* reference = references[warp];
  for (int64_t n = static_cast<int64_t>(blockIdx.x) * (kThreads / kLanes) + warp; n < size.blocks(); n += warps) {
    const int64_t y = bm3d_reference(n / size.columns(), size.height), x = bm3d_reference(n % size.columns(), size.width);
    __syncwarp();
    for (int i = lane; i < kBm3dArea; i += kLanes) {
      reference[i] = plane[(y + i / kBm3dSide) * size.width + x + i % kBm3dSide];
    }
    __syncwarp();
    unsigned long long mine = kNone;  // the lane's place among the nearest, sorted over the lanes
    unsigned long long worst = kNone;
    for (int first = 0; first < candidates; first += kLanes) {
      const int candidate = first + lane;
      const int dy = candidate / side - reach, dx = candidate % side - reach;
      const int64_t at_y = y + dy, at_x = x + dx;
      unsigned long long key = kNone;
      if (candidate < candidates && at_y >= 0 && at_x >= 0 && at_y + kBm3dSide <= size.height &&
          at_x + kBm3dSide <= size.width) {
        const float distance = distance_of(reference, plane + at_y * size.width + at_x, size.width);
        if (distance <= limit) {
          key = static_cast<unsigned long long>(__float_as_uint(distance)) << 32 | order_of(dy, dx, reach);
        }
      }
      for (unsigned near = __ballot_sync(kWarp, key < worst); near != 0; near &= near - 1) {
        const unsigned long long next = __shfl_sync(kWarp, key, __ffs(near) - 1);
        const int place = __popc(__ballot_sync(kWarp, mine < next));
        const unsigned long long above = __shfl_up_sync(kWarp, mine, 1);
        if (lane >= place) mine = lane == place ? next : above;
        worst = __shfl_sync(kWarp, mine, most - 1);
      }
    }
    const int found = __popc(__ballot_sync(kWarp, mine != kNone && lane < most));
    room.found[n * kLanes + lane] = static_cast<uint32_t>(mine);
    if (lane == 0) {
      // A block that holds NaN is not even near itself.
      if (found == 0) room.found[n * kLanes] = 0;
      room.counts[n] = found == 0 ? 1 : 1 << (31 - __clz(found));
    }
  }
}

// ---- Filter ---------------------------------------------------------------------------------------------------------

struct Group {
  float blocks[kBm3dMostBlocks][kBm3dArea];
};

struct Nothing {};

/// M·X·Mᵀ of every block of the group. `spare` is as large.
__device__ void transform(const float* matrix, Group& group, Group& spare, int count) {
  const int cells = count * kBm3dArea;
  __syncthreads();
  for (int i = threadIdx.x; i < cells; i += blockDim.x) {
    const int k = i / kBm3dArea, row = i % kBm3dArea / kBm3dSide, column = i % kBm3dSide;
    float sum = matrix[row * kBm3dSide] * group.blocks[k][column];
#pragma unroll
    for (int j = 1; j < kBm3dSide; ++j) sum += matrix[row * kBm3dSide + j] * group.blocks[k][j * kBm3dSide + column];
    spare.blocks[k][row * kBm3dSide + column] = sum;
  }
  __syncthreads();
  for (int i = threadIdx.x; i < cells; i += blockDim.x) {
    const int k = i / kBm3dArea, row = i % kBm3dArea / kBm3dSide, column = i % kBm3dSide;
    float sum = matrix[column * kBm3dSide] * spare.blocks[k][row * kBm3dSide];
#pragma unroll
    for (int j = 1; j < kBm3dSide; ++j) sum += matrix[column * kBm3dSide + j] * spare.blocks[k][row * kBm3dSide + j];
    group.blocks[k][row * kBm3dSide + column] = sum;
  }
  __syncthreads();
}

/// Walsh–Hadamard along the group, without the factor 1/√count.
__device__ void along_group(Group& group, int count) {
  for (int half = 1; half < count; half *= 2) {
    for (int i = threadIdx.x; i < count / 2 * kBm3dArea; i += blockDim.x) {
      const int pair = i / kBm3dArea, cell = i % kBm3dArea;
      const int k = pair / half * 2 * half + pair % half;
      const float a = group.blocks[k][cell], b = group.blocks[k + half][cell];
      group.blocks[k][cell] = a + b;
      group.blocks[k + half][cell] = a - b;
    }
    __syncthreads();
  }
}

/// Sum over the threads in a fixed order, for all of them. `room` has an element for each warp.
__device__ float sum_over_block(float value, float* room) {
#pragma unroll
  for (int offset = kLanes / 2; offset > 0; offset /= 2) value += __shfl_down_sync(kWarp, value, offset);
  __syncthreads();
  if (threadIdx.x % kLanes == 0) room[threadIdx.x / kLanes] = value;
  __syncthreads();
  float sum = 0.0f;
  for (int i = 0; i < kThreads / kLanes; ++i) sum += room[i];
  return sum;
}

__device__ void load_group(const float* plane, int64_t width, const int* ys, const int* xs, int count, Group& group) {
  for (int i = threadIdx.x; i < count * kBm3dArea; i += blockDim.x) {
    const int k = i / kBm3dArea, cell = i % kBm3dArea;
    group.blocks[k][cell] = plane[(ys[k] + cell / kBm3dSide) * width + xs[k] + cell % kBm3dSide];
  }
}

__device__ void add_fixed(int64_t* to, float value) {
  atomicAdd(reinterpret_cast<unsigned long long*>(to),
            static_cast<unsigned long long>(__double2ll_rn(static_cast<double>(value) * kFixed)));
}

template <bool wiener>
__global__ void __launch_bounds__(kThreads) filter_kernel(const float* noisy, const float* basic, Bm3dImage size,
                                                          Bm3dStage stage, const Bm3dTables* tables, Bm3dRoom room) {
  __shared__ Group group, spare;
  __shared__ std::conditional_t<wiener, Group, Nothing> guess;
  __shared__ float matrices[2][kBm3dArea];
  __shared__ float window[kBm3dArea];
  __shared__ float partial[kThreads / kLanes];
  __shared__ int ys[kBm3dMostBlocks], xs[kBm3dMostBlocks];
  const Bm3dTransform& transforms = wiener ? tables->cosine : tables->wavelet;
  for (int i = threadIdx.x; i < kBm3dArea; i += blockDim.x) {
    matrices[0][i] = transforms.forward[i];
    matrices[1][i] = transforms.inverse[i];
    window[i] = tables->window[i];
  }
  for (int64_t n = blockIdx.x; n < size.blocks(); n += gridDim.x) {
    const int count = room.counts[n];
    __syncthreads();  // the last round still reads the places
    if (threadIdx.x < count) {
      const uint32_t order = room.found[n * kLanes + threadIdx.x];
      const int side = 2 * stage.reach + 1, place = static_cast<int>(order) - 1;
      const int dy = order == 0 ? 0 : place / side - stage.reach, dx = order == 0 ? 0 : place % side - stage.reach;
      ys[threadIdx.x] = static_cast<int>(bm3d_reference(n / size.columns(), size.height)) + dy;
      xs[threadIdx.x] = static_cast<int>(bm3d_reference(n % size.columns(), size.width)) + dx;
    }
    __syncthreads();
    const auto blocks = static_cast<float>(count);
    for (int channel = 0; channel < size.channels; ++channel) {
      load_group(noisy + channel * size.area(), size.width, ys, xs, count, group);
      transform(matrices[0], group, spare, count);
      along_group(group, count);
      float weight;
      const float sigma = stage.sigma[channel];
      if constexpr (wiener) {
        load_group(basic + channel * size.area(), size.width, ys, xs, count, guess);
        transform(matrices[0], guess, spare, count);
        along_group(guess, count);
        const float variance = sigma * sigma * blocks;
        float norm = 0.0f;
        for (int i = threadIdx.x; i < count * kBm3dArea; i += blockDim.x) {
          float& c = group.blocks[i / kBm3dArea][i % kBm3dArea];
          const float power = guess.blocks[i / kBm3dArea][i % kBm3dArea];
          const float total = power * power + variance;
          // A coefficient without power or of one that is not finite is left as it is.
          const bool usable = total > 0.0f && total < kBm3dInfinity;
          const float share = usable ? variance / total : 0.0f;
          norm += (1.0f - share) * (1.0f - share);
          c = usable ? c * share : 0.0f;
        }
        weight = bm3d_weight_of_norm(sum_over_block(norm, partial));
      } else {
        const float threshold = kBm3dThreshold * sigma * sqrtf(blocks);
        int dropped = 0;
        for (int i = threadIdx.x; i < count * kBm3dArea; i += blockDim.x) {
          float& c = group.blocks[i / kBm3dArea][i % kBm3dArea];
          const bool drop = fabsf(c) < threshold;
          dropped += drop;
          c = drop ? c : 0.0f;
        }
        // Whole numbers below 2²⁴: the sum is exact.
        const auto total = static_cast<int32_t>(sum_over_block(static_cast<float>(dropped), partial));
        weight = bm3d_weight_of_kept(count * kBm3dArea - total);
      }
      __syncthreads();
      along_group(group, count);
      transform(matrices[1], group, spare, count);
      const float back = 1.0f / blocks;
      int64_t* values = room.values + channel * size.area();
      int64_t* weights = room.weights + channel * size.area();
      for (int i = threadIdx.x; i < count * kBm3dArea; i += blockDim.x) {
        const int k = i / kBm3dArea, cell = i % kBm3dArea;
        const int64_t at = (ys[k] + cell / kBm3dSide) * size.width + xs[k] + cell % kBm3dSide;
        const float noise = fminf(fmaxf(group.blocks[k][cell] * back, -kMostNoise), kMostNoise);
        const float by = window[cell] * weight;
        add_fixed(values + at, noise * by);
        add_fixed(weights + at, by);
      }
      __syncthreads();
    }
  }
}

__global__ void clear_kernel(int64_t count, Bm3dRoom room) {
  VISION_NATIVE_PIXELS(i, count) {
    room.values[i] = 0;
    room.weights[i] = 0;
  }
}

/// Every pixel is in a block of reference, so that no weight is 0.
__global__ void subtract_kernel(const float* noisy, int64_t count, Bm3dRoom room, float* out) {
  VISION_NATIVE_PIXELS(i, count) {
    out[i] = noisy[i] - static_cast<float>(static_cast<double>(room.values[i]) / static_cast<double>(room.weights[i]));
  }
}

__global__ void to_planes_kernel(const float* image, int64_t area, float* planes) {
  VISION_NATIVE_PIXELS(i, area) {
    const float red = image[i], green = image[area + i], blue = image[2 * area + i];
    planes[i] = (red + green + blue) * (1.0f / 3.0f);
    planes[area + i] = (red - blue) * 0.5f;
    planes[2 * area + i] = (red - 2.0f * green + blue) * 0.25f;
  }
}

__global__ void from_planes_kernel(const float* planes, int64_t area, float* image) {
  VISION_NATIVE_PIXELS(i, area) {
    const float luma = planes[i], u = planes[area + i], v = planes[2 * area + i];
    const float both = luma + v * (2.0f / 3.0f);
    image[i] = both + u;
    image[area + i] = luma - v * (4.0f / 3.0f);
    image[2 * area + i] = both - u;
  }
}

template <class Kernel>
void launch_planes(Kernel kernel, const float* from, const Bm3dImage& size, float* to, cudaStream_t stream) {
  if (size.channels == 1) {
    check_cuda(cudaMemcpyAsync(to, from, size.area() * sizeof(float), cudaMemcpyDeviceToDevice, stream), "copying a plane");
    return;
  }
  kernel<<<blocks_for(size.area()), kThreads, 0, stream>>>(from, size.area(), to);
  check_launch("planes of BM3D");
}

}  // namespace

void launch_bm3d_to_planes(const float* image, const Bm3dImage& size, float* planes, cudaStream_t stream) {
  launch_planes(to_planes_kernel, image, size, planes, stream);
}

void launch_bm3d_from_planes(const float* planes, const Bm3dImage& size, float* image, cudaStream_t stream) {
  launch_planes(from_planes_kernel, planes, size, image, stream);
}

void launch_bm3d_stage(const float* noisy, const float* basic, const Bm3dImage& size, const Bm3dStage& stage,
                       const Bm3dTables* tables, const Bm3dRoom& room, float* out, cudaStream_t stream) {
  const int64_t count = size.channels * size.area();
  clear_kernel<<<blocks_for(count), kThreads, 0, stream>>>(count, room);
  check_launch("clear_kernel");
  search_kernel<<<blocks_for(size.blocks() * kLanes), kThreads, 0, stream>>>(
      stage.wiener ? basic : noisy, size, stage.reach, stage.most_blocks, stage.limit, room);
  check_launch("search_kernel");
  const auto blocks = static_cast<unsigned>(std::min(size.blocks(), kMostBlocksX));
  if (stage.wiener) {
    filter_kernel<true><<<blocks, kThreads, 0, stream>>>(noisy, basic, size, stage, tables, room);
  } else {
    filter_kernel<false><<<blocks, kThreads, 0, stream>>>(noisy, basic, size, stage, tables, room);
  }
  check_launch("filter_kernel");
  subtract_kernel<<<blocks_for(count), kThreads, 0, stream>>>(noisy, count, room, out);
  check_launch("subtract_kernel");
}

}  // namespace vision_native::cuda
