#pragma once
// Which instruction set the CPU kernels of this package use.
#include "torch/run_context.h"

namespace vision_native {

/// Each has all of those before it.
enum class CpuIsa {
  kScalar,
  /// AVX2, FMA, F16C and POPCNT.
  kAvx2,
  /// AVX-512 F, BW, DQ and VL.
  kAvx512,
};

/// The best one that this machine has and that we have code for, or what `VISION_NATIVE_ISA` (`scalar`, `avx2`,
/// `avx512`) asks for. Read once: kernels do not change under a running program. Throws when the machine lacks what was
/// asked for.
VISION_NATIVE_API CpuIsa cpu_isa();

/// Whether kernels may count the bits of whole vectors (VPOPCNTDQ); only with `kAvx512`.
VISION_NATIVE_API bool cpu_has_vpopcntdq();

VISION_NATIVE_API const char* cpu_isa_name(CpuIsa isa);

/// One of up to three tables of functions: the last that the machine may use.
template <typename Table>
const Table& for_cpu_isa(const Table& scalar, const Table& avx2, const Table& avx512) {
  switch (cpu_isa()) {
    case CpuIsa::kAvx512: return avx512;
    case CpuIsa::kAvx2: return avx2;
    default: return scalar;
  }
}

template <typename Table>
const Table& for_cpu_isa(const Table& scalar, const Table& avx2) {
  return for_cpu_isa(scalar, avx2, avx2);
}

}  // namespace vision_native
