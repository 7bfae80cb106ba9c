// Sweeps of suppression for CPUs with AVX2. Shared headers come before the instruction set is raised.
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "torch/ops/cpu/nms_sweep.h"

#pragma GCC target("avx2")
#define NMS_VECTOR_BYTES 32
#define NMS_SWEEPS kNmsSweepsAvx2
#include "torch/ops/cpu/nms_sweep.inl"
