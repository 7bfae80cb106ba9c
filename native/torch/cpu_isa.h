#pragma once
// Which instruction set the CPU kernels of this package use.
#include "torch/run_context.h"

namespace vision_native {

enum class CpuIsa { kScalar, kAvx2 };

/// The best one that this machine has and that we have code for, or what `VISION_NATIVE_ISA` (`scalar`, `avx2`) asks for.
/// Read once: kernels do not change under a running program. Throws when the machine lacks what was asked for.
VISION_NATIVE_API CpuIsa cpu_isa();

VISION_NATIVE_API const char* cpu_isa_name(CpuIsa isa);

}  // namespace vision_native
