// Row functions for CPUs with AVX2. The headers that other files share are included before the instruction set is
// raised: an inline function of theirs compiled with it could otherwise be linked into code for older CPUs.
#include <immintrin.h>

#include <cstdint>

#include "torch/ops/cpu/tvl1_flow_rows.h"
#include "torch/ops/tvl1_flow_params.h"

#pragma GCC target("avx2")
#define TVL1_VECTOR_BYTES 32
#define TVL1_ROWS kTvl1RowsAvx2
#include "torch/ops/cpu/tvl1_flow_lanes.inl"
#include "torch/ops/cpu/tvl1_flow_wave.inl"
#include "torch/ops/cpu/tvl1_flow_rows.inl"
