// Row functions of labels for CPUs with AVX2. Shared headers come before the instruction set is raised.
#include <immintrin.h>

#include <algorithm>
#include <cstdint>

#include "torch/ops/cpu/connected_components_rows.h"

#pragma GCC target("avx2,bmi,bmi2")
// The macro that says so is set by options of the command line alone.
#ifndef __AVX2__
#define __AVX2__ 1
#endif
#define LABEL_ROWS kLabelRowsAvx2
#include "torch/ops/cpu/connected_components_rows.inl"
