// Sweeps of suppression for every x86-64 CPU. Shared headers come before the instruction set is raised.
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "torch/ops/cpu/nms_sweep.h"

#define NMS_VECTOR_BYTES 16
#define NMS_SWEEPS kNmsSweepsScalar
#include "torch/ops/cpu/nms_sweep.inl"
