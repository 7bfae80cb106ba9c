// Row functions of correlation for every x86-64 CPU. Shared headers come before the instruction set is raised.
#include <cstdint>

#include "torch/ops/cpu/correlation_rows.h"

#define CORRELATION_ROWS kCorrelationRowsScalar
#include "torch/ops/cpu/correlation_rows.inl"
