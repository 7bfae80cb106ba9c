// Scans of point clouds for every x86-64 CPU. Shared headers come before the instruction set is raised.
#include <cstdint>

#include "torch/ops/cpu/knn_points.h"

#define POINT_BITS 128
#define POINT_SCANS kPointScansScalar
#include "torch/ops/cpu/knn_points.inl"
