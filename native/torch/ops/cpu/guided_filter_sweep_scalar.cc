// Sweeps of the box and guided filters for every x86-64 CPU.
#include <emmintrin.h>

#include <atomic>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "torch/ops/cpu/box_filter_sweep.h"

#define BOX_ISA_LAMBDA
#define BOX_WITH_DOUBLE
#define BOX_VECTOR_BYTES 16
#define BOX_SWEEPS kBoxSweepsScalar
#include "torch/ops/cpu/box_filter_lanes.inl"
#include "torch/ops/cpu/box_filter_stage.inl"
#include "torch/ops/cpu/guided_filter_apply.inl"
#include "torch/ops/guided_filter_math.h"
#include "torch/ops/cpu/guided_filter_forward.inl"
#include "torch/ops/cpu/guided_filter_sweep.inl"
