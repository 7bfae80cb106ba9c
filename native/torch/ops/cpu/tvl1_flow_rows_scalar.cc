// Row functions for every x86-64 CPU.
#include <cmath>
#include <cstdint>

#include "torch/ops/cpu/tvl1_flow_rows.h"

#define TVL1_ROWS kTvl1RowsScalar
#include "torch/ops/cpu/tvl1_flow_rows.inl"
