#include "torch/cpu_isa.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace vision_native {

namespace {

// __builtin_cpu_supports also asks whether the operating system saves the registers.
bool has(CpuIsa isa) {
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("f16c") && __builtin_cpu_supports("popcnt");
  switch (isa) {
    case CpuIsa::kAvx512:
      return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    case CpuIsa::kAvx2: return avx2;
    default: return true;
  }
}

constexpr CpuIsa kBestFirst[] = {CpuIsa::kAvx512, CpuIsa::kAvx2, CpuIsa::kScalar};

CpuIsa choose() {
  const char* wanted = std::getenv("VISION_NATIVE_ISA");
  const std::string name(wanted == nullptr ? "" : wanted);
  for (const CpuIsa isa : kBestFirst) {
    if (!name.empty() && name != cpu_isa_name(isa)) continue;
    if (has(isa)) return isa;
    if (!name.empty()) {
      throw std::runtime_error("VISION_NATIVE_ISA=" + name + ", but this CPU has not all of it; use " +
                               (isa == CpuIsa::kAvx512 && has(CpuIsa::kAvx2) ? "avx2 or " : "") + "scalar, or unset it");
    }
  }
  throw std::runtime_error("VISION_NATIVE_ISA=" + name + " is not known; use scalar, avx2 or avx512, or unset it");
}

}  // namespace

CpuIsa cpu_isa() {
  static const CpuIsa isa = choose();
  return isa;
}

bool cpu_has_vpopcntdq() {
  static const bool has = cpu_isa() == CpuIsa::kAvx512 && __builtin_cpu_supports("avx512vpopcntdq");
  return has;
}

const char* cpu_isa_name(CpuIsa isa) {
  switch (isa) {
    case CpuIsa::kAvx512: return "avx512";
    case CpuIsa::kAvx2: return "avx2";
    default: return "scalar";
  }
}

}  // namespace vision_native
