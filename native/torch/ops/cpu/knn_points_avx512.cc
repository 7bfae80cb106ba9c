// Scans of point clouds for CPUs with AVX-512. Shared headers come before the instruction set is raised.
#include <immintrin.h>

#include <cstdint>

#include "torch/ops/cpu/knn_points.h"

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,popcnt")
#define POINT_BITS 512
#define POINT_SCANS kPointScansAvx512
#include "torch/ops/cpu/knn_points.inl"
