// Row functions of upfirdn2d for CPUs with AVX2 and FMA. Shared headers come before the instruction set is raised.
#include <cstdint>

#include "torch/ops/cpu/upfirdn2d_rows.h"

#pragma GCC target("avx2,fma")
#pragma GCC optimize("fp-contract=fast")
#define UPFIRDN_ROWS kUpfirdnRowsAvx2
#include "torch/ops/cpu/upfirdn2d_rows.inl"
