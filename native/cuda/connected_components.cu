// Connected components on CUDA: union-find over places with atomicMin (Komura 2015; Playne, Hawick 2018). A place's parent
// never comes after it, so that the root of a component is its first place in raster order, whatever the order of the
// threads; numbering the roots in that order gives the labels of the CPU.
#include "cuda/connected_components.h"
#include "cuda/launch.cuh"

namespace vision_native::cuda {

namespace {

constexpr unsigned kWarp = 0xffffffffu;

/// `count`, up to whole warps: votes need all lanes.
__host__ __device__ int64_t whole_warps(int64_t count) { return (count + 31) / 32 * 32; }

// Other threads write to parents meanwhile; any value they had leads to the same root.
__device__ int32_t parent_of(const int32_t* parent, int32_t i) { return *static_cast<const volatile int32_t*>(parent + i); }

__device__ int32_t root_of(const int32_t* parent, int32_t i) {
  for (int32_t next = parent_of(parent, i); next != i; next = parent_of(parent, i)) i = next;
  return i;
}

__device__ void unite(int32_t* parent, int32_t a, int32_t b) {
  while (true) {
    a = root_of(parent, a);
    b = root_of(parent, b);
    if (a == b) return;
    if (a < b) {
      const int32_t larger = b;
      b = a;
      a = larger;
    }
    const int32_t before = atomicMin(parent + a, b);
    if (before == a) return;
    // Another thread has given `a` a parent; that one and b are of one component now.
    a = before;
  }
}

/// The lanes from the first of the lane's run to the lane itself, less one. Bit i of `joined`: lane i is of lane i − 1's run.
__device__ int lanes_before(unsigned joined, int lane) {
  const int ones = __clz(~(joined << (31 - lane)));
  return ones < lane ? ones : lane;
}

/// Parents are the first places of runs within a warp.
template <typename T>
__global__ void begin_kernel(const T* values, LabelVolume volume, int32_t* parent) {
  const int64_t count = volume.voxels();
  VISION_NATIVE_IMAGES(n, volume.batch) {
    const T* image = values + n * count;
    VISION_NATIVE_PIXELS(i, whole_warps(count)) {
      const bool inside = i < count;
      const T value = inside ? image[i] : T{0};
      const bool joined = inside && value != T{0} && i % volume.width != 0 && image[i - 1] == value;
      const unsigned all = __ballot_sync(kWarp, joined);
      const int lane = threadIdx.x % 32;
      if (inside) parent[n * count + i] = value == T{0} ? -1 : static_cast<int32_t>(i - lanes_before(all, lane));
    }
  }
}

/// Rows seen before a place's own that touch it.
struct RowsBehind {
  int count;
  int8_t plane[4], row[4];
  bool diagonal[4];
};

template <typename T>
__global__ void unite_kernel(const T* values, LabelVolume volume, RowsBehind rows, int32_t* parents) {
  const int64_t count = volume.voxels();
  VISION_NATIVE_IMAGES(n, volume.batch) {
    const T* image = values + n * count;
    int32_t* parent = parents + n * count;
    VISION_NATIVE_PIXELS(i, count) {
      const T value = image[i];
      if (value == T{0}) continue;
      const int64_t x = i % volume.width, y = i / volume.width % volume.height, z = i / volume.width / volume.height;
      const bool left = x > 0 && image[i - 1] == value;
      const bool right = x + 1 < volume.width && image[i + 1] == value;
      const int32_t place = static_cast<int32_t>(i);
      // Runs were joined within warps; blocks begin at multiples of 32.
      if (left && threadIdx.x % 32 == 0) unite(parent, place, place - 1);
      for (int k = 0; k < rows.count; ++k) {
        if (z + rows.plane[k] < 0 || y + rows.row[k] < 0 || y + rows.row[k] >= volume.height) continue;
        const int64_t other = i + (rows.plane[k] * volume.height + rows.row[k]) * volume.width;
        const auto touches = [&](int64_t at) { return image[at] == value; };
        if (touches(other)) {
          // The place to the left does the same where its run and the other's go on there.
          if (!(left && touches(other - 1))) unite(parent, place, static_cast<int32_t>(other));
          continue;
        }
        if (!rows.diagonal[k]) continue;
        // A neighbour of this run has the diagonal one straight behind it.
        if (x > 0 && !left && touches(other - 1)) unite(parent, place, static_cast<int32_t>(other - 1));
        if (x + 1 < volume.width && !right && touches(other + 1)) unite(parent, place, static_cast<int32_t>(other + 1));
      }
    }
  }
}

__global__ void flatten_kernel(LabelVolume volume, int32_t* parents, int32_t* roots) {
  const int64_t count = volume.voxels();
  VISION_NATIVE_IMAGES(n, volume.batch) {
    int32_t* parent = parents + n * count;
    VISION_NATIVE_PIXELS(i, count) {
      const int32_t place = static_cast<int32_t>(i);
      int32_t root = -1;
      if (parent_of(parent, place) >= 0) {
        root = root_of(parent, place);
        // Others that pass here find the root sooner, or the parent that was.
        *static_cast<volatile int32_t*>(parent + i) = root;
      }
      roots[n * count + i] = root == place;
    }
  }
}

__global__ void number_kernel(const int32_t* numbers, LabelVolume volume, int32_t* labels) {
  const int64_t count = volume.voxels();
  VISION_NATIVE_IMAGES(n, volume.batch) {
    VISION_NATIVE_PIXELS(i, count) {
      const int32_t root = labels[n * count + i];
      labels[n * count + i] = root < 0 ? 0 : numbers[n * count + root];
    }
  }
}

RowsBehind rows_behind(int64_t connectivity) {
  switch (connectivity) {
    case 4: return {1, {0}, {-1}, {false}};
    case 8: return {1, {0}, {-1}, {true}};
    case 6: return {2, {-1, 0}, {0, -1}, {false, false}};
    case 18: return {4, {-1, -1, -1, 0}, {-1, 0, 1, -1}, {false, true, false, true}};
    default: return {4, {-1, -1, -1, 0}, {-1, 0, 1, -1}, {true, true, true, true}};
  }
}

template <typename T>
void components(const void* values, const LabelVolume& volume, int64_t connectivity, int32_t* parent, int32_t* roots,
                cudaStream_t stream) {
  const T* typed = static_cast<const T*>(values);
  const dim3 blocks(blocks_for(volume.voxels()), rows_for(volume.batch));
  begin_kernel<<<blocks, kThreads, 0, stream>>>(typed, volume, parent);
  check_launch("begin_kernel");
  unite_kernel<<<blocks, kThreads, 0, stream>>>(typed, volume, rows_behind(connectivity), parent);
  check_launch("unite_kernel");
  flatten_kernel<<<blocks, kThreads, 0, stream>>>(volume, parent, roots);
  check_launch("flatten_kernel");
}

// ---- Statistics -----------------------------------------------------------------------------------------------------

using Wide = unsigned long long;

__global__ void clear_kernel(int64_t labels, int dims, LabelSums sums) {
  VISION_NATIVE_PIXELS(i, labels) {
    sums.area[i] = 0;
    for (int axis = 0; axis < dims; ++axis) {
      sums.box[i * 2 * dims + axis] = INT64_MAX;
      sums.box[i * 2 * dims + dims + axis] = -1;
      sums.sum[i * dims + axis] = 0;
    }
  }
}

/// The first lane of each run within a warp adds the run. Sums are whole numbers, so that their order does not matter.
__global__ void add_kernel(const int32_t* labels, LabelVolume volume, int64_t largest, int dims, LabelSums sums) {
  const int64_t count = volume.voxels();
  VISION_NATIVE_IMAGES(n, volume.batch) {
    const int32_t* image = labels + n * count;
    VISION_NATIVE_PIXELS(i, whole_warps(count)) {
      const bool inside = i < count;
      const int32_t label = inside ? image[i] : -1;
      const bool joined = inside && i % volume.width != 0 && image[i - 1] == label;
      const unsigned all = __ballot_sync(kWarp, joined);
      const int lane = threadIdx.x % 32;
      if (!inside || (joined && lane != 0)) continue;
      if (label < 0 || label > largest) {
        *sums.wrong = 1;
        continue;
      }
      const unsigned after = lane == 31 ? 0u : all >> (lane + 1);
      const int64_t length = 1 + (after == kWarp ? 31 : __ffs(~after) - 1);
      const int64_t place[3] = {i / volume.width / volume.height, i / volume.width % volume.height, i % volume.width};
      const int64_t at = n * (largest + 1) + label;
      atomicAdd(reinterpret_cast<Wide*>(sums.area + at), static_cast<Wide>(length));
      for (int axis = 0; axis < dims; ++axis) {
        const int64_t low = place[axis + 3 - dims];
        const int64_t high = axis == dims - 1 ? low + length - 1 : low;
        atomicMin(reinterpret_cast<long long*>(sums.box + at * 2 * dims + axis), static_cast<long long>(low));
        atomicMax(reinterpret_cast<long long*>(sums.box + at * 2 * dims + dims + axis), static_cast<long long>(high));
        atomicAdd(reinterpret_cast<Wide*>(sums.sum + at * dims + axis), static_cast<Wide>((low + high) * length / 2));
      }
    }
  }
}

__global__ void finish_kernel(int64_t labels, int dims, LabelSums sums, double* centroid) {
  VISION_NATIVE_PIXELS(i, labels) {
    for (int axis = 0; axis < dims; ++axis) {
      if (sums.area[i] == 0) sums.box[i * 2 * dims + axis] = 0;
      ++sums.box[i * 2 * dims + dims + axis];
      centroid[i * dims + axis] = static_cast<double>(sums.sum[i * dims + axis]) / static_cast<double>(sums.area[i]);
    }
  }
}

}  // namespace

void launch_components(const void* values, int bytes, const LabelVolume& volume, int64_t connectivity, int32_t* parent,
                       int32_t* roots, cudaStream_t stream) {
  const auto launch = bytes == 1   ? components<uint8_t>
                      : bytes == 2 ? components<uint16_t>
                      : bytes == 4 ? components<uint32_t>
                                   : components<uint64_t>;
  launch(values, volume, connectivity, parent, roots, stream);
}

void launch_numbering(const int32_t* numbers, const LabelVolume& volume, int32_t* labels, cudaStream_t stream) {
  const dim3 blocks(blocks_for(volume.voxels()), rows_for(volume.batch));
  number_kernel<<<blocks, kThreads, 0, stream>>>(numbers, volume, labels);
  check_launch("number_kernel");
}

void launch_statistics(const int32_t* labels, const LabelVolume& volume, int64_t count, int dims, const LabelSums& sums,
                       double* centroid, cudaStream_t stream) {
  const int64_t rows = volume.batch * (count + 1);
  clear_kernel<<<blocks_for(rows), kThreads, 0, stream>>>(rows, dims, sums);
  check_launch("clear_kernel");
  if (volume.voxels() > 0) {
    const dim3 blocks(blocks_for(volume.voxels()), rows_for(volume.batch));
    add_kernel<<<blocks, kThreads, 0, stream>>>(labels, volume, count, dims, sums);
    check_launch("add_kernel");
  }
  finish_kernel<<<blocks_for(rows), kThreads, 0, stream>>>(rows, dims, sums, centroid);
  check_launch("finish_kernel");
}

}  // namespace vision_native::cuda
