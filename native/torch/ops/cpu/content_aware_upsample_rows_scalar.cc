// Row functions of content-aware upsampling for every x86-64 CPU. Shared headers come before the instruction set is
// raised.
#include <cmath>
#include <cstdint>
#include <limits>

#include "torch/ops/cpu/content_aware_upsample_rows.h"

#define CAU_ROWS kCauRowsScalar
#include "torch/ops/cpu/content_aware_upsample_rows.inl"
