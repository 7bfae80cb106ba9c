// Scans of point clouds for CPUs with AVX2. Shared headers come before the instruction set is raised.
#include <immintrin.h>

#include <cstdint>

#include "torch/ops/cpu/knn_points.h"

#pragma GCC target("avx2,popcnt")
#define POINT_BITS 256
#define POINT_SCANS kPointScansAvx2
#include "torch/ops/cpu/knn_points.inl"
