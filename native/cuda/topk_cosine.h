#pragma once
// Exact searches among rows on CUDA: launches. Neither ATen nor c10 is known here.
#include <cuda_runtime.h>

#include <cstdint>

namespace vision_native::cuda {

/// Largest number of matches that one pass finds; more take several.
constexpr int64_t kSearchPass = 1024;

enum class RowType { kFloat, kDouble, kCodes, kBits };

struct RowSearch {
  RowType type;
  const void* queries;         ///< [Q, D], contiguous
  const void* base;            ///< [N, D], contiguous
  const void* query_inverses;  ///< [Q] float, double for doubles; null for bits
  const void* base_inverses;   ///< [N]
  int64_t query_count, rows, dims, k;
  void* ranks;                 ///< room for Q × `chunk` numbers of 4 bytes, 8 for doubles
  int64_t chunk;               ///< rows that are ranked at once, a multiple of 64
  void* keys;                  ///< room for Q × kSearchPass keys of 8 bytes, 16 for doubles
  void* scores;                ///< [Q, k] float, double, or int32 for bits
  int64_t* indices;            ///< [Q, k]
};

/// 1 / length of each row, 0 for a length of 0; lengths are computed where `norms` is null.
void launch_row_inverses(RowType type, const void* rows, const void* norms, int64_t count, int64_t dims, void* inverses,
                         cudaStream_t stream);
void launch_row_search(const RowSearch& search, cudaStream_t stream);

enum class InputType { kHalf, kBFloat16, kFloat, kDouble };

/// `input` [N, D], contiguous.
void launch_quantize_rows(const void* input, InputType type, int64_t rows, int64_t dims, int8_t* codes, float* scales,
                          cudaStream_t stream);
void launch_pack_bits(const void* input, InputType type, int64_t rows, int64_t dims, uint64_t* words,
                      cudaStream_t stream);

}  // namespace vision_native::cuda
