// Exact searches among rows on CUDA. Products are made in tiles of 64 queries and 64 rows and stored as ranks of a chunk of
// the base; a block a query goes through them with a threshold, and sorts the few that pass it with the best so far.
#include "cuda/topk_cosine.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "cuda/launch.cuh"
#include "torch/ops/knn_key.h"

namespace vision_native::cuda {

namespace {

constexpr int kTile = 64;
constexpr int kSteps = 16;
constexpr int kEach = 4;

// ---- What rows are made of ------------------------------------------------------------------------------------------

template <typename A>
struct Numbers {
  using Element = A;
  using Sum = A;
  using Rank = typename KeyOf<A>::Bits;
  using Key = typename KeyOf<A>::Key;
  using Score = A;
  using Inverse = A;

  static __host__ __device__ int64_t steps(int64_t dims) { return dims; }
  static __device__ Element load(const void* rows, int64_t dims, int64_t row, int64_t step) {
    return static_cast<const A*>(rows)[row * dims + step];
  }
  static __device__ Sum add(Element a, Element b, Sum sum) { return fma(a, b, sum); }
  static __device__ Rank rank(Sum sum, A query, A base) {
    return static_cast<Rank>(score_key<A>((sum * base) * query, 0) >> 32);
  }
  static __device__ Score score(Key key) { return score_of<A>(key); }
};

struct Codes {
  using Element = int;
  using Sum = int;
  using Rank = uint32_t;
  using Key = uint64_t;
  using Score = float;
  using Inverse = float;

  static __host__ __device__ int64_t steps(int64_t dims) { return (dims + 3) / 4; }
  static __device__ Element load(const void* rows, int64_t dims, int64_t row, int64_t step) {
    const int8_t* codes = static_cast<const int8_t*>(rows) + row * dims;
    uint32_t four = 0;
    for (int i = 0; i < 4; ++i) {
      const int64_t d = 4 * step + i;
      if (d < dims) four |= static_cast<uint32_t>(static_cast<uint8_t>(codes[d])) << (8 * i);
    }
    return static_cast<int>(four);
  }
  static __device__ Sum add(Element a, Element b, Sum sum) { return __dp4a(a, b, sum); }
  static __device__ Rank rank(Sum sum, float query, float base) {
    return static_cast<Rank>(score_key<float>((static_cast<float>(sum) * base) * query, 0) >> 32);
  }
  static __device__ Score score(Key key) { return score_of<float>(key); }
};

struct Bits {
  using Element = unsigned long long;
  using Sum = int;
  using Rank = uint32_t;
  using Key = uint64_t;
  using Score = int32_t;
  using Inverse = float;

  static __host__ __device__ int64_t steps(int64_t dims) { return dims; }
  static __device__ Element load(const void* rows, int64_t dims, int64_t row, int64_t step) {
    return static_cast<const unsigned long long*>(rows)[row * dims + step];
  }
  static __device__ Sum add(Element a, Element b, Sum sum) { return sum + __popcll(a ^ b); }
  static __device__ Rank rank(Sum sum, float, float) { return static_cast<Rank>(sum); }
  static __device__ Score score(Key key) { return static_cast<int32_t>(key >> 32); }
};

// ---- Ranks ----------------------------------------------------------------------------------------------------------

/// Ranks of rows `first` to `first + count` for every query, [Q, chunk].
template <class Rows>
__global__ void __launch_bounds__(kThreads) rank_rows(RowSearch search, int64_t first, int64_t count) {
  using Element = typename Rows::Element;
  using Inverse = typename Rows::Inverse;
  __shared__ Element queries[kSteps][kTile + 1], rows[kSteps][kTile + 1];
  const int64_t steps = Rows::steps(search.dims);
  const int64_t row_start = static_cast<int64_t>(blockIdx.x) * kTile;
  const int x = threadIdx.x % (kTile / kEach), y = threadIdx.x / (kTile / kEach);
  for (int64_t query_start = static_cast<int64_t>(blockIdx.y) * kTile; query_start < search.query_count;
       query_start += static_cast<int64_t>(gridDim.y) * kTile) {
    typename Rows::Sum sums[kEach][kEach] = {};
    for (int64_t start = 0; start < steps; start += kSteps) {
      for (int i = threadIdx.x; i < kTile * kSteps; i += kThreads) {
        const int step = i % kSteps, row = i / kSteps;
        const bool inside = start + step < steps;
        const bool query = inside && query_start + row < search.query_count;
        const bool base = inside && row_start + row < count;
        queries[step][row] =
            query ? Rows::load(search.queries, search.dims, query_start + row, start + step) : Element(0);
        rows[step][row] =
            base ? Rows::load(search.base, search.dims, first + row_start + row, start + step) : Element(0);
      }
      __syncthreads();
#pragma unroll
      for (int step = 0; step < kSteps; ++step) {
        Element a[kEach], b[kEach];
#pragma unroll
        for (int i = 0; i < kEach; ++i) a[i] = queries[step][y + i * (kTile / kEach)];
#pragma unroll
        for (int i = 0; i < kEach; ++i) b[i] = rows[step][x + i * (kTile / kEach)];
#pragma unroll
        for (int i = 0; i < kEach; ++i) {
#pragma unroll
          for (int j = 0; j < kEach; ++j) sums[i][j] = Rows::add(a[i], b[j], sums[i][j]);
        }
      }
      __syncthreads();
    }
    for (int i = 0; i < kEach; ++i) {
      const int64_t q = query_start + y + i * (kTile / kEach);
      if (q >= search.query_count) continue;
      for (int j = 0; j < kEach; ++j) {
        const int64_t row = row_start + x + j * (kTile / kEach);
        if (row >= count) continue;
        const auto* of_queries = static_cast<const Inverse*>(search.query_inverses);
        const auto* of_rows = static_cast<const Inverse*>(search.base_inverses);
        const Inverse query = of_queries == nullptr ? Inverse(1) : of_queries[q];
        const Inverse base = of_rows == nullptr ? Inverse(1) : of_rows[first + row];
        static_cast<typename Rows::Rank*>(search.ranks)[q * search.chunk + row] = Rows::rank(sums[i][j], query, base);
      }
    }
  }
}

/// Bitonic sort of `count` keys, a power of two, by the whole block.
template <typename Key>
__device__ void sort(Key* keys, int count) {
  for (int size = 2; size <= count; size *= 2) {
    for (int step = size / 2; step > 0; step /= 2) {
      __syncthreads();
      for (int i = threadIdx.x; i < count / 2; i += kThreads) {
        const int low = 2 * step * (i / step) + i % step;
        const int high = low + step;
        const bool rising = (low & size) == 0;
        const Key a = keys[low], b = keys[high];
        if ((b < a) == rising) {
          keys[low] = b;
          keys[high] = a;
        }
      }
    }
  }
  __syncthreads();
}

/// Joins the ranks of a chunk to the best keys of each query. `wanted` keys are kept, in order, those above `previous`: the
/// last of the pass before.
template <class Rows, int kRoom>
__global__ void __launch_bounds__(kThreads)
    select(RowSearch search, int64_t first, int64_t count, int64_t pass, int wanted, bool start, bool end) {
  using Key = typename Rows::Key;
  static_assert(kRoom >= kThreads);
  // The best so far, and those that may join them.
  __shared__ Key keys[2 * kRoom];
  __shared__ int waiting;
  for (int64_t q = blockIdx.x; q < search.query_count; q += gridDim.x) {
    Key* best = static_cast<Key*>(search.keys) + q * kSearchPass;
    const auto* ranks = static_cast<const typename Rows::Rank*>(search.ranks) + q * search.chunk;
    Key previous = 0;
    const bool follows = pass > 0;
    if (follows) {
      const typename Rows::Score score = static_cast<const typename Rows::Score*>(search.scores)[q * search.k + pass - 1];
      const uint32_t index = static_cast<uint32_t>(search.indices[q * search.k + pass - 1]);
      if constexpr (sizeof(Key) == 8 && sizeof(typename Rows::Sum) == 4 && !std::is_same_v<typename Rows::Score, float>) {
        previous = static_cast<Key>(static_cast<uint32_t>(score)) << 32 | index;
      } else {
        previous = score_key(score, index);
      }
    }
    for (int i = threadIdx.x; i < 2 * kRoom; i += kThreads) keys[i] = !start && i < wanted ? best[i] : ~Key{0};
    if (threadIdx.x == 0) waiting = 0;
    __syncthreads();
    Key limit = keys[wanted - 1];
    // As many turns for every thread.
    for (int64_t from = 0; from < count; from += kThreads) {
      const int64_t i = from + threadIdx.x;
      if (i < count) {
        const Key key = static_cast<Key>(ranks[i]) << 32 | static_cast<uint32_t>(first + i);
        if (key < limit && (!follows || key > previous)) keys[kRoom + atomicAdd(&waiting, 1)] = key;
      }
      __syncthreads();
      const bool full = waiting + kThreads > kRoom;
      __syncthreads();
      if (!full) continue;
      sort(keys, 2 * kRoom);
      for (int j = kRoom + threadIdx.x; j < 2 * kRoom; j += kThreads) keys[j] = ~Key{0};
      if (threadIdx.x == 0) waiting = 0;
      limit = keys[wanted - 1];
      __syncthreads();
    }
    sort(keys, 2 * kRoom);
    for (int i = threadIdx.x; i < wanted; i += kThreads) {
      best[i] = keys[i];
      if (!end) continue;
      static_cast<typename Rows::Score*>(search.scores)[q * search.k + pass + i] = Rows::score(keys[i]);
      search.indices[q * search.k + pass + i] = static_cast<uint32_t>(keys[i]);
    }
    __syncthreads();
  }
}

template <class Rows>
void search_rows(const RowSearch& search, cudaStream_t stream) {
  const unsigned blocks = static_cast<unsigned>(std::min(search.query_count, kMostBlocksX));
  const unsigned query_tiles = rows_for((search.query_count + kTile - 1) / kTile);
  for (int64_t pass = 0; pass < search.k; pass += kSearchPass) {
    const int wanted = static_cast<int>(std::min(kSearchPass, search.k - pass));
    for (int64_t first = 0; first < search.rows; first += search.chunk) {
      const int64_t count = std::min(search.chunk, search.rows - first);
      const dim3 grid(static_cast<unsigned>((count + kTile - 1) / kTile), query_tiles);
      rank_rows<Rows><<<grid, kThreads, 0, stream>>>(search, first, count);
      check_launch("ranks of rows");
      const bool start = first == 0, end = first + count == search.rows;
      if (wanted <= kThreads) {
        select<Rows, kThreads><<<blocks, kThreads, 0, stream>>>(search, first, count, pass, wanted, start, end);
      } else {
        select<Rows, kSearchPass><<<blocks, kThreads, 0, stream>>>(search, first, count, pass, wanted, start, end);
      }
      check_launch("selection of rows");
    }
  }
}

// ---- Lengths --------------------------------------------------------------------------------------------------------

template <typename T, typename A>
__global__ void __launch_bounds__(kThreads)
    invert(const T* rows, const A* norms, int64_t count, int64_t dims, A* inverses) {
  const int lane = threadIdx.x % 32;
  const int64_t warps = static_cast<int64_t>(gridDim.x) * (kThreads / 32);
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * (kThreads / 32) + threadIdx.x / 32; i < count; i += warps) {
    A norm = 0;
    if (norms != nullptr) {
      norm = norms[i];
    } else {
      for (int64_t d = lane; d < dims; d += 32) norm += static_cast<A>(rows[i * dims + d]) * static_cast<A>(rows[i * dims + d]);
      for (int by = 16; by > 0; by /= 2) norm += __shfl_xor_sync(0xffffffffu, norm, by);
      norm = sqrt(norm);
    }
    if (lane == 0) inverses[i] = norm == 0 ? A(0) : A(1) / norm;
  }
}

// ---- Codes and bits -------------------------------------------------------------------------------------------------

template <typename T>
__global__ void __launch_bounds__(kThreads) quantize(const T* input, int64_t rows, int64_t dims, int8_t* codes, float* scales) {
  const int lane = threadIdx.x % 32;
  const int64_t warps = static_cast<int64_t>(gridDim.x) * (kThreads / 32);
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * (kThreads / 32) + threadIdx.x / 32; i < rows; i += warps) {
    float largest = 0;
    bool finite = true;
    for (int64_t d = lane; d < dims; d += 32) {
      const float value = static_cast<float>(input[i * dims + d]);
      finite = finite && isfinite(value);
      largest = fmaxf(largest, fabsf(value));
    }
    for (int by = 16; by > 0; by /= 2) largest = fmaxf(largest, __shfl_xor_sync(0xffffffffu, largest, by));
    finite = __all_sync(0xffffffffu, finite);
    if (lane == 0) scales[i] = finite ? largest / 127.0f : __int_as_float(0x7fc00000);
    for (int64_t d = lane; d < dims; d += 32) {
      const float value = static_cast<float>(input[i * dims + d]);
      codes[i * dims + d] = finite && largest > 0 ? static_cast<int8_t>(rintf(value / largest * 127.0f)) : int8_t(0);
    }
  }
}

template <typename T>
__global__ void __launch_bounds__(kThreads) pack(const T* input, int64_t rows, int64_t dims, uint64_t* words) {
  const int64_t across = (dims + 63) / 64;
  VISION_NATIVE_PIXELS(i, rows * across) {
    const T* row = input + i / across * dims;
    const int64_t start = i % across * 64;
    uint64_t word = 0;
    for (int bit = 0; bit < 64 && start + bit < dims; ++bit) {
      word |= static_cast<uint64_t>(static_cast<double>(static_cast<float>(row[start + bit])) > 0) << bit;
    }
    words[i] = word;
  }
}

template <>
__global__ void __launch_bounds__(kThreads) pack(const double* input, int64_t rows, int64_t dims, uint64_t* words) {
  const int64_t across = (dims + 63) / 64;
  VISION_NATIVE_PIXELS(i, rows * across) {
    const double* row = input + i / across * dims;
    const int64_t start = i % across * 64;
    uint64_t word = 0;
    for (int bit = 0; bit < 64 && start + bit < dims; ++bit) word |= static_cast<uint64_t>(row[start + bit] > 0) << bit;
    words[i] = word;
  }
}

template <typename T>
void quantize_and_check(const void* input, int64_t rows, int64_t dims, int8_t* codes, float* scales, cudaStream_t stream) {
  quantize<T><<<blocks_for(rows * 32), kThreads, 0, stream>>>(static_cast<const T*>(input), rows, dims, codes, scales);
  check_launch("quantization of rows");
}

template <typename T>
void pack_and_check(const void* input, int64_t rows, int64_t dims, uint64_t* words, cudaStream_t stream) {
  const int64_t count = rows * ((dims + 63) / 64);
  pack<T><<<blocks_for(count), kThreads, 0, stream>>>(static_cast<const T*>(input), rows, dims, words);
  check_launch("packing of bits");
}

}  // namespace

void launch_row_inverses(RowType type, const void* rows, const void* norms, int64_t count, int64_t dims, void* inverses,
                         cudaStream_t stream) {
  if (count == 0) return;
  const unsigned blocks = blocks_for(count * 32);
  if (type == RowType::kDouble) {
    invert<<<blocks, kThreads, 0, stream>>>(static_cast<const double*>(rows), static_cast<const double*>(norms), count,
                                            dims, static_cast<double*>(inverses));
  } else if (type == RowType::kCodes) {
    invert<<<blocks, kThreads, 0, stream>>>(static_cast<const int8_t*>(rows), static_cast<const float*>(norms), count,
                                            dims, static_cast<float*>(inverses));
  } else {
    invert<<<blocks, kThreads, 0, stream>>>(static_cast<const float*>(rows), static_cast<const float*>(norms), count,
                                            dims, static_cast<float*>(inverses));
  }
  check_launch("lengths of rows");
}

void launch_row_search(const RowSearch& search, cudaStream_t stream) {
  switch (search.type) {
    case RowType::kFloat: return search_rows<Numbers<float>>(search, stream);
    case RowType::kDouble: return search_rows<Numbers<double>>(search, stream);
    case RowType::kCodes: return search_rows<Codes>(search, stream);
    case RowType::kBits: return search_rows<Bits>(search, stream);
  }
}

void launch_quantize_rows(const void* input, InputType type, int64_t rows, int64_t dims, int8_t* codes, float* scales,
                          cudaStream_t stream) {
  if (rows == 0) return;
  switch (type) {
    case InputType::kHalf: return quantize_and_check<__half>(input, rows, dims, codes, scales, stream);
    case InputType::kBFloat16: return quantize_and_check<__nv_bfloat16>(input, rows, dims, codes, scales, stream);
    case InputType::kFloat: return quantize_and_check<float>(input, rows, dims, codes, scales, stream);
    case InputType::kDouble: return quantize_and_check<double>(input, rows, dims, codes, scales, stream);
  }
}

void launch_pack_bits(const void* input, InputType type, int64_t rows, int64_t dims, uint64_t* words,
                      cudaStream_t stream) {
  if (rows == 0) return;
  switch (type) {
    case InputType::kHalf: return pack_and_check<__half>(input, rows, dims, words, stream);
    case InputType::kBFloat16: return pack_and_check<__nv_bfloat16>(input, rows, dims, words, stream);
    case InputType::kFloat: return pack_and_check<float>(input, rows, dims, words, stream);
    case InputType::kDouble: return pack_and_check<double>(input, rows, dims, words, stream);
  }
}

}  // namespace vision_native::cuda
