// Row functions of correlation for CPUs with AVX2 and FMA. Shared headers come before the instruction set is raised.
#include <cstdint>

#include "torch/ops/cpu/correlation_rows.h"

#pragma GCC target("avx2,fma")
#pragma GCC optimize("fp-contract=fast")
#define CORRELATION_ROWS kCorrelationRowsAvx2
#include "torch/ops/cpu/correlation_rows.inl"
