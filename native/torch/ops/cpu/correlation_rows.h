#pragma once
// Row work of correlation, compiled once for each instruction set. Lanes run over columns.
#include <cstdint>

namespace vision_native {

constexpr int64_t kCorrelationLanes = 8;

template <typename A>
struct CorrelationRows {
  /// sums[p][x] += Σ_c first[c][x]·second[c][x + p·step]. Pitches are of rows; columns come in whole lanes.
  void (*correlate)(const A* first, int64_t first_pitch, const A* second, int64_t second_pitch, int64_t channels,
                    int64_t columns, int64_t shifts, int64_t step, A* sums, int64_t sums_pitch);
  /// out[c][x] += Σ_p grads[p·grad_step + x]·maps[c][x + p·step].
  void (*spread)(const A* grads, int64_t grad_step, const A* maps, int64_t maps_pitch, int64_t step, int64_t channels,
                 int64_t columns, int64_t shifts, A* out, int64_t out_pitch);
};

struct CorrelationTables {
  CorrelationRows<float> narrow;
  CorrelationRows<double> wide;
};

extern const CorrelationTables kCorrelationRowsScalar;
extern const CorrelationTables kCorrelationRowsAvx2;
extern const CorrelationTables kCorrelationRowsAvx512;

}  // namespace vision_native
