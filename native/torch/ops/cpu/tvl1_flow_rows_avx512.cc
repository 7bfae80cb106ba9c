// Row functions for CPUs with AVX-512. The headers that other files share are included before the instruction set is
// raised: an inline function of theirs compiled with it could otherwise be linked into code for older CPUs.
#include <immintrin.h>

#include <cstdint>

#include "torch/ops/cpu/tvl1_flow_rows.h"
#include "torch/ops/tvl1_flow_params.h"

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
#define TVL1_VECTOR_BYTES 64
#define TVL1_ROWS kTvl1RowsAvx512
#include "torch/ops/cpu/tvl1_flow_lanes.inl"
#include "torch/ops/cpu/tvl1_flow_wave.inl"
#include "torch/ops/cpu/tvl1_flow_rows.inl"
