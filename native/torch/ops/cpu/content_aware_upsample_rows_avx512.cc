// Row functions of content-aware upsampling for CPUs with AVX-512. Shared headers come before the instruction set is
// raised.
#include <cmath>
#include <cstdint>
#include <limits>

#include "torch/ops/cpu/content_aware_upsample_rows.h"

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl")
#pragma GCC optimize("fp-contract=fast")
#define CAU_ROWS kCauRowsAvx512
#include "torch/ops/cpu/content_aware_upsample_rows.inl"
