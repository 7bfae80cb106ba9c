// Sweeps of the box and guided filters for CPUs with AVX2. The headers that other files share are included before the
// instruction set is raised: an inline function of theirs could otherwise be linked into code for older CPUs.
#include <emmintrin.h>

#include <atomic>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "torch/ops/cpu/box_filter_sweep.h"

#pragma GCC target("avx2")
// The pragma passes over lambdas.
#define BOX_ISA_LAMBDA __attribute__((target("avx2")))
#define BOX_VECTOR_BYTES 32
#define BOX_SWEEPS kBoxSweepsAvx2
#include "torch/ops/cpu/box_filter_lanes.inl"
#include "torch/ops/cpu/box_filter_stage.inl"
#include "torch/ops/cpu/guided_filter_apply.inl"
#include "torch/ops/guided_filter_math.h"
#include "torch/ops/cpu/guided_filter_forward.inl"
#include "torch/ops/cpu/guided_filter_sweep.inl"
