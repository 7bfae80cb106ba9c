#pragma once
// Row functions of exact searches. One table for each instruction set; all give the same bits.
#include <cstdint>

namespace vision_native {

/// Queries that are compared with a row at once.
constexpr int64_t kRowQueries = 4;

template <typename A>
struct CosineRows {
  /// Products of a row with `count` queries, each summed in a fixed order.
  void (*dots)(const A* row, const A* queries, int64_t stride, int64_t count, int64_t dims, A* out);
  /// Places at which (product·inverse)·scale + error is not at most `limit`.
  int64_t (*candidates)(const A* products, const A* inverses, int64_t count, A scale, A error, A limit,
                        int32_t* places);
};

struct SearchRows {
  CosineRows<float> narrow;
  CosineRows<double> wide;
  void (*code_dots)(const int8_t* row, const int16_t* queries, int64_t stride, int64_t count, int64_t dims,
                    int32_t* out);
  void (*differing_bits)(const uint64_t* row, const uint64_t* queries, int64_t stride, int64_t count, int64_t words,
                         int32_t* out);
};

extern const SearchRows kSearchRowsScalar, kSearchRowsAvx2, kSearchRowsAvx512;

}  // namespace vision_native
