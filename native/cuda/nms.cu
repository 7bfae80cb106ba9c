// Non-maximum suppression. Pairs are compared 64 × 64 at a time into bits, for a band of rows whose memory is bounded; one
// block then goes through the rows of the band, 64 at a time, and ORs those that stay into what is removed. Nothing is
// read back between bands.
#include "cuda/launch.cuh"
#include "cuda/nms.h"
#include "torch/ops/nms_overlap.h"

namespace vision_native::cuda {

namespace {

constexpr int kWord = 64;
constexpr int kReducers = 1024;
/// Words of bits in a band: 64 MiB.
constexpr int64_t kBandWords = int64_t{1} << 23;

template <typename T>
__device__ inline NmsBox<T> box_at(const T* corners, int64_t i) {
  return nms_box(corners[4 * i], corners[4 * i + 1], corners[4 * i + 2], corners[4 * i + 3]);
}

/// Block (x, y) compares 64 rows of the band with 64 columns; a thread makes the word of a row.
template <typename T>
__global__ void compare(NmsBoxes<T> boxes, int64_t first, int64_t rows, int64_t words, const uint64_t* removed,
                        uint64_t* bits) {
  __shared__ NmsBox<T> columns[kWord];
  __shared__ int64_t classes[kWord];
  for (int64_t block = blockIdx.y; block * kWord < rows; block += gridDim.y) {
    const int64_t row_word = first / kWord + block;
    const int64_t column_word = row_word + blockIdx.x;
    // The same for all threads of the block.
    if (column_word >= words) continue;
    const int64_t column = column_word * kWord + threadIdx.x;
    __syncthreads();
    if (column < boxes.count) {
      columns[threadIdx.x] = box_at(boxes.corners, column);
      classes[threadIdx.x] = boxes.classes == nullptr ? 0 : boxes.classes[column];
    }
    __syncthreads();
    const int64_t row = row_word * kWord + threadIdx.x;
    // Rows that an earlier band removed are never read.
    if (row >= boxes.count || (removed[row_word] >> threadIdx.x & 1) != 0) continue;
    const NmsBox<T> own = box_at(boxes.corners, row);
    const int64_t own_class = boxes.classes == nullptr ? 0 : boxes.classes[row];
    const int64_t left = boxes.count - column_word * kWord;
    const int last = left < kWord ? static_cast<int>(left) : kWord;
    uint64_t word = 0;
    for (int i = row_word == column_word ? static_cast<int>(threadIdx.x) + 1 : 0; i < last; ++i) {
      const bool covered = classes[i] == own_class && nms_overlap(own, columns[i]) > boxes.threshold;
      word |= static_cast<uint64_t>(covered) << i;
    }
    bits[(block * kWord + threadIdx.x) * words + column_word] = word;
  }
}

/// One block. The greedy rule within 64 rows is one thread's; the rows that stay are ORed by all.
__global__ void reduce(const uint64_t* bits, int64_t first, int64_t rows, int64_t count, int64_t words,
                       uint64_t* removed, uint64_t* kept) {
  __shared__ uint64_t diagonal[kWord];
  __shared__ uint64_t stay;
  for (int64_t block = 0; block * kWord < rows; ++block) {
    const int64_t word = first / kWord + block;
    if (threadIdx.x < kWord) diagonal[threadIdx.x] = bits[(block * kWord + threadIdx.x) * words + word];
    __syncthreads();
    if (threadIdx.x == 0) {
      const int64_t left = count - word * kWord;
      uint64_t alive = ~removed[word];
      if (left < kWord) alive &= (uint64_t{1} << left) - 1;
      uint64_t chosen = 0;
      while (alive != 0) {
        const int i = __ffsll(static_cast<long long>(alive)) - 1;
        chosen |= uint64_t{1} << i;
        alive &= ~(diagonal[i] | uint64_t{1} << i);
      }
      stay = chosen;
      kept[word] = chosen;
    }
    __syncthreads();
    for (int64_t w = word + 1 + threadIdx.x; w < words; w += blockDim.x) {
      uint64_t covered = 0;
      for (uint64_t rest = stay; rest != 0; rest &= rest - 1) {
        covered |= bits[(block * kWord + __ffsll(static_cast<long long>(rest)) - 1) * words + w];
      }
      removed[w] |= covered;
    }
    __syncthreads();
  }
}

/// One block: every thread writes the places of a run of words after those of the threads before it.
__global__ void gather(const uint64_t* kept, const int64_t* order, int64_t words, int64_t* places, int64_t* count) {
  __shared__ int64_t sums[kReducers];
  const int64_t run = (words + kReducers - 1) / kReducers;
  const int64_t begin = run * threadIdx.x;
  const int64_t end = begin + run < words ? begin + run : words;
  int64_t own = 0;
  for (int64_t w = begin; w < end; ++w) own += __popcll(kept[w]);
  sums[threadIdx.x] = own;
  __syncthreads();
  for (int step = 1; step < kReducers; step *= 2) {
    const int64_t before = static_cast<int>(threadIdx.x) >= step ? sums[threadIdx.x - step] : 0;
    __syncthreads();
    sums[threadIdx.x] += before;
    __syncthreads();
  }
  int64_t* to = places + sums[threadIdx.x] - own;
  for (int64_t w = begin; w < end; ++w) {
    for (uint64_t rest = kept[w]; rest != 0; rest &= rest - 1) {
      *to++ = order[w * kWord + __ffsll(static_cast<long long>(rest)) - 1];
    }
  }
  if (threadIdx.x == kReducers - 1) *count = sums[threadIdx.x];
}

}  // namespace

int64_t nms_band(int64_t count) {
  const int64_t words = (count + kWord - 1) / kWord;
  const int64_t most = std::max<int64_t>(kBandWords / std::max<int64_t>(words, 1) / kWord, 1) * kWord;
  return std::min(most, words * kWord);
}

template <typename T>
void launch_nms_band(const NmsBoxes<T>& boxes, int64_t first, int64_t band, uint64_t* bits, uint64_t* removed,
                     uint64_t* kept, cudaStream_t stream) {
  const int64_t words = boxes.words();
  const int64_t rows = std::min(band, words * kWord - first);
  const dim3 grid(static_cast<unsigned>(words - first / kWord), rows_for(rows / kWord));
  compare<<<grid, kWord, 0, stream>>>(boxes, first, rows, words, removed, bits);
  check_launch("nms: compare");
  reduce<<<1, kReducers, 0, stream>>>(bits, first, rows, boxes.count, words, removed, kept);
  check_launch("nms: reduce");
}

void launch_nms_gather(const uint64_t* kept, const int64_t* order, int64_t words, int64_t* places, int64_t* count,
                       cudaStream_t stream) {
  gather<<<1, kReducers, 0, stream>>>(kept, order, words, places, count);
  check_launch("nms: gather");
}

template void launch_nms_band(const NmsBoxes<float>&, int64_t, int64_t, uint64_t*, uint64_t*, uint64_t*, cudaStream_t);
template void launch_nms_band(const NmsBoxes<double>&, int64_t, int64_t, uint64_t*, uint64_t*, uint64_t*, cudaStream_t);

}  // namespace vision_native::cuda
