#pragma once
// Row work of upfirdn2d, compiled once for each instruction set.
#include <cstdint>

namespace vision_native {

constexpr int64_t kUpfirdnLanes = 8;

template <typename A>
struct UpfirdnRows {
  /// out[x] = Σ_t weights[t]·sources[t][x]; columns come in whole lanes.
  void (*weighted_sum)(const A* const* sources, const A* weights, int64_t count, A* out, int64_t columns);
};

struct UpfirdnTables {
  UpfirdnRows<float> narrow;
  UpfirdnRows<double> wide;
};

extern const UpfirdnTables kUpfirdnRowsScalar;
extern const UpfirdnTables kUpfirdnRowsAvx2;
extern const UpfirdnTables kUpfirdnRowsAvx512;

}  // namespace vision_native
