// What the kernels run on, as an operator, so that benchmarks and tests can say it.
#include "torch/cpu_isa.h"

#include <torch/library.h>

namespace vision_native {

namespace {

/// 0 scalar, 1 AVX2, 2 AVX-512, 3 AVX-512 with VPOPCNTDQ.
int64_t cpu_isa_level() { return static_cast<int64_t>(cpu_isa()) + (cpu_has_vpopcntdq() ? 1 : 0); }

TORCH_LIBRARY_FRAGMENT(vision_native, library) { library.def("_cpu_isa() -> int", cpu_isa_level); }

}  // namespace

}  // namespace vision_native
