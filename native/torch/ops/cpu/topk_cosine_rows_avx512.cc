// Row functions of exact searches for CPUs with AVX-512. Shared headers come before the instruction set is raised.
#include <immintrin.h>

#include <cstdint>

#include "torch/ops/cpu/topk_cosine_rows.h"

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,popcnt")
#define SEARCH_BITS 512
#define SEARCH_ROWS kSearchRowsAvx512
#include "torch/ops/cpu/topk_cosine_rows.inl"
