// Row functions of upfirdn2d for CPUs with AVX-512. Shared headers come before the instruction set is raised.
#include <cstdint>

#include "torch/ops/cpu/upfirdn2d_rows.h"

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl")
#pragma GCC optimize("fp-contract=fast")
#define UPFIRDN_ROWS kUpfirdnRowsAvx512
#include "torch/ops/cpu/upfirdn2d_rows.inl"
