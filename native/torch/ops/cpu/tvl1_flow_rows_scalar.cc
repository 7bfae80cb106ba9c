// Row functions for every x86-64 CPU, which has vectors of 16 bytes.
#include <emmintrin.h>

#include <cstdint>

#include "torch/ops/cpu/tvl1_flow_rows.h"
#include "torch/ops/tvl1_flow_params.h"

#define TVL1_VECTOR_BYTES 16
#define TVL1_ROWS kTvl1RowsScalar
#include "torch/ops/cpu/tvl1_flow_lanes.inl"
#include "torch/ops/cpu/tvl1_flow_wave.inl"
#include "torch/ops/cpu/tvl1_flow_rows.inl"
