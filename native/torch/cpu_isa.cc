#include "torch/cpu_isa.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace vision_native {

namespace {

bool has_avx2() { return __builtin_cpu_supports("avx2") != 0; }

CpuIsa choose() {
  const char* wanted = std::getenv("VISION_NATIVE_ISA");
  if (wanted == nullptr || *wanted == '\0') return has_avx2() ? CpuIsa::kAvx2 : CpuIsa::kScalar;
  const std::string name(wanted);
  if (name == "scalar") return CpuIsa::kScalar;
  if (name == "avx2" && has_avx2()) return CpuIsa::kAvx2;
  if (name == "avx2") throw std::runtime_error("VISION_NATIVE_ISA=avx2, but this CPU has no AVX2; use scalar or unset it");
  throw std::runtime_error("VISION_NATIVE_ISA=" + name + " is not known; use scalar or avx2, or unset it");
}

}  // namespace

CpuIsa cpu_isa() {
  static const CpuIsa isa = choose();
  return isa;
}

const char* cpu_isa_name(CpuIsa isa) { return isa == CpuIsa::kAvx2 ? "avx2" : "scalar"; }

}  // namespace vision_native
