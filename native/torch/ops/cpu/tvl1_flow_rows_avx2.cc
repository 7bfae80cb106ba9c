// Row functions for CPUs with AVX2. The headers that other files share are included before the instruction set is
// raised: an inline function of theirs compiled with AVX2 could otherwise be linked into code for older CPUs.
#include <cmath>
#include <cstdint>
#include <vector>

#include "torch/ops/cpu/tvl1_flow_rows.h"
#include "torch/ops/tvl1_flow_params.h"

#pragma GCC target("avx2")
#define TVL1_ROWS kTvl1RowsAvx2
#include "torch/ops/cpu/tvl1_flow_rows.inl"
