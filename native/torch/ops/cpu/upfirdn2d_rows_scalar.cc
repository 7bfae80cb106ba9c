// Row functions of upfirdn2d for every x86-64 CPU. Shared headers come before the instruction set is raised.
#include <cstdint>

#include "torch/ops/cpu/upfirdn2d_rows.h"

#define UPFIRDN_ROWS kUpfirdnRowsScalar
#include "torch/ops/cpu/upfirdn2d_rows.inl"
