// Row functions of content-aware upsampling for CPUs with AVX2 and FMA. Shared headers come before the instruction set is
// raised.
#include <cmath>
#include <cstdint>
#include <limits>

#include "torch/ops/cpu/content_aware_upsample_rows.h"

#pragma GCC target("avx2,fma")
#pragma GCC optimize("fp-contract=fast")
#define CAU_ROWS kCauRowsAvx2
#include "torch/ops/cpu/content_aware_upsample_rows.inl"
