// Sweeps of suppression for CPUs with AVX-512. Shared headers come before the instruction set is raised.
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "torch/ops/cpu/nms_sweep.h"

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
#define NMS_VECTOR_BYTES 64
#define NMS_SWEEPS kNmsSweepsAvx512
#include "torch/ops/cpu/nms_sweep.inl"
