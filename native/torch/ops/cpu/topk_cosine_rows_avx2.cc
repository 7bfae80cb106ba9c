// Row functions of exact searches for CPUs with AVX2. Shared headers come before the instruction set is raised.
#include <immintrin.h>

#include <cstdint>

#include "torch/ops/cpu/topk_cosine_rows.h"

#pragma GCC target("avx2,popcnt")
#define SEARCH_BITS 256
#define SEARCH_ROWS kSearchRowsAvx2
#include "torch/ops/cpu/topk_cosine_rows.inl"
