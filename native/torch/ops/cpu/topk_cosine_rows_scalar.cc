// Row functions of exact searches for every x86-64 CPU. Shared headers come before the instruction set is raised.
#include <cstdint>

#include "torch/ops/cpu/topk_cosine_rows.h"

#define SEARCH_BITS 128
#define SEARCH_ROWS kSearchRowsScalar
#include "torch/ops/cpu/topk_cosine_rows.inl"
